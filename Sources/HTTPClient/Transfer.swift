import CCurl
import Synchronization

/// One request on its way.
///
/// `@unchecked Sendable` because everything mutable is touched on the loop's thread only, from `EventLoop.start` to
/// `EventLoop.finish`; what other threads may call (`wake`, `cancel`, `outcome`) is constant or guards itself.
@safe final class Transfer: @unchecked Sendable {
    /// Where the answer's body goes.
    enum Sink {
        /// Into the response; more bytes than this fail the request.
        case memory(limit: Int)
        /// Into a buffer if the status is 2xx, else into the response as far as `Transfer.errorBodyLimit`.
        case store(BodyStore)
    }

    /// Bytes kept of the body of an unsuccessful answer to a download: an error in JSON is below 4 KiB.
    static let errorBodyLimit = 64 << 10

    let method: String
    let target: Target
    let headers: [HTTPField]
    let stallTimeout: Duration, pauseTimeout: Duration
    let isDirect: Bool
    let sink: Sink
    /// Whether an answer other than 2xx leaves the sink's buffer for another transfer to fill.
    let leavesStoreOpen: Bool
    /// Fired with the answer, or for a successful download with its head.
    let outcome = OneShot<Result<HTTPResponse, HTTPError>>()
    let loop: EventLoop
    private let isCancelled = Atomic(false)

    var source: RequestSource?
    var parser = HeadParser()
    var collected: [UInt8] = []
    /// Our own reason to stop, which libcurl only knows as an error of a callback.
    var failure: HTTPError?
    /// Whether enough of an unsuccessful answer was read.
    var isTruncated = false
    /// Whether a callback asked libcurl to pause, since this side's other half is not ready.
    var receivingIsPaused = false
    var sendingIsPaused = false
    /// Whether the loop knows that bytes of the answer came.
    var hasReceived = false
    /// Whether the kernel is told to fill segments with this request's body.
    var fillsSegments = false
    /// Callbacks so far: changes whenever bytes moved.
    var activity: UInt64 = 0
    var stall: StallClock

    /// libcurl's handle; nil before the start and after the end.
    var easy: UnsafeMutableRawPointer?
    var fields: UnsafeMutablePointer<curl_slist>?
    /// Where libcurl writes what went wrong.
    var words: UnsafeMutablePointer<CChar>?

    init(_ request: HTTPRequest, target: Target, sink: Sink, leavesStoreOpen: Bool, loop: EventLoop) {
        method = request.method
        self.target = target
        headers = request.headers
        stallTimeout = request.stallTimeout
        isDirect = request.isDirect
        source = RequestSource(request.body)
        self.sink = sink
        self.leavesStoreOpen = leavesStoreOpen
        self.loop = loop
        pauseTimeout = request.pauseTimeout
        stall = StallClock(timeout: request.stallTimeout, pauseTimeout: request.pauseTimeout)
    }

    /// Whether the answer's body flows into the buffer.
    var streams: Bool {
        if case .store = sink, let status = parser.head?.status { (200...299).contains(status) } else { false }
    }

    var bytesSent: Int64 { source?.position ?? 0 }

    /// Bytes of the request's body that libcurl has not asked for yet.
    var bytesToSend: Int64 { source.map { $0.length - $0.position } ?? 0 }

    /// Asks the loop to go on with a paused side; from any thread.
    func wake() { loop.post(.resume(self)) }

    /// Asks the loop to end this transfer; from any thread, also before it starts and after it ended.
    func cancel() {
        isCancelled.store(true, ordering: .relaxed)
        loop.post(.cancel(self))
    }

    /// Whether `cancel` came before the start.
    var wasCancelled: Bool { isCancelled.load(ordering: .relaxed) }
}
