import CCurl
import Synchronization

/// The thread that owns one `curl_multi` and every transfer in it.
///
/// It drives libcurl by `curl_multi_socket_action`, which looks at the sockets that are ready only: `curl_multi_perform`
/// asks the kernel about each transfer each time, which at 64 splices of 1 MB/s took a fifth more CPU time (measured).
///
/// `@unchecked Sendable` because the handles and lists are touched on the loop's own thread only, from `run` on; other
/// threads reach the inbox, which has a lock, and `Sockets.wake`.
@safe final class EventLoop: @unchecked Sendable {
    let configuration: HTTPClient.Configuration
    let tally = Tally()
    let pace = PaceMeter()
    private let inbox = Mutex(Inbox())
    private let sockets = Sockets()
    private let multi: UnsafeMutableRawPointer
    /// By the address of the handle.
    private var transfers: [UInt: Transfer] = [:]
    /// Handles without a transfer, whose allocations serve the next one.
    private var idle = unsafe [UnsafeMutableRawPointer]()
    private var nextLook = ContinuousClock.now
    /// Sockets whose upload was handed to libcurl to its last byte.
    private var ended: [curl_socket_t] = []
    /// Transfers that received something since their read-ahead was looked at.
    private var readers: [Transfer] = []

    /// Records that one transfer may take in a row from what was read ahead, before sockets get their turn.
    private static let readAheadRounds = 4

    /// Handles kept for reuse; beyond, making one anew (about 20 µs) costs less than the memory.
    private static let idleHandles = 32

    /// Whether a handle may serve a second transfer: from libcurl 8.2 on.
    ///
    /// Before, a head whose first line is folded makes libcurl write to memory that it freed with the head of the transfer
    /// before (curl#11103): any server could.
    private static let reusesHandles = ccurl_version() >= 0x080200

    private static let initialized = curl_global_init(Int(CURL_GLOBAL_DEFAULT)) == CURLE_OK

    init(_ configuration: HTTPClient.Configuration) {
        precondition(Self.initialized, "libcurl cannot be initialised")
        guard let multi = unsafe curl_multi_init() else {
            preconditionFailure("libcurl has no memory for a multi handle")
        }
        unsafe self.multi = unsafe multi
        self.configuration = configuration
        // libcurl borrows `sockets` until curl_multi_cleanup in deinit.
        let context = unsafe Unmanaged.passUnretained(sockets).toOpaque()
        _ = unsafe ccurl_multi_set_socket(multi, watchSocket, context)
        _ = unsafe ccurl_multi_set_timer(multi, setTimer, context)
        _ = unsafe ccurl_multi_set_long(multi, CURLMOPT_MAXCONNECTS, configuration.idleConnections)
        // One request at a time on a connection: HTTP/1.1 without pipelining.
        _ = unsafe ccurl_multi_set_long(multi, CURLMOPT_PIPELINING, Int(CURLPIPE_NOTHING))
    }

    deinit {
        while let easy = unsafe idle.popLast() { unsafe curl_easy_cleanup(easy) }
        _ = unsafe curl_multi_cleanup(multi)
    }

    /// Hands a command over; after `close`, a new transfer fails at once.
    func post(_ command: Inbox.Command) {
        let (isClosed, wakes) = inbox.withLock { ($0.isClosed, $0.isClosed ? false : $0.add(command)) }
        if isClosed, case .start(let transfer) = command { deliver(.failure(.cancelled), to: transfer) }
        if wakes { sockets.wake() }
    }

    /// Ends the thread, after failing what is in flight.
    func close() {
        if inbox.withLock({ $0.close() }) { sockets.wake() }
    }

    /// The thread's whole life.
    func run() {
        while true {
            let (commands, isClosed) = inbox.withLock { ($0.takeAll(), $0.isClosed) }
            for command in commands { carryOut(command) }
            if isClosed { break }
            driveTimers()
            collectFinished()
            lookForStalls()
            pushEnds()
            // Even with more to do at once, sockets get their turn: two halves could keep each other busy for ever.
            let mayWait = inbox.withLock { $0.beginWaiting() } && readers.isEmpty
            if mayWait { pace.beginWait() }
            sockets.wait(milliseconds: mayWait ? timeToNextLook() : 0)
            if mayWait { pace.endWait() }
            inbox.withLock { $0.endWaiting() }
            driveSockets()
            drainReadAhead()
        }
        for transfer in transfers.values { finish(transfer, CURLE_OK, failure: .cancelled) }
    }

    private func driveTimers() {
        guard sockets.takeTimer() else { return }
        var running: Int32 = 0
        _ = unsafe curl_multi_socket_action(multi, CURL_SOCKET_BAD, 0, &running)
    }

    private func driveSockets() {
        var running: Int32 = 0
        for ready in sockets.ready {
            _ = unsafe curl_multi_socket_action(multi, ready.socket, ready.events, &running)
        }
    }

    /// Goes on with what was read ahead of transfers that have just received something: no socket tells of it.
    private func drainReadAhead() {
        var running: Int32 = 0
        for _ in 0..<Self.readAheadRounds where !readers.isEmpty {
            let round = readers
            readers.removeAll(keepingCapacity: true)
            for transfer in round {
                transfer.hasReceived = false
                guard let easy = unsafe transfer.easy, !transfer.receivingIsPaused, unsafe TLSTuning.hasPending(easy),
                    let socket = sockets.socket(of: UInt(bitPattern: easy))
                else { continue }
                _ = unsafe curl_multi_socket_action(multi, socket, CURL_CSELECT_IN, &running)
            }
        }
    }

    /// Notes that bytes of an answer came; called by the callbacks.
    func received(_ transfer: Transfer) {
        guard !transfer.hasReceived else { return }
        transfer.hasReceived = true
        readers.append(transfer)
    }

    /// Lets the kernel fill segments while a long body is sent, and send what is left at its end; called by the callbacks.
    ///
    /// OpenSSL writes record by record, and each would travel as a segment of its own, with its own acknowledgement, where
    /// nothing on the way limits the sender.
    func sends(_ transfer: Transfer) {
        let isLong = transfer.bytesToSend > 0
        guard isLong != transfer.fillsSegments, let easy = unsafe transfer.easy,
            let socket = sockets.socket(of: UInt(bitPattern: easy))
        else { return }
        transfer.fillsSegments = isLong
        if isLong { ccurl_set_nodelay(socket, 0) } else { ended.append(socket) }
    }

    /// Sends what the kernel holds back of bodies whose last byte was handed over.
    private func pushEnds() {
        for socket in ended { ccurl_set_nodelay(socket, 1) }
        ended.removeAll(keepingCapacity: true)
    }

    private func carryOut(_ command: Inbox.Command) {
        switch command {
        case .start(let transfer): start(transfer)
        case .resume(let transfer): resume(transfer)
        case .cancel(let transfer): finish(transfer, CURLE_OK, failure: .cancelled)
        }
    }

    private func start(_ transfer: Transfer) {
        guard !transfer.wasCancelled else { return deliver(.failure(.cancelled), to: transfer) }
        if case .store(let store) = transfer.sink, let error = store.attach(transfer) {
            return deliver(.failure(error), to: transfer)
        }
        guard let easy = unsafe idle.popLast() ?? curl_easy_init() else {
            let message = "There is no memory for a request to \(transfer.target.host)."
            return deliver(.failure(HTTPError(code: .cannotConnect, message: message)), to: transfer)
        }
        unsafe transfer.configure(easy, configuration)
        transfers[UInt(bitPattern: easy)] = transfer
        _ = unsafe curl_multi_add_handle(multi, easy)
        nextLook = min(nextLook, .now + transfer.stall.interval)
    }

    /// Goes on with whatever a callback paused; if it cannot yet, the callback pauses again.
    private func resume(_ transfer: Transfer) {
        guard let easy = unsafe transfer.easy, transfer.receivingIsPaused || transfer.sendingIsPaused else { return }
        transfer.receivingIsPaused = false
        transfer.sendingIsPaused = false
        let code = unsafe curl_easy_pause(easy, CURLPAUSE_CONT)
        if code != CURLE_OK { finish(transfer, code) }
    }

    private func collectFinished() {
        var left: Int32 = 0
        while let message = unsafe curl_multi_info_read(multi, &left) {
            guard unsafe message.pointee.msg == CURLMSG_DONE, let easy = unsafe message.pointee.easy_handle,
                let transfer = transfers[UInt(bitPattern: easy)]
            else { continue }
            unsafe finish(transfer, message.pointee.data.result)
        }
    }

    /// Takes the handle off and says how it ended; does nothing for a transfer that already ended.
    private func finish(_ transfer: Transfer, _ code: CURLcode, failure: HTTPError? = nil) {
        guard let easy = unsafe transfer.easy else { return }
        let result = transfer.result(code, failure: failure)
        unsafe tally.add(transfer, easy)
        transfers[UInt(bitPattern: easy)] = nil
        _ = unsafe curl_multi_remove_handle(multi, easy)
        transfer.release()
        // libcurl keeps a failed transfer's buffer even over a reset, and then refuses CURLOPT_BUFFERSIZE.
        if Self.reusesHandles, code == CURLE_OK, failure == nil, unsafe idle.count < Self.idleHandles {
            unsafe curl_easy_reset(easy)
            unsafe idle.append(easy)
        } else {
            unsafe curl_easy_cleanup(easy)
        }
        deliver(result, to: transfer)
    }

    private func deliver(_ result: Result<HTTPResponse, HTTPError>, to transfer: Transfer) {
        if case .store(let store) = transfer.sink {
            if transfer.leavesStoreOpen, case .success = result, !transfer.streams {
                store.detach()
            } else {
                store.finish(transfer.bodyError(result))
            }
        }
        transfer.outcome.fire(result)
    }

    private func lookForStalls() {
        let now = ContinuousClock.now
        guard now >= nextLook else { return }
        nextLook = now + .seconds(1)
        for transfer in transfers.values {
            let isPaused = transfer.receivingIsPaused || transfer.sendingIsPaused
            if transfer.stall.isStalled(transfer.reading(sockets), isPaused: isPaused, now: now) {
                let host = transfer.target.host
                let message =
                    isPaused
                    ? "The transfer with \(host) waited \(transfer.pauseTimeout) for its other half, and was given up."
                    : "\(host) let no byte through for \(transfer.stallTimeout)."
                finish(
                    transfer,
                    CURLE_OK,
                    failure: HTTPError(code: .stalled, message: message, bytesSent: transfer.bytesSent)
                )
            } else {
                nextLook = min(nextLook, now + transfer.stall.interval)
            }
        }
    }

    /// Milliseconds until a stall may show; -1 without any transfer.
    private func timeToNextLook() -> Int32 {
        guard !transfers.isEmpty else { return -1 }
        return Int32(clamping: max(0, ContinuousClock.now.duration(to: nextLook).milliseconds) + 1)
    }
}

extension Duration {
    /// Whole milliseconds, rounded down.
    var milliseconds: Int64 { components.seconds * 1000 + components.attoseconds / 1_000_000_000_000_000 }
}
