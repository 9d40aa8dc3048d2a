import CCrypto

/// A secret that callers show as a bearer token; only its SHA-256 is kept.
package struct SharedSecret: Sendable {
    private let digest: [UInt8]

    /// Fewest and most bytes of a secret.
    package static let lengths = 16...512

    /// Reads a file that holds the secret in one line.
    ///
    /// - Throws: `.badCredentials` if there is no such file, if others may read it, or if what it holds cannot be one.
    package init(file path: String) throws(AuthError) {
        let file = SecretFile(path: path, noun: "secret file", remedy: "write another secret into it.")
        guard let content = try file.read(atMost: Self.lengths.upperBound + 2) else {
            throw file.fault("is not there: make it with 'umask 077; openssl rand -hex 32 > \(path)'.")
        }
        var line = content[...]
        if line.last == 0x0A { line.removeLast() }
        if line.last == 0x0D { line.removeLast() }
        // What a header field can carry as one word.
        guard Self.lengths.contains(line.count), line.allSatisfy({ (0x21...0x7E).contains($0) }) else {
            throw file.fault(
                "must hold one line of \(Self.lengths.lowerBound) to \(Self.lengths.upperBound) visible ASCII characters "
                    + "without spaces: make it with 'umask 077; openssl rand -hex 32 > \(path)'."
            )
        }
        digest = sha256(Array(line))
    }

    /// Whether a caller shows this secret; takes as long for any that is wrong.
    package func matches(_ shown: String) -> Bool {
        let other = sha256(Array(shown.utf8))
        return unsafe CRYPTO_memcmp(digest, other, digest.count) == 0
    }
}
