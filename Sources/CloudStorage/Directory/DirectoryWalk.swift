#if canImport(Glibc)
import Glibc
#else
import Darwin
#endif

/// Finds files below a root in the order of their full names' bytes.
struct DirectoryWalk {
    private let root: String
    private let prefix: [UInt8]
    private let after: [UInt8]?
    private let most: Int
    private let temporaries: Bool
    private(set) var found: [String] = []

    /// Objects: whole names that start with `prefix` and come after `after`, the first `most` of them.
    init(root: String, prefix: String, after: String?, most: Int) {
        self.root = root
        self.prefix = Array(prefix.utf8)
        self.after = after.map { Array($0.utf8) }
        self.most = most
        temporaries = false
    }

    /// Files that are being written, or were: `temporaries` in place of objects.
    init(root: String, temporaries: Bool) {
        self.root = root
        prefix = []
        after = nil
        most = .max
        self.temporaries = temporaries
    }

    /// Fills `found`.
    mutating func run() throws(StorageError) { try visit(folder: "", depth: 0) }

    private struct Entry {
        let name: String
        let isFolder: Bool
        /// A folder sorts as all its names do: with the slash.
        let key: [UInt8]
    }

    private mutating func visit(folder: String, depth: Int) throws(StorageError) {
        // 1024 bytes of name have no more parts; a link that leads in circles ends here.
        guard depth < 512 else { return }
        var entries = try Self.entries(of: folder.isEmpty ? root : "\(root)/\(folder)")
        entries.sort { $0.key.lexicographicallyPrecedes($1.key) }
        for entry in entries where found.count < most {
            let name = folder + entry.name
            let isTemporary = entry.name.utf8.starts(with: DirectoryNames.temporary.utf8)
            if entry.isFolder {
                if folder.isEmpty, entry.name == DirectoryNames.own, !temporaries { continue }
                let inside = Array(name.utf8) + [UInt8(ascii: "/")]
                guard mayHold(inside) else { continue }
                try visit(folder: name + "/", depth: depth + 1)
            } else if temporaries ? isTemporary : !isTemporary && isWanted(Array(name.utf8)) {
                found.append(name)
            }
        }
    }

    private func isWanted(_ name: [UInt8]) -> Bool {
        name.starts(with: prefix) && (after.map { $0.lexicographicallyPrecedes(name) } ?? true)
    }

    /// Whether a folder (with its slash) can hold a wanted name.
    private func mayHold(_ folder: [UInt8]) -> Bool {
        guard folder.starts(with: prefix) || prefix.starts(with: folder) else { return false }
        guard let after else { return true }
        return after.starts(with: folder) || after.lexicographicallyPrecedes(folder)
    }

    private static func entries(of path: String) throws(StorageError) -> [Entry] {
        guard let directory = opendir(path) else {
            if errno == ENOENT { return [] }
            throw fileError(errno, "Listing \(path)")
        }
        defer { closedir(directory) }
        var entries: [Entry] = []
        while true {
            errno = 0
            guard let entry = readdir(directory) else { break }
            // A name that is not UTF-8 is not one of ours and has no name in the archive's sense.
            let decoded = withUnsafePointer(to: &entry.pointee.d_name) {
                $0.withMemoryRebound(to: CChar.self, capacity: 1) { String(validatingCString: $0) }
            }
            guard let name = decoded, name != ".", name != ".." else { continue }
            let isFolder =
                switch Int32(entry.pointee.d_type) {
                case Int32(DT_DIR): true
                case Int32(DT_REG): false
                default: Self.isFolder("\(path)/\(name)")
                }
            entries.append(
                Entry(name: name, isFolder: isFolder, key: Array(name.utf8) + (isFolder ? [UInt8(ascii: "/")] : []))
            )
        }
        if errno != 0 { throw fileError(errno, "Listing \(path)") }
        return entries
    }

    private static func isFolder(_ path: String) -> Bool {
        var status = stat()
        return stat(path, &status) == 0 && status.st_mode & S_IFMT == S_IFDIR
    }
}
