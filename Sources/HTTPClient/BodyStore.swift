import Checksums
import Synchronization

/// What a `BodyBuffer` shares with the transfers that fill and drain it; lives on while one of them does.
///
/// Calls from the loop's thread never wait: a side that cannot go on is parked here, and resumed through its own loop.
@safe final class BodyStore: Sendable {
    private let budget: ByteBudget
    private let observe: (@Sendable (UnsafeRawBufferPointer) -> Void)?
    private let state: Mutex<BodyState>

    /// Takes over `allowance` blocks that the caller has reserved in the budget, and gives them back.
    init(budget: ByteBudget, allowance: Int, observe: (@Sendable (UnsafeRawBufferPointer) -> Void)?) {
        self.budget = budget
        unsafe self.observe = observe
        state = Mutex(BodyState(budget: budget, allowance: allowance))
    }

    var allowance: Int { state.withLock { $0.allowance } * ByteBudget.block }
    var received: Int64 { state.withLock { $0.received } }
    var available: Int { state.withLock { $0.queue.count } }
    var crc32c: CRC32C { state.withLock { $0.crc32c } }
    var hasEnded: Bool { state.withLock { $0.hasEnded } }
}

// MARK: - Transfers, on their loop's thread

extension BodyStore {
    enum Fill { case taken, full, refused }

    enum Drain { case bytes(Int), starved, broken }

    /// Registers the one download of this buffer.
    /// - Returns: nil, or why there is nothing left to fill.
    func attach(_ transfer: Transfer) -> HTTPError? {
        state.withLock { $0.attach(transfer) }
    }

    /// Takes leave of a download that brought no body, so that another may come.
    func detach() {
        state.withLock { $0.detach() }
    }

    /// Takes the next bytes of the body.
    ///
    /// `.full` parks the download. As much as fits is taken even then; the same bytes are expected again afterwards, since
    /// libcurl delivers what a callback refused once more (CURLOPT_WRITEFUNCTION, CURL_WRITEFUNC_PAUSE).
    func fill(_ bytes: UnsafeRawBufferPointer) -> Fill {
        guard let observe = unsafe observe else {
            return state.withLock { unsafe $0.append($0.next(of: bytes.count), of: bytes) }
        }
        // Called outside the lock, since it is not ours; what fits now still fits afterwards, as nobody else fills.
        let next = state.withLock { $0.next(of: bytes.count) }
        if let next, !next.isEmpty { unsafe observe(UnsafeRawBufferPointer(rebasing: bytes[next])) }
        return state.withLock { unsafe $0.append(next, of: bytes) }
    }

    /// The download is over; nil means that the body is whole.
    func finish(_ error: HTTPError?) {
        state.withLock { $0.finish(error) }
    }

    /// Moves held bytes into `target`, which takes no more than the upload may still send.
    ///
    /// `.starved` parks the upload until more comes or the download is over.
    func drain(into target: UnsafeMutableRawBufferPointer, for upload: Transfer) -> Drain {
        state.withLock { state in
            let count = unsafe state.queue.copy(into: target)
            if count > 0 {
                state.drop(count)
                return .bytes(count)
            }
            guard state.isOpen else { return .broken }
            state.park(upload, wanting: target.count)
            return .starved
        }
    }

    /// Copies held bytes from `offset` on, without taking them away.
    /// - Returns: how many, or nil if the body is gone.
    func copy(from offset: Int, into target: UnsafeMutableRawBufferPointer) -> Int? {
        state.withLock { state in
            if case .failed = state.phase { return nil }
            return unsafe state.queue.copy(from: offset, into: target)
        }
    }
}

// MARK: - Tasks

extension BodyStore {
    /// Adds to what the buffer may hold, if the budget has it now.
    func tryGrow(to blocks: Int) -> Bool {
        state.withLock { state in
            guard state.isOpen, blocks > state.allowance else { return state.isOpen || state.hasEnded }
            let more = blocks - state.allowance
            return budget.tryReserve(more) && state.grow(by: more)
        }
    }

    /// Adds to what the buffer may hold, in its turn.
    func grow(to blocks: Int) async throws(HTTPError) {
        let more = state.withLock { $0.isOpen ? max(0, blocks - $0.allowance) : 0 }
        guard more > 0 else { return }
        try await budget.reserve(more)
        if !state.withLock({ $0.grow(by: more) }) { budget.release(more) }
    }

    /// Suspends until the event, or until it cannot come any more.
    func wait(for event: BodyState.Event) async throws(HTTPError) {
        let outcome = OneShot<HTTPError?>()
        state.withLock { $0.add(outcome, waitingFor: event) }
        if let error = await outcome.value(ifCancelled: HTTPError.cancelled) { throw error }
    }

    /// Drops the next bytes, those that are held and those that come.
    func skip(_ count: Int64) {
        state.withLock { $0.skip(count) }
    }

    /// A copy of the first held bytes.
    func peek(_ count: Int) -> [UInt8] {
        state.withLock { $0.queue.first(count) }
    }

    /// Removes and returns the first held bytes.
    func take(_ count: Int) -> [UInt8] {
        state.withLock { state in
            let bytes = state.queue.first(count)
            state.drop(bytes.count)
            return bytes
        }
    }

    /// Gives everything back and stops the download; does nothing the second time.
    func abandon() {
        state.withLock { $0.abandon() }?.cancel()
    }
}
