import CCurl
import CTLS

/// How OpenSSL reads and keeps memory beneath libcurl, where it is OpenSSL.
///
/// By itself it reads each record in two calls, five bytes of head first, and libcurl lets it allocate and free its
/// buffers for each record.
enum TLSTuning {
    /// Bytes asked of a socket at once: four whole records.
    ///
    /// A few bytes less, and each second read would be for those (measured).
    private static let readAhead = 4 * greatestRecord

    /// Five bytes of head, 2^14 of content, and at most 256 more (RFC 8446, 5.2).
    private static let greatestRecord = 5 + (16 << 10) + 256

    /// Whether libcurl lets it be tuned.
    static let isPossible = ccurl_speaks_openssl() != 0

    /// - Parameters:
    ///   - easy: the handle.
    ///   - readsAhead: whether the answers on its connection are long, which is worth the memory of it.
    static func configure(_ easy: UnsafeMutableRawPointer, readsAhead: Bool) {
        guard isPossible else { return }
        if readsAhead {
            _ = unsafe ccurl_set_tls(easy, tuneTLSToReadAhead)
        } else {
            _ = unsafe ccurl_set_tls(easy, tuneTLS)
        }
    }

    /// TLS 1.3's ciphers, the cheapest first; OpenSSL by itself asks for AES with 256 bits first.
    ///
    /// All three are beyond reach of any attack. AES with 128 bits is an eighth faster than with 256 where the processor
    /// computes AES (`openssl speed`, AMD EPYC: 3.9 and 3.5 GB/s); where it does not, ChaCha20, which needs no such help,
    /// comes first. A server may insist on an order of its own.
    private static let ciphers =
        ctls_has_aes()
        ? "TLS_AES_128_GCM_SHA256:TLS_AES_256_GCM_SHA384:TLS_CHACHA20_POLY1305_SHA256"
        : "TLS_CHACHA20_POLY1305_SHA256:TLS_AES_128_GCM_SHA256:TLS_AES_256_GCM_SHA384"

    fileprivate static func tune(_ context: OpaquePointer, readsAhead: Bool) {
        _ = unsafe SSL_CTX_set_ciphersuites(context, ciphers)
        if readsAhead { unsafe ctls_read_ahead(context, readAhead) }
        unsafe ctls_keep_buffers(context)
    }

    /// Whether bytes that were read ahead wait inside OpenSSL, where neither poll(2) nor libcurl 7.88 looks for them.
    ///
    /// True also for the first part of a record whose rest has not come.
    static func hasPending(_ easy: UnsafeMutableRawPointer) -> Bool {
        guard isPossible, let session = unsafe ccurl_tls_session(easy) else { return false }
        return unsafe SSL_has_pending(OpaquePointer(session)) == 1
    }
}

/// CURLOPT_SSL_CTX_FUNCTION.
private func tuneTLS(
    _ easy: UnsafeMutableRawPointer?,
    _ context: UnsafeMutableRawPointer?,
    _ user: UnsafeMutableRawPointer?
) -> CURLcode {
    if let context = unsafe context { unsafe TLSTuning.tune(OpaquePointer(context), readsAhead: false) }
    return CURLE_OK
}

/// The same for downloads.
private func tuneTLSToReadAhead(
    _ easy: UnsafeMutableRawPointer?,
    _ context: UnsafeMutableRawPointer?,
    _ user: UnsafeMutableRawPointer?
) -> CURLcode {
    if let context = unsafe context { unsafe TLSTuning.tune(OpaquePointer(context), readsAhead: true) }
    return CURLE_OK
}
