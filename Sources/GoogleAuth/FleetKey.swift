import CCrypto
import FoundationEssentials

#if canImport(Glibc)
import Glibc
#else
import Darwin
#endif

/// The key that seals what a fleet keeps of logins: 32 bytes in a file that each host has a copy of.
package struct FleetKey: Sendable {
    private let bytes: [UInt8]
    /// The file's path, for errors.
    package let path: String
    /// Says which key sealed something, and nothing of the key: eight bytes of its SHA-256, in hexadecimal.
    package let id: String

    private static let head = "coldroll-key-1 "

    private init(bytes: [UInt8], path: String) {
        self.bytes = bytes
        self.path = path
        let digits = Array("0123456789abcdef")
        id = String(sha256(bytes).prefix(8).flatMap { [digits[Int($0 >> 4)], digits[Int($0 & 15)]] })
    }

    /// Reads the key; nil if there is no such file.
    ///
    /// - Throws: `.badCredentials` if others may read it, or if it is no key.
    package static func load(_ path: String) throws(AuthError) -> FleetKey? {
        let file = SecretFile(
            path: path,
            noun: "key file",
            remedy: "run 'coldroll logout', remove it, and log in again."
        )
        guard let content = try file.read(atMost: 256) else { return nil }
        guard let text = String(validating: content, as: UTF8.self), text.hasPrefix(head),
            let bytes = GoogleAuth.bytes(base64URL: text.dropFirst(head.count).prefix { !$0.isNewline }),
            bytes.count == 32
        else {
            throw fault(
                "The key file \(path) holds no key of coldroll's: copy the one of the host where coldroll login made it."
            )
        }
        return FleetKey(bytes: bytes, path: path)
    }

    /// Reads the key, or makes one that only this user can read.
    ///
    /// - Throws: `.badCredentials` where neither is possible.
    package static func loadOrMake(_ path: String) throws(AuthError) -> FleetKey {
        if let key = try load(path) { return key }
        makeFolder(of: path)
        // Whole or not at all: it is written beside its name, and linked to it only where nobody was first.
        let temporary = "\(path).\(UUID().uuidString)"
        let descriptor = unsafe open(temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else {
            throw fault("The key file \(path) cannot be made: \(unsafe String(cString: strerror(errno))).")
        }
        defer { unsafe unlink(temporary) }
        let text = Array((head + base64URL(randomBytes(32)) + "\n").utf8)
        let written = unsafe write(descriptor, text, text.count) == text.count && fsync(descriptor) == 0
        close(descriptor)
        guard written, unsafe link(temporary, path) == 0 || errno == EEXIST, let key = try load(path) else {
            throw fault("The key file \(path) cannot be written: \(unsafe String(cString: strerror(errno))).")
        }
        // Before anything is sealed with it: a login outlives a power cut, and must not outlive its key.
        try keep(folderOf: path)
        return key
    }

    /// Its name is on the disk when this returns.
    private static func keep(folderOf path: String) throws(AuthError) {
        let folder = folder(of: path)
        let descriptor = unsafe open(folder.isEmpty ? "/" : folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        defer { if descriptor >= 0 { close(descriptor) } }
        // Some file systems have nothing to write for a folder, and say so by EINVAL.
        guard descriptor >= 0, fsync(descriptor) == 0 || errno == EINVAL else {
            throw fault(
                "The folder of the key file \(path) cannot be written: \(unsafe String(cString: strerror(errno)))."
            )
        }
    }

    private static func folder(of path: String) -> String {
        path.split(separator: "/", omittingEmptySubsequences: false).dropLast().joined(separator: "/")
    }

    /// For its owner only; that it cannot be made shows when the file is.
    private static func makeFolder(of path: String) {
        try? FileManager.default.createDirectory(
            atPath: folder(of: path),
            withIntermediateDirectories: true,
            attributes: [.posixPermissions: 0o700]
        )
    }

    private static func fault(_ message: String) -> AuthError { AuthError(code: .badCredentials, message: message) }

    /// AES-256-GCM: nonce (12 bytes), ciphertext, tag (16 bytes), in base64 for URLs.
    ///
    /// `context` is bound to it: it opens nowhere else.
    package func seal(_ plain: [UInt8], context: String) -> String {
        let nonce = randomBytes(12)
        let aad = Array(context.utf8)
        guard let cipher = unsafe EVP_CIPHER_CTX_new() else { preconditionFailure("libcrypto has no memory") }
        defer { unsafe EVP_CIPHER_CTX_free(cipher) }
        var (sealed, tag) = ([UInt8](repeating: 0, count: plain.count + 16), [UInt8](repeating: 0, count: 16))
        var (count, rest) = (Int32(0), Int32(0))
        let done =
            unsafe EVP_EncryptInit_ex(cipher, EVP_aes_256_gcm(), nil, bytes, nonce) == 1
            && EVP_EncryptUpdate(cipher, nil, &rest, aad, Int32(aad.count)) == 1
            && EVP_EncryptUpdate(cipher, &sealed, &count, plain, Int32(plain.count)) == 1
            && EVP_EncryptFinal_ex(cipher, &tag, &rest) == 1
            && EVP_CIPHER_CTX_ctrl(cipher, EVP_CTRL_GCM_GET_TAG, 16, &tag) == 1
        precondition(done, "libcrypto has no AES-256-GCM")
        return base64URL(nonce + sealed.prefix(Int(count)) + tag)
    }

    /// nil if it was changed, was sealed with another key, or belongs elsewhere.
    package func unseal(_ text: String, context: String) -> [UInt8]? {
        guard let all = GoogleAuth.bytes(base64URL: text), all.count >= 28 else { return nil }
        let (nonce, sealed) = (Array(all.prefix(12)), Array(all.dropFirst(12).dropLast(16)))
        var tag = Array(all.suffix(16))
        let aad = Array(context.utf8)
        guard let cipher = unsafe EVP_CIPHER_CTX_new() else { return nil }
        defer {
            unsafe EVP_CIPHER_CTX_free(cipher)
            ERR_clear_error()
        }
        var plain = [UInt8](repeating: 0, count: sealed.count + 16)
        var (count, rest) = (Int32(0), Int32(0))
        let done =
            unsafe EVP_DecryptInit_ex(cipher, EVP_aes_256_gcm(), nil, bytes, nonce) == 1
            && EVP_DecryptUpdate(cipher, nil, &rest, aad, Int32(aad.count)) == 1
            && EVP_DecryptUpdate(cipher, &plain, &count, sealed, Int32(sealed.count)) == 1
            && EVP_CIPHER_CTX_ctrl(cipher, EVP_CTRL_GCM_SET_TAG, 16, &tag) == 1
        var scratch = [UInt8](repeating: 0, count: 16)
        guard done, unsafe EVP_DecryptFinal_ex(cipher, &scratch, &rest) == 1 else { return nil }
        return Array(plain.prefix(Int(count)))
    }
}
