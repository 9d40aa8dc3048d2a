import GoogleAuth

/// A credentials file that coldroll uses and that is not this user's alone.
///
/// Unlike coldroll's own key it is used all the same: containers show files of secrets to whoever is in them.
struct ExposedSecret: Sendable {
    let path: String
    /// The setting that names it.
    let name: String
    let exposure: SecretExposure

    /// What is wrong, without a full stop.
    var words: String { "\(path) (\(name)) \(exposure.words)" }
    /// The command that mends it.
    var remedy: String { exposure.remedy(path) }
}

extension Session {
    /// What `doctor` shows, and what each command warns of that uses these files.
    var exposedSecrets: [ExposedSecret] {
        let files = [
            ("COLDROLL_PHOTOS_CREDENTIALS", settings.photosCredentials),
            ("the credentials for Cloud Storage", settings.usesBuckets ? storageCredentialsFile : nil),
        ]
        return files.compactMap { name, path in
            guard let path, let exposure = SecretExposure(ofFile: path) else { return nil }
            return ExposedSecret(path: path, name: name, exposure: exposure)
        }
    }

    func warnOfExposedSecrets() {
        for secret in exposedSecrets { reporter.warn("\(secret.words). Run: \(secret.remedy)") }
    }
}
