/// Which names may become paths below a directory.
enum DirectoryNames {
    /// coldroll's own folder at the root.
    static let own = ".coldroll"
    /// What files that are being written are called.
    static let temporary = ".coldroll-tmp-"

    /// Whether the name stays below the root, is not one of coldroll's own, and has no part that a file system refuses.
    static func isAllowed(_ name: String) -> Bool {
        guard (1...1024).contains(name.utf8.count), !name.utf8.contains(0) else { return false }
        let parts = name.utf8.split(separator: UInt8(ascii: "/"), omittingEmptySubsequences: false)
        return parts.allSatisfy { part in
            // NAME_MAX of every common file system is 255.
            (1...255).contains(part.count) && !part.elementsEqual(".".utf8) && !part.elementsEqual("..".utf8)
                && !part.starts(with: temporary.utf8)
        } && !(parts.first?.elementsEqual(own.utf8) ?? true)
    }

    /// Whether a small file is its owner's alone: logins, sealed as they are.
    static func isSecret(_ name: String) -> Bool { name.hasPrefix("credentials/") }

    /// Order of the names' bytes, which is the bucket's order.
    static func precedes(_ a: String, _ b: String) -> Bool {
        a.utf8.lexicographicallyPrecedes(b.utf8)
    }
}
