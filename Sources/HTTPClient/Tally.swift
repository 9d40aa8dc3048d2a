import CCurl
import Synchronization

/// Counts what went through the loop; written on its thread, read from any.
final class Tally: Sendable {
    private let counters = Mutex(HTTPClient.Counters())

    var current: HTTPClient.Counters { counters.withLock { $0 } }

    /// Adds a transfer that ended.
    func add(_ transfer: Transfer, _ easy: UnsafeMutableRawPointer) {
        var (received, sent, connections): (curl_off_t, curl_off_t, Int) = (0, 0, 0)
        _ = unsafe ccurl_get_offset(easy, CURLINFO_SIZE_DOWNLOAD_T, &received)
        _ = unsafe ccurl_get_offset(easy, CURLINFO_SIZE_UPLOAD_T, &sent)
        _ = unsafe ccurl_get_long(easy, CURLINFO_NUM_CONNECTS, &connections)
        counters.withLock { counters in
            counters.requests += 1
            counters.bytesIn += Int64(received)
            counters.bytesOut += Int64(sent)
            counters.connections += connections
        }
    }
}
