import Checksums
import Synchronization

/// What a `BodyBuffer` shares with the transfers that fill and drain it; lives on while one of them does.
///
/// Calls from the loop's thread never wait: a side that cannot go on is parked here, and resumed through its own loop.
@safe final class BodyStore: Sendable {
    /// Bytes that must be there before a parked upload goes on, unless the rest is less: libcurl's write size, so that
    /// a slow download does not turn into TLS records of a few bytes.
    private static let wakeUpload = 16 << 10

    private enum Phase {
        case open
        case ended
        case failed(HTTPError)
    }

    /// What a suspended task waits for.
    enum Event: Sendable {
        case available(Int)
        case end
        case skipped
    }

    private struct Waiter {
        let event: Event
        /// Fired with nil when the event came, else with what prevents it.
        let outcome: OneShot<HTTPError?>
    }

    private struct State {
        var phase = Phase.open
        /// Blocks reserved in the budget; never fewer than the queue holds.
        var allowance: Int
        var queue: BlockQueue
        var received: Int64 = 0
        var crc32c = CRC32C()
        /// Bytes that are dropped as they come.
        var skipping: Int64 = 0
        /// First bytes of the refused write that were taken all the same: libcurl will deliver them again.
        var takenAhead = 0
        /// The download; nil before it begins and after its end.
        var writer: Transfer?
        var writerIsParked = false
        /// The upload that starved, and how many bytes it wants at least.
        var parkedReader: (transfer: Transfer, needs: Int)?
        var waiters: [Waiter] = []

        var room: Int { queue.room(in: allowance) }
    }

    let budget: ByteBudget
    private let observe: (@Sendable (UnsafeRawBufferPointer) -> Void)?
    private let state: Mutex<State>

    /// Takes over `allowance` blocks that the caller has reserved in the budget, and gives them back.
    init(budget: ByteBudget, allowance: Int, observe: (@Sendable (UnsafeRawBufferPointer) -> Void)?) {
        self.budget = budget
        unsafe self.observe = observe
        state = Mutex(State(allowance: allowance, queue: BlockQueue(budget: budget)))
    }

    var allowance: Int { state.withLock { $0.allowance } * ByteBudget.block }
    var received: Int64 { state.withLock { $0.received } }
    var available: Int { state.withLock { $0.queue.count } }
    var crc32c: CRC32C { state.withLock { $0.crc32c } }
    var hasEnded: Bool { state.withLock { if case .ended = $0.phase { true } else { false } } }
}

// MARK: - The download, on its loop's thread

extension BodyStore {
    enum Fill { case taken, full, refused }

    /// Registers the one download of this buffer.
    /// - Returns: nil, or why there is nothing left to fill.
    func attach(_ transfer: Transfer) -> HTTPError? {
        state.withLock { state in
            switch state.phase {
            case .open:
                precondition(state.writer == nil && state.received == 0, "a body buffer takes one download only")
                state.writer = transfer
                return nil
            case .ended: preconditionFailure("a body buffer takes one download only")
            case .failed(let error): return error
            }
        }
    }

    /// Takes the next bytes of the body.
    ///
    /// `.full` parks the download. As much as fits is taken even then; the same bytes are expected again afterwards, since
    /// libcurl delivers what a callback refused once more (CURLOPT_WRITEFUNCTION, CURL_WRITEFUNC_PAUSE).
    func fill(_ bytes: UnsafeRawBufferPointer) -> Fill {
        guard let observe = unsafe observe else {
            return state.withLock { state in
                unsafe Self.append(Self.next(of: bytes.count, state), of: bytes, &state)
            }
        }
        // Called outside the lock, since it is not ours; what fits now still fits afterwards, as nobody else fills.
        let next = state.withLock { Self.next(of: bytes.count, $0) }
        if let next, !next.isEmpty { unsafe observe(UnsafeRawBufferPointer(rebasing: bytes[next])) }
        return state.withLock { unsafe Self.append(next, of: bytes, &$0) }
    }

    /// The part of a delivery that is new and fits; nil if nobody wants it any more.
    private static func next(of delivered: Int, _ state: State) -> Range<Int>? {
        guard case .open = state.phase else { return nil }
        let start = min(state.takenAhead, delivered)
        let new = delivered - start
        let fits = state.skipping >= Int64(new) ? new : min(new, Int(state.skipping) + state.room)
        return start..<start + fits
    }

    private static func append(
        _ range: Range<Int>?,
        of bytes: UnsafeRawBufferPointer,
        _ state: inout State
    ) -> Fill {
        guard let range, case .open = state.phase else { return .refused }
        let next = unsafe UnsafeRawBufferPointer(rebasing: bytes[range])
        unsafe state.crc32c.consume(next)
        state.received += Int64(next.count)
        let skipped = min(state.skipping, Int64(next.count))
        state.skipping -= skipped
        unsafe state.queue.append(UnsafeRawBufferPointer(rebasing: next.dropFirst(Int(skipped))))
        state.takenAhead += next.count
        let isFull = state.takenAhead < bytes.count
        if isFull {
            state.writerIsParked = true
        } else {
            state.takenAhead -= bytes.count
        }
        Self.settle(&state)
        return isFull ? .full : .taken
    }

    /// The download is over; nil means that the body is whole.
    func finish(_ error: HTTPError?) {
        state.withLock { state in
            state.writer = nil
            state.writerIsParked = false
            guard case .open = state.phase else { return }
            if let error {
                fail(error, &state)
            } else {
                state.phase = .ended
                // Nothing more will come: what is not held can be lent to others.
                budget.release(state.allowance - state.queue.blockCount)
                state.allowance = state.queue.blockCount
                Self.settle(&state)
            }
        }
    }
}

// MARK: - The upload, on its loop's thread

extension BodyStore {
    enum Drain { case bytes(Int), starved, broken }

    /// Moves held bytes into `target`, which takes no more than the upload may still send.
    ///
    /// `.starved` parks the upload until more comes or the download is over.
    func drain(into target: UnsafeMutableRawBufferPointer, for upload: Transfer) -> Drain {
        state.withLock { state in
            let count = unsafe state.queue.copy(into: target)
            if count > 0 {
                drop(count, &state)
                return .bytes(count)
            }
            guard case .open = state.phase else { return .broken }
            state.parkedReader = (upload, min(target.count, Self.wakeUpload))
            return .starved
        }
    }

    /// Copies held bytes from `offset` on, without taking them away.
    /// - Returns: how many, or nil if the body did not end or is gone.
    func copy(from offset: Int, into target: UnsafeMutableRawBufferPointer) -> Int? {
        state.withLock { state in
            guard case .ended = state.phase else { return nil }
            return unsafe state.queue.copy(from: offset, into: target)
        }
    }
}

// MARK: - Tasks

extension BodyStore {
    /// Adds to what the buffer may hold, if the budget has it now.
    func tryGrow(to blocks: Int) -> Bool {
        state.withLock { state in
            switch state.phase {
            case .ended: return true
            case .failed: return false
            case .open: break
            }
            let more = blocks - state.allowance
            guard more > 0 else { return true }
            guard budget.tryReserve(more) else { return false }
            state.allowance += more
            wakeWriter(&state)
            return true
        }
    }

    /// Adds to what the buffer may hold, in its turn.
    func grow(to blocks: Int) async throws(HTTPError) {
        let more = state.withLock { if case .open = $0.phase { max(0, blocks - $0.allowance) } else { 0 } }
        guard more > 0 else { return }
        try await budget.reserve(more)
        state.withLock { state in
            guard case .open = state.phase else { return budget.release(more) }
            state.allowance += more
            wakeWriter(&state)
        }
    }

    /// Suspends until the event, or until it cannot come any more.
    func wait(for event: Event) async throws(HTTPError) {
        let outcome = OneShot<HTTPError?>()
        state.withLock { state in
            state.waiters.append(Waiter(event: event, outcome: outcome))
            if case .available(let count) = event, count > state.queue.count, case .open = state.phase {
                state.queue.compact()
                wakeWriter(&state)
            }
            Self.settle(&state)
        }
        if let error = await outcome.value(ifCancelled: HTTPError.cancelled) { throw error }
    }

    /// Drops the next bytes, those that are held and those that come.
    func skip(_ count: Int64) {
        state.withLock { state in
            guard case .open = state.phase else {
                let dropped = min(count, Int64(state.queue.count))
                state.skipping += count - dropped
                return drop(Int(dropped), &state)
            }
            state.skipping += count
            let dropped = min(state.skipping, Int64(state.queue.count))
            state.skipping -= dropped
            drop(Int(dropped), &state)
            wakeWriter(&state)
        }
    }

    /// A copy of the first held bytes.
    func peek(_ count: Int) -> [UInt8] {
        state.withLock { Self.first(count, of: $0.queue) }
    }

    /// Removes and returns the first held bytes.
    func take(_ count: Int) -> [UInt8] {
        state.withLock { state in
            let bytes = Self.first(count, of: state.queue)
            drop(bytes.count, &state)
            return bytes
        }
    }

    private static func first(_ count: Int, of queue: BlockQueue) -> [UInt8] {
        let count = min(count, queue.count)
        return unsafe [UInt8](unsafeUninitializedCapacity: count) { target, filled in
            let target = UnsafeMutableRawBufferPointer(target)
            unsafe filled = queue.copy(into: UnsafeMutableRawBufferPointer(rebasing: target[..<count]))
        }
    }

    /// Gives everything back and stops the download; does nothing the second time.
    func abandon() {
        let writer = state.withLock { state in
            defer { state.writer = nil }
            fail(.abandoned, &state)
            return state.writer
        }
        writer?.cancel()
    }
}

// MARK: - Under the lock

extension BodyStore {
    private func drop(_ count: Int, _ state: inout State) {
        let drained = state.queue.drop(count)
        if case .ended = state.phase {
            state.allowance -= drained
            budget.release(drained)
        } else if state.room >= state.allowance * ByteBudget.block / 2 {
            // Half empty: a pause then costs one round of the loop for half of the allowance, not for each block.
            wakeWriter(&state)
        }
    }

    private func wakeWriter(_ state: inout State) {
        guard state.writerIsParked, state.room > 0 || state.skipping > 0 else { return }
        state.writerIsParked = false
        state.writer?.wake()
    }

    /// The end of an open or ended body that nobody can use any more.
    private func fail(_ error: HTTPError, _ state: inout State) {
        if case .failed = state.phase { return }
        state.phase = .failed(error)
        _ = state.queue.dropAll()
        budget.release(state.allowance)
        state.allowance = 0
        Self.settle(&state)
    }

    /// Resumes whoever waits for what is true now.
    private static func settle(_ state: inout State) {
        let isOver = if case .open = state.phase { false } else { true }
        if let (reader, needs) = state.parkedReader, isOver || state.writerIsParked || state.queue.count >= needs {
            state.parkedReader = nil
            reader.wake()
        }
        guard !state.waiters.isEmpty else { return }
        let snapshot = state
        state.waiters.removeAll { waiter in
            guard !waiter.outcome.hasFired else { return true }
            switch answer(to: waiter.event, snapshot) {
            case .wait: return false
            case .come: waiter.outcome.fire(nil)
            case .never(let error): waiter.outcome.fire(error)
            }
            return true
        }
    }

    private enum Answer { case wait, come, never(HTTPError) }

    private static func answer(to event: Event, _ state: State) -> Answer {
        let hasEnded: Bool
        switch state.phase {
        case .open: hasEnded = false
        case .ended: hasEnded = true
        case .failed(let error): return .never(error)
        }
        switch event {
        case .available(let count):
            let isFull = state.writerIsParked && state.room == 0
            return state.queue.count >= count || isFull || hasEnded ? .come : .wait
        case .end:
            return hasEnded ? .come : .wait
        case .skipped:
            guard state.skipping > 0 else { return .come }
            let message = "The body ended \(state.skipping) bytes before the place to go on from."
            return hasEnded ? .never(HTTPError(code: .cut, message: message)) : .wait
        }
    }
}
