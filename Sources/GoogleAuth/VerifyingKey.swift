import CCrypto

/// An RSA public key in libcrypto's hands.
///
/// `@unchecked Sendable` is right because the pointer never changes after init, and OpenSSL lets several threads verify with
/// one key at once (OpenSSL docs: openssl-threads(7)).
@safe final class VerifyingKey: @unchecked Sendable {
    private let handle: OpaquePointer

    /// Fewest and most bits that are taken (NIST SP 800-131A: 2048 and more).
    private static let sizes = 2048...8192

    /// nil if these make no key that is strong enough.
    ///
    /// - Parameters:
    ///   - modulus: what a JWK calls `n`, most significant byte first.
    ///   - exponent: what it calls `e`.
    init?(modulus: [UInt8], exponent: [UInt8]) {
        guard modulus.count <= Self.sizes.upperBound / 8 + 1, (1...8).contains(exponent.count) else { return nil }
        // RFC 8017, appendix A.1.1: RSAPublicKey ::= SEQUENCE { modulus, publicExponent }.
        let der = Self.element(0x30, Self.integer(modulus) + Self.integer(exponent))
        let key = unsafe der.withUnsafeBufferPointer { buffer -> OpaquePointer? in
            var cursor = buffer.baseAddress
            return unsafe d2i_PublicKey(EVP_PKEY_RSA, nil, &cursor, buffer.count)
        }
        guard let key = unsafe key else {
            ERR_clear_error()
            return nil
        }
        guard unsafe Self.sizes.contains(Int(EVP_PKEY_get_bits(key))) else {
            unsafe EVP_PKEY_free(key)
            return nil
        }
        unsafe handle = key
    }

    deinit { unsafe EVP_PKEY_free(handle) }

    /// Whether this is an RSASSA-PKCS1-v1_5 signature with SHA-256 (RFC 7518: RS256) of the message by this key.
    func verifies(_ signature: [UInt8], of message: [UInt8]) -> Bool {
        let context = unsafe EVP_MD_CTX_new()
        defer {
            unsafe EVP_MD_CTX_free(context)
            ERR_clear_error()
        }
        guard unsafe EVP_DigestVerifyInit(context, nil, EVP_sha256(), nil, handle) == 1 else { return false }
        return unsafe EVP_DigestVerify(context, signature, signature.count, message, message.count) == 1
    }

    /// A DER integer that is not negative.
    private static func integer(_ bytes: [UInt8]) -> [UInt8] {
        let digits = bytes.drop { $0 == 0 }
        return element(0x02, (digits.first.map { $0 > 127 } ?? true ? [0] : []) + digits)
    }

    /// A DER element with a length of at most two bytes.
    private static func element(_ tag: UInt8, _ content: [UInt8]) -> [UInt8] {
        let count = content.count
        if count < 128 { return [tag, UInt8(count)] + content }
        if count < 256 { return [tag, 0x81, UInt8(count)] + content }
        return [tag, 0x82, UInt8(count >> 8), UInt8(count & 255)] + content
    }
}
