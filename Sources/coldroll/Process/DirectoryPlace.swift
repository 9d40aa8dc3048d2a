import CloudStorage
import Foundation

/// Where the directory of a store would lie, as long as it is not there: what a person sees of a disk that is not mounted.
struct DirectoryPlace: Sendable, Equatable {
    /// Without links where it can be looked at.
    let mountPoint: String
    /// Whether that is the file system of the root directory.
    let isRoot: Bool
    /// Why nothing can be made there; nil where it can.
    let refusal: String?

    /// Nil where the store is no directory, is there already, or cannot be looked at.
    init?(_ store: any ObjectStore) {
        guard let path = Self.path(of: store.url), let above = nearestDirectory(to: path), above != path,
            let mount = findMountPoint(of: above)
        else { return nil }
        (mountPoint, isRoot) = mount
        refusal = access(above, W_OK | X_OK) == 0 ? nil : "\(above): \(String(cString: strerror(errno)))"
    }

    /// The path that a store's URL names; nil for a bucket.
    static func path(of url: String) -> String? {
        guard url.hasPrefix("file://") else { return nil }
        let path = String(url.dropFirst("file://".count))
        return path.removingPercentEncoding ?? path
    }

    /// Where it lies, to go on a sentence.
    var words: String { "on the file system that is mounted at \(harmless(mountPoint))" }
}

/// The path itself, or the nearest one above it that is there; nil where none can be looked at.
func nearestDirectory(to path: String) -> String? {
    var path = path
    while true {
        var status = stat()
        if stat(path, &status) == 0 { return path }
        guard errno == ENOENT || errno == ENOTDIR, let slash = path.lastIndex(of: "/"), path != "/" else { return nil }
        path = slash == path.startIndex ? "/" : String(path[..<slash])
    }
}

/// The uppermost directory of the file system that something lies on, and whether that is the root directory's.
func findMountPoint(of path: String) -> (path: String, isRoot: Bool)? {
    // A link may lead to another file system.
    guard let resolved = unsafe realpath(path, nil) else { return nil }
    defer { unsafe free(resolved) }
    var place = unsafe String(cString: resolved)
    guard let own = device(of: place), let root = device(of: "/") else { return nil }
    while place != "/", let slash = place.lastIndex(of: "/") {
        let above = slash == place.startIndex ? "/" : String(place[..<slash])
        guard device(of: above) == own else { break }
        place = above
    }
    return (place, own == root)
}

private func device(of path: String) -> dev_t? {
    var status = stat()
    return stat(path, &status) == 0 ? status.st_dev : nil
}
