import GoogleAuth

extension Doctor {
    /// Where a source is chosen.
    private static let choice =
        "Put the line COLDROLL_SOURCE=library or COLDROLL_SOURCE=picker into the file that --env-file names, or set it in the "
        + "environment; for one command: --source library or --source picker."

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
                .failed(
                    .settings,
                    "COLDROLL_SOURCE is not set: scan and run would not know what to archive.",
                    fix: Self.choice,
                    .usage
                )
            )
        case let other?:
            lines.append(
                .failed(
                    .settings,
                    "COLDROLL_SOURCE is \(other.kind), which this version cannot archive yet.",
                    fix: Self.choice,
                    .usage
                )
            )
        }
        if let file = settings.serve.secretFile {
            do throws(AuthError) {
                _ = try SharedSecret(file: file)
            } catch {
                lines.append(.failed(.settings, error))
            }
        }
        for secret in session.exposedSecrets {
            lines.append(.warning(.settings, "\(secret.words).", fix: secret.remedy))
        }
        return lines
    }
}
