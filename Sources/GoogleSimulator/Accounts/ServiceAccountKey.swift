import CCrypto
import FoundationEssentials

/// Why a key could not be made.
struct KeyError: Error, CustomStringConvertible {
    let description: String
}

/// The RSA key of the simulated service account (libcrypto).
final class ServiceAccountKey: Sendable {
    /// PKCS #8, as in the key files that Google hands out.
    let privateKeyPEM: String
    /// PKCS #1, from which each check makes its own key object.
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
    }

    /// Whether a signature (RS256: RSA, PKCS #1 v1.5, SHA-256) of a text was made with this key.
    func verifies(_ signature: [UInt8], of text: [UInt8]) -> Bool {
        let key: OpaquePointer? = unsafe der.withUnsafeBufferPointer { buffer in
            var cursor = buffer.baseAddress
            return unsafe d2i_AutoPrivateKey(nil, &cursor, buffer.count)
        }
        guard let key = unsafe key, let context = unsafe EVP_MD_CTX_new() else { return false }
        defer {
            unsafe EVP_MD_CTX_free(context)
            unsafe EVP_PKEY_free(key)
        }
        guard unsafe EVP_DigestVerifyInit(context, nil, EVP_sha256(), nil, key) == 1 else { return false }
        return unsafe EVP_DigestVerify(context, signature, signature.count, text, text.count) == 1
    }
}

/// Wraps a PKCS #1 RSA key as PKCS #8 (RFC 5208: version 0, rsaEncryption, the key as octets).
private func pkcs8(_ key: [UInt8]) -> [UInt8] {
    let algorithm: [UInt8] = [
        0x30, 0x0D, 0x06, 0x09, 0x2A, 0x86, 0x48, 0x86, 0xF7, 0x0D, 0x01, 0x01, 0x01, 0x05, 0x00,
    ]
    return element(0x30, [0x02, 0x01, 0x00] + algorithm + element(0x04, key))
}

/// One DER element with a length of at most two bytes.
private func element(_ tag: UInt8, _ content: [UInt8]) -> [UInt8] {
    let count = content.count
    if count < 128 { return [tag, UInt8(count)] + content }
    if count < 256 { return [tag, 0x81, UInt8(count)] + content }
    return [tag, 0x82, UInt8(count >> 8), UInt8(count & 255)] + content
}

private func pem(_ label: String, _ der: [UInt8]) -> String {
    let body = Data(der).base64EncodedString(options: [.lineLength64Characters, .endLineWithLineFeed])
    return "-----BEGIN \(label)-----\n\(body)\n-----END \(label)-----\n"
}
