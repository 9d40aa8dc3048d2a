import CCrypto
import Checksums

/// Checksums over bytes that pass by, which can be set back to a mark.
@safe final class RunningDigest {
    private(set) var crc = CRC32C()
    private(set) var count: Int64 = 0
    private let md5: OpaquePointer?
    private let marked: OpaquePointer?
    private var markedCRC = CRC32C()
    private(set) var markedCount: Int64 = 0

    /// - Parameter hasMD5: MD5 costs more than all the rest; a benchmark may do without.
    init(hasMD5: Bool) {
        unsafe md5 = hasMD5 ? EVP_MD_CTX_new() : nil
        unsafe marked = hasMD5 ? EVP_MD_CTX_new() : nil
        if hasMD5 { _ = unsafe EVP_DigestInit_ex(md5, EVP_md5(), nil) }
        mark()
    }

    deinit {
        unsafe EVP_MD_CTX_free(md5)
        unsafe EVP_MD_CTX_free(marked)
    }

    func consume(_ bytes: UnsafeRawBufferPointer) {
        guard bytes.count > 0 else { return }
        unsafe crc.consume(bytes)
        if let md5 = unsafe md5 { _ = unsafe EVP_DigestUpdate(md5, bytes.baseAddress, bytes.count) }
        count += Int64(bytes.count)
    }

    /// Remembers this place.
    func mark() {
        markedCRC = crc
        markedCount = count
        if let md5 = unsafe md5 { _ = unsafe EVP_MD_CTX_copy_ex(marked, md5) }
    }

    /// Forgets what came after the mark.
    func rewind() {
        crc = markedCRC
        count = markedCount
        if let md5 = unsafe md5 { _ = unsafe EVP_MD_CTX_copy_ex(md5, marked) }
    }

    /// The MD5 so far; nil if there is none.
    ///
    /// More bytes may follow; the mark is here then.
    func currentMD5() -> [UInt8]? {
        defer { mark() }
        guard let md5 = unsafe md5 else { return nil }
        var digest = [UInt8](repeating: 0, count: 16)
        _ = unsafe EVP_MD_CTX_copy_ex(marked, md5)
        _ = unsafe EVP_DigestFinal_ex(marked, &digest, nil)
        return digest
    }
}
