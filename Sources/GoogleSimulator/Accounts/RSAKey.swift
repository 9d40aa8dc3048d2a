import CCrypto
import FoundationEssentials

/// What libcrypto would not do with a key.
struct KeyError: Error, CustomStringConvertible {
    let description: String
}

/// An RSA key of 2048 bits in libcrypto's hands: the service account's, or one that signs ID tokens.
final class RSAKey: Sendable {
    /// PKCS #8, as in the key files that Google hands out.
    let privateKeyPEM: String
    /// What a JWK calls `n`, most significant byte first.
    let modulus: [UInt8]
    /// What a JWK calls `e`.
    let exponent: [UInt8]
    /// SubjectPublicKeyInfo (RFC 5280, section 4.1), as `openssl pkey -pubout` writes it.
    let publicKeyPEM: String
    /// PKCS #1, from which each use makes its own key object.
    private let der: [UInt8]

    init() throws(KeyError) {
        var der: [UInt8] = []
        guard let context = unsafe EVP_PKEY_CTX_new_from_name(nil, "RSA", nil) else {
            throw KeyError(description: "libcrypto makes no RSA keys")
        }
        defer { unsafe EVP_PKEY_CTX_free(context) }
        var key: OpaquePointer?
        guard unsafe EVP_PKEY_keygen_init(context) == 1,
            unsafe EVP_PKEY_CTX_ctrl_str(context, "rsa_keygen_bits", "2048") == 1,
            unsafe EVP_PKEY_generate(context, &key) == 1, let key = unsafe key
        else { throw KeyError(description: "libcrypto made no RSA key") }
        defer { unsafe EVP_PKEY_free(key) }
        let size = unsafe i2d_PrivateKey(key, nil)
        guard size > 0 else { throw KeyError(description: "libcrypto wrote no RSA key") }
        der = [UInt8](repeating: 0, count: Int(size))
        unsafe der.withUnsafeMutableBufferPointer { buffer in
            var cursor = buffer.baseAddress
            _ = unsafe i2d_PrivateKey(key, &cursor)
        }
        self.der = der
        privateKeyPEM = pem("PRIVATE KEY", pkcs8(der))
        // RFC 8017, appendix A.1.2: version, modulus, public exponent, and then the private part.
        let numbers = integers(der, 3)
        modulus = numbers[1]
        exponent = numbers[2]
        let publicKey = element(0x30, integer(modulus) + integer(exponent))
        // A BIT STRING begins with the number of bits that its last byte does not use.
        publicKeyPEM = pem("PUBLIC KEY", element(0x30, rsaEncryption + element(0x03, [0] + publicKey)))
    }

    /// RS256: RSA, PKCS #1 v1.5, SHA-256.
    func sign(_ text: [UInt8]) throws(KeyError) -> [UInt8] {
        guard let key = unsafe object(), let context = unsafe EVP_MD_CTX_new() else {
            throw KeyError(description: "libcrypto did not read its own key")
        }
        defer {
            unsafe EVP_MD_CTX_free(context)
            unsafe EVP_PKEY_free(key)
        }
        var size = 0
        guard unsafe EVP_DigestSignInit(context, nil, EVP_sha256(), nil, key) == 1,
            unsafe EVP_DigestSign(context, nil, &size, text, text.count) == 1
        else { throw KeyError(description: "libcrypto does not sign") }
        var signature = [UInt8](repeating: 0, count: size)
        guard unsafe EVP_DigestSign(context, &signature, &size, text, text.count) == 1 else {
            throw KeyError(description: "libcrypto made no signature")
        }
        return Array(signature.prefix(size))
    }

    /// Whether an RS256 signature of a text was made with this key.
    func verifies(_ signature: [UInt8], of text: [UInt8]) -> Bool {
        guard let key = unsafe object(), let context = unsafe EVP_MD_CTX_new() else { return false }
        defer {
            unsafe EVP_MD_CTX_free(context)
            unsafe EVP_PKEY_free(key)
        }
        guard unsafe EVP_DigestVerifyInit(context, nil, EVP_sha256(), nil, key) == 1 else { return false }
        return unsafe EVP_DigestVerify(context, signature, signature.count, text, text.count) == 1
    }

    private func object() -> OpaquePointer? {
        unsafe der.withUnsafeBufferPointer { buffer in
            var cursor = buffer.baseAddress
            return unsafe d2i_AutoPrivateKey(nil, &cursor, buffer.count)
        }
    }
}

/// HS256: HMAC with SHA-256 (RFC 2104).
func hmacSHA256(_ text: [UInt8], secret: [UInt8]) throws(KeyError) -> [UInt8] {
    var mark = [UInt8](repeating: 0, count: 32)
    var size = 0
    let made = unsafe EVP_Q_mac(
        nil,
        "HMAC",
        nil,
        "SHA256",
        nil,
        secret,
        secret.count,
        text,
        text.count,
        &mark,
        mark.count,
        &size
    )
    guard unsafe made != nil, size == mark.count else { throw KeyError(description: "libcrypto made no HMAC") }
    return mark
}

/// Wraps a PKCS #1 RSA key as PKCS #8 (RFC 5208: version 0, rsaEncryption, the key as octets).
private func pkcs8(_ key: [UInt8]) -> [UInt8] {
    element(0x30, [0x02, 0x01, 0x00] + rsaEncryption + element(0x04, key))
}

/// The algorithm of an RSA key, in DER (RFC 8017, appendix A.1).
private let rsaEncryption: [UInt8] = [
    0x30, 0x0D, 0x06, 0x09, 0x2A, 0x86, 0x48, 0x86, 0xF7, 0x0D, 0x01, 0x01, 0x01, 0x05, 0x00,
]

/// A DER integer that is not negative.
private func integer(_ digits: [UInt8]) -> [UInt8] {
    element(0x02, (digits.first.map { $0 > 127 } ?? true ? [0] : []) + digits)
}

/// One DER element with a length of at most two bytes.
private func element(_ tag: UInt8, _ content: [UInt8]) -> [UInt8] {
    let count = content.count
    if count < 128 { return [tag, UInt8(count)] + content }
    if count < 256 { return [tag, 0x81, UInt8(count)] + content }
    return [tag, 0x82, UInt8(count >> 8), UInt8(count & 255)] + content
}

/// The first integers of a DER sequence, without leading zeros.
private func integers(_ der: [UInt8], _ count: Int) -> [[UInt8]] {
    var place = 0
    func header() -> Int {
        let first = Int(der[place + 1])
        place += 2
        guard first > 127 else { return first }
        let length = der[place..<place + first - 128].reduce(0) { $0 << 8 | Int($1) }
        place += first - 128
        return length
    }
    _ = header()
    return (0..<count).map { _ in
        let length = header()
        defer { place += length }
        return Array(der[place..<place + length].drop { $0 == 0 })
    }
}

private func pem(_ label: String, _ der: [UInt8]) -> String {
    let body = Data(der).base64EncodedString(options: [.lineLength64Characters, .endLineWithLineFeed])
    return "-----BEGIN \(label)-----\n\(body)\n-----END \(label)-----\n"
}
