import CCrypto

/// SHA-256 of a byte string (libcrypto): 32 bytes.
package func sha256(_ bytes: [UInt8]) -> [UInt8] {
    var digest = [UInt8](repeating: 0, count: 32)
    var length: UInt32 = 0
    let done = unsafe EVP_Digest(bytes, bytes.count, &digest, &length, EVP_sha256(), nil)
    // Fails only where memory is gone or SHA-256 has been taken out of libcrypto by its configuration.
    precondition(done == 1 && length == 32, "libcrypto refuses SHA-256: check its configuration (openssl.cnf)")
    return digest
}
