/// Checks of the two forms of a store's address.
enum StoreURL {
    /// The address without a slash at its end, or why it cannot be used, as the end of a sentence.
    static func normalised(_ text: String) -> Result<String, Complaint> {
        if text.hasPrefix("gs://") { return bucket(text) }
        if text.hasPrefix("file://") { return directory(text) }
        if text.hasPrefix("/") {
            return .failure(Complaint("is a path; write file://\(harmless(text))"))
        }
        return .failure(Complaint("is '\(harmless(text))'; expected gs://bucket[/prefix] or file:///directory"))
    }

    /// Whether objects of `inner` would show up in a listing of `outer`; both normalised.
    ///
    /// By bytes, as buckets and file systems compare names.
    static func contains(_ outer: String, _ inner: String) -> Bool {
        let (outer, inner) = (Array(outer.utf8), Array(inner.utf8))
        guard inner.starts(with: outer) else { return false }
        let slash = UInt8(ascii: "/")
        return inner.count == outer.count || outer.last == slash || inner[outer.count] == slash
    }

    struct Complaint: Error, Equatable {
        let words: String
        init(_ words: String) { self.words = words }
    }

    private static func bucket(_ text: String) -> Result<String, Complaint> {
        let parts = text.dropFirst(5).split(separator: "/", omittingEmptySubsequences: false).map(String.init)
        // Cloud Storage docs, "Bucket names": 3 to 63 characters of a-z 0-9 - _ ., up to 222 with dots.
        let name = parts[0]
        let isName = name.utf8.allSatisfy { byte in
            (97...122).contains(byte) || (48...57).contains(byte) || [45, 46, 95].contains(byte)
        }
        guard isName, (3...(name.contains(".") ? 222 : 63)).contains(name.utf8.count) else {
            return .failure(
                Complaint(
                    "names no possible bucket: '\(harmless(name))'; a name has 3 to 63 characters, with dots up to 222, and of "
                        + "lower-case letters, digits, '-', '_' and '.' only"
                )
            )
        }
        var prefix = parts.dropFirst()
        if prefix.last == "" { prefix.removeLast() }
        guard prefix.allSatisfy({ !$0.isEmpty && $0 != "." && $0 != ".." }), !text.contains(where: \.isNewline) else {
            return .failure(Complaint("has an empty, '.' or '..' step in its prefix"))
        }
        return .success("gs://" + ([name] + prefix).joined(separator: "/"))
    }

    private static func directory(_ text: String) -> Result<String, Complaint> {
        let path = text.dropFirst(7)
        guard path.hasPrefix("/") else {
            return .failure(Complaint("is '\(harmless(text))'; a directory needs an absolute path: file:///directory"))
        }
        let steps = path.split(separator: "/")
        guard !steps.isEmpty else { return .failure(Complaint("is the root directory; name a directory of its own")) }
        guard !steps.contains(".."), !steps.contains(".") else {
            return .failure(Complaint("has a '.' or '..' step in its path"))
        }
        return .success("file:///" + steps.joined(separator: "/"))
    }
}
