import Foundation

extension Doctor {
    /// What is set, and who may read the files with secrets in them.
    var settings: [Diagnosis] {
        let settings = session.settings
        var lines: [Diagnosis] = []
        switch settings.source {
        case .library, .picker:
            let what = settings.source == .picker ? "What is picked" : "The library"
            lines.append(
                .ok(
                    .settings,
                    "\(what) of account \(settings.account) is archived into \(settings.archive); the state is in "
                        + "\(settings.state)."
                )
            )
        case nil:
            lines.append(
                .warning(
                    .settings,
                    "COLDROLL_SOURCE is not set: scan and run would not know what to archive.",
                    fix: "COLDROLL_SOURCE=library"
                )
            )
        case let other?:
            lines.append(
                .failed(
                    .settings,
                    "COLDROLL_SOURCE is \(other.kind), which this version cannot archive yet.",
                    fix: "COLDROLL_SOURCE=library",
                    .usage
                )
            )
        }
        let secrets = [
            ("COLDROLL_PHOTOS_CREDENTIALS", settings.photosCredentials),
            ("the credentials for Cloud Storage", settings.usesBuckets ? session.storageCredentialsFile : nil),
        ]
        for case (let name, let path?) in secrets where Self.isReadByOthers(path) {
            lines.append(
                .warning(
                    .settings,
                    "\(path) (\(name)) can be read by other users of this machine.",
                    fix: "chmod 600 '\(path)'"
                )
            )
        }
        return lines
    }

    private static func isReadByOthers(_ path: String) -> Bool {
        var status = stat()
        return stat(path, &status) == 0
            && isReadByOthers(mode: status.st_mode, isRoots: status.st_uid == 0 && geteuid() != 0)
    }

    /// As libpq judges key files: root may give one to the group that has to read it, as a service's account does.
    static func isReadByOthers(mode: mode_t, isRoots: Bool) -> Bool { mode & (isRoots ? 0o037 : 0o077) != 0 }
}
