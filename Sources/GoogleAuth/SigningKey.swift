import CCrypto

/// An RSA private key in libcrypto's hands.
///
/// `@unchecked Sendable` is right because the pointer never changes after init, and OpenSSL lets several threads sign with one
/// key at once (OpenSSL docs: openssl-threads(7)).
@safe final class SigningKey: @unchecked Sendable {
    private let handle: OpaquePointer
    private let file: String

    /// - Parameters:
    ///   - pem: `-----BEGIN PRIVATE KEY-----` (PKCS #8) or the older RSA form.
    ///   - file: named in errors.
    /// - Throws: `.badCredentials` if libcrypto cannot read it.
    init(pem: String, file: String) throws(AuthError) {
        var pem = Array(pem.utf8)
        let key = unsafe pem.withUnsafeMutableBytes { bytes -> OpaquePointer? in
            guard let memory = unsafe BIO_new_mem_buf(bytes.baseAddress, Int32(bytes.count)) else { return nil }
            defer { unsafe BIO_free(memory) }
            // The callback answers "no passphrase"; without it libcrypto would ask on the terminal.
            return unsafe PEM_read_bio_PrivateKey(memory, nil, { _, _, _, _ in -1 }, nil)
        }
        for index in pem.indices { pem[index] = 0 }
        guard let key = unsafe key else {
            ERR_clear_error()
            throw AuthError(
                code: .badCredentials,
                message: "The private_key in \(file) is not a key in PEM form: make a new key file."
            )
        }
        self.file = file
        unsafe handle = key
    }

    deinit { unsafe EVP_PKEY_free(handle) }

    /// RSASSA-PKCS1-v1_5 with SHA-256 (RFC 7518: RS256).
    func sign(_ message: [UInt8]) throws(AuthError) -> [UInt8] {
        let context = unsafe EVP_MD_CTX_new()
        defer { unsafe EVP_MD_CTX_free(context) }
        var size = 0
        guard unsafe EVP_DigestSignInit(context, nil, EVP_sha256(), nil, handle) == 1,
            unsafe EVP_DigestSign(context, nil, &size, message, message.count) == 1
        else { throw unusable() }
        var signature = [UInt8](repeating: 0, count: size)
        guard unsafe EVP_DigestSign(context, &signature, &size, message, message.count) == 1 else { throw unusable() }
        return Array(signature.prefix(size))
    }

    private func unusable() -> AuthError {
        ERR_clear_error()
        return AuthError(
            code: .badCredentials,
            message: "The private_key in \(file) cannot sign with RS256: make a new key file."
        )
    }
}
