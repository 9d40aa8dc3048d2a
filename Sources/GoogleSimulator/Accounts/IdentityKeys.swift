import Synchronization

/// The keys that sign ID tokens, and what of them is published.
final class IdentityKeys: Sendable {
    /// A key and the name by which a token's header means it.
    struct Key: Sendable {
        let id: String
        let pair: RSAKey

        init() throws(KeyError) {
            id = hexadecimal((0..<20).map { _ in UInt8.random(in: 0...255) })
            pair = try RSAKey()
        }
    }

    // Oldest first; the last one signs. The first is made when it is needed, since most runs need none.
    private let keys = Mutex<[Key]>([])

    /// The key that signs now.
    func current() throws(KeyError) -> Key {
        try keys.withLock { (keys) throws(KeyError) -> Key in
            if let last = keys.last { return last }
            let first = try Key()
            keys.append(first)
            return first
        }
    }

    /// Another key signs from now on; the one before stays published, so that its tokens live on.
    func rotate() throws(KeyError) {
        _ = try current()
        let next = try Key()
        keys.withLock { $0 = Array($0.suffix(1)) + [next] }
    }

    /// A JSON Web Key Set (RFC 7517), as Google publishes it: the key that signs is not the first one.
    func published() throws(KeyError) -> JSONValue {
        _ = try current()
        let all = keys.withLock { $0 }
        return .members(
            (
                "keys",
                .array(
                    all.map { key in
                        .members(
                            ("kty", .string("RSA")),
                            ("alg", .string("RS256")),
                            ("use", .string("sig")),
                            ("kid", .string(key.id)),
                            ("n", .string(base64URL(key.pair.modulus))),
                            ("e", .string(base64URL(key.pair.exponent)))
                        )
                    }
                )
            )
        )
    }
}
