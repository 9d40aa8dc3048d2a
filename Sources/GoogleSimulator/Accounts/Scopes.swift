/// OAuth scopes, by Google's names.
enum Scopes {
    private static let prefix = "https://www.googleapis.com/auth/"

    /// What is left of the Library API for reading since 31 March 2025 (Google Photos APIs: updates page).
    static let libraryRead = prefix + "photoslibrary.readonly.appcreateddata"
    /// Removed on 31 March 2025; a token with it alone is refused.
    static let libraryRemoved = prefix + "photoslibrary.readonly"
    static let openID = "openid"

    private static let storageWrites: Set<String> = [
        prefix + "devstorage.read_write", prefix + "devstorage.full_control", prefix + "cloud-platform",
    ]
    private static let storageReads: Set<String> = [
        prefix + "devstorage.read_only", prefix + "cloud-platform.read-only",
    ]
    /// What `gcloud auth application-default login` gives.
    static let storageDefault = prefix + "cloud-platform"

    static func mayRead(storage scopes: Set<String>) -> Bool {
        mayWrite(storage: scopes) || !scopes.isDisjoint(with: storageReads)
    }

    static func mayWrite(storage scopes: Set<String>) -> Bool { !scopes.isDisjoint(with: storageWrites) }

    static func isStorage(_ scope: String) -> Bool { storageWrites.contains(scope) || storageReads.contains(scope) }
}
