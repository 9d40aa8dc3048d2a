import Foundation

extension Doctor {
    /// What is set, and who may read the files with secrets in them.
    var settings: [Diagnosis] {
        let settings = session.settings
        var lines: [Diagnosis] = []
        switch settings.source {
        case .library:
            lines.append(
                .ok(
                    .settings,
                    "The library of account \(settings.account) is archived into \(settings.archive); the state is in "
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
        return stat(path, &status) == 0 && status.st_mode & 0o077 != 0
    }
}
