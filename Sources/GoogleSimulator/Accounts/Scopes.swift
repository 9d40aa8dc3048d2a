/// OAuth scopes, by Google's names.
enum Scopes {
    private static let prefix = "https://www.googleapis.com/auth/"

    /// What is left of the Library API for reading since 31 March 2025 (Google Photos APIs: updates page).
    static let libraryRead = prefix + "photoslibrary.readonly.appcreateddata"
    /// Removed on 31 March 2025; a token with it alone is refused.
    static let libraryRemoved = prefix + "photoslibrary.readonly"
    /// What the picker shows of a library: the items that its owner picks there.
    static let picker = prefix + "photospicker.mediaitems.readonly"
    static let openID = "openid"
    static let email = prefix + "userinfo.email"
    static let profile = prefix + "userinfo.profile"

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

    /// What the consent page says of each scope that an app may ask for, removed ones included: Google still offers them.
    private static let descriptions: [String: String] = [
        openID: "Associate you with your personal info on Google",
        email: "See your primary Google Account email address",
        profile: "See your personal info, including any personal info you've made publicly available",
        libraryRead: "See the photos and videos that this app added to your Google Photos library",
        libraryRemoved: "View your Google Photos library",
        prefix + "photoslibrary": "See, upload, and organize items in your Google Photos library",
        prefix + "photoslibrary.sharing": "Manage and add to shared albums on your behalf",
        prefix + "photoslibrary.appendonly": "Add to your Google Photos library",
        prefix + "photoslibrary.edit.appcreateddata":
            "Edit the info in your photos, videos, and albums made by this app",
        picker: "See the photos and videos that you select from Google Photos",
        prefix + "devstorage.read_only": "View your data in Google Cloud Storage",
        prefix + "devstorage.read_write": "Manage your data in Google Cloud Storage",
        prefix + "devstorage.full_control": "Manage your data and permissions in Google Cloud Storage",
        prefix + "cloud-platform": "See, edit, configure, and delete your Google Cloud data",
        prefix + "cloud-platform.read-only": "View your data across Google Cloud services",
    ]

    /// What the consent page says of a scope; nil for one that Google does not know.
    static func description(_ scope: String) -> String? { descriptions[canonical(scope)] }

    /// The name that Google's answers use: OpenID Connect's short ones become long.
    static func canonical(_ scope: String) -> String {
        switch scope {
        case "email": email
        case "profile": profile
        default: scope
        }
    }

    /// Whether a scope only tells who somebody is: it has no box to tick, and no login ends for it.
    static func isSignIn(_ scope: String) -> Bool { [openID, email, profile].contains(canonical(scope)) }

    /// What Google really grants for these: long names, and `openid` with anything that tells who somebody is.
    static func granted(_ scopes: some Sequence<String>) -> Set<String> {
        var granted = Set(scopes.map(canonical))
        if granted.contains(where: isSignIn) { granted.insert(openID) }
        return granted
    }
}
