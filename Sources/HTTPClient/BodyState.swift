import Checksums

/// What a body buffer holds and who waits for it; a value that `BodyStore` guards by its lock.
///
/// Whoever can go on after a change is resumed here; that only posts to a loop or schedules a task, and never waits.
struct BodyState {
    /// Bytes that must be there before a parked upload goes on, unless the rest is less: libcurl's write size, so that
    /// a slow download does not turn into TLS records of a few bytes.
    private static let wakeUpload = 16 << 10

    enum Phase {
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

    private(set) var phase = Phase.open
    /// Blocks reserved in the budget; never fewer than the queue holds.
    private(set) var allowance: Int
    private(set) var queue: BlockQueue
    private(set) var received: Int64 = 0
    private(set) var crc32c = CRC32C()
    private let budget: ByteBudget
    /// Bytes that are dropped as they come.
    private var skipping: Int64 = 0
    /// First bytes of the refused write that were taken all the same: libcurl will deliver them again.
    private var takenAhead = 0
    /// The download; nil before it begins and after its end.
    private var writer: Transfer?
    private var writerIsParked = false
    /// The upload that starved, and how many bytes it wants at least.
    private var parkedReader: (transfer: Transfer, needs: Int)?
    private var waiters: [Waiter] = []

    init(budget: ByteBudget, allowance: Int) {
        self.budget = budget
        self.allowance = allowance
        queue = BlockQueue(budget: budget)
    }

    var isOpen: Bool { if case .open = phase { true } else { false } }
    var hasEnded: Bool { if case .ended = phase { true } else { false } }
    private var room: Int { queue.room(in: allowance) }
}

// MARK: - The download

extension BodyState {
    /// Registers the one download.
    /// - Returns: nil, or why there is nothing left to fill.
    mutating func attach(_ transfer: Transfer) -> HTTPError? {
        if case .failed(let error) = phase { return error }
        precondition(isOpen && writer == nil && received == 0, "a body buffer takes one download only")
        writer = transfer
        return nil
    }

    /// Takes leave of a download that brought no body, so that another may come.
    mutating func detach() { writer = nil }

    /// The part of a delivery that is new and fits; nil if nobody wants it any more.
    func next(of delivered: Int) -> Range<Int>? {
        guard isOpen else { return nil }
        let start = min(takenAhead, delivered)
        let new = delivered - start
        let fits = skipping >= Int64(new) ? new : min(new, Int(skipping) + room)
        return start..<start + fits
    }

    /// Takes what `next` named of a delivery, and parks the download if that is not all.
    mutating func append(_ range: Range<Int>?, of bytes: UnsafeRawBufferPointer) -> BodyStore.Fill {
        guard let range, isOpen else { return .refused }
        let new = unsafe UnsafeRawBufferPointer(rebasing: bytes[range])
        unsafe crc32c.consume(new)
        received += Int64(new.count)
        let skipped = min(skipping, Int64(new.count))
        skipping -= skipped
        unsafe queue.append(UnsafeRawBufferPointer(rebasing: new.dropFirst(Int(skipped))))
        takenAhead += new.count
        let isFull = takenAhead < bytes.count
        writerIsParked = isFull
        if !isFull { takenAhead -= bytes.count }
        settle()
        // Room that came since `next` was asked found nobody parked; libcurl carries the wish out after it has paused.
        wakeWriter()
        return isFull ? .full : .taken
    }

    /// The download is over; nil means that the body is whole.
    mutating func finish(_ error: HTTPError?) {
        writer = nil
        writerIsParked = false
        guard isOpen else { return }
        if let error { return fail(error) }
        phase = .ended
        // Nothing more will come: what is not held can be lent to others.
        budget.release(allowance - queue.blockCount)
        allowance = queue.blockCount
        settle()
    }

    private mutating func wakeWriter() {
        guard writerIsParked, room > 0 || skipping > 0 else { return }
        writerIsParked = false
        writer?.wake()
    }
}

// MARK: - The upload and tasks

extension BodyState {
    /// Lets an upload starve until `wanted` bytes or a good part of them are there, or the download is over.
    mutating func park(_ upload: Transfer, wanting wanted: Int) {
        parkedReader = (upload, min(wanted, Self.wakeUpload))
    }

    /// Drops the first held bytes, which were drained.
    mutating func drop(_ count: Int) {
        let drained = queue.drop(count)
        if hasEnded {
            allowance -= drained
            budget.release(drained)
        } else if room >= allowance * ByteBudget.block / 2 {
            // Half empty: a pause then costs one round of the loop for half of the allowance, not for each block.
            wakeWriter()
        }
    }

    /// Drops the next bytes, those that are held and those that come.
    mutating func skip(_ count: Int64) {
        skipping += count
        let held = min(skipping, Int64(queue.count))
        skipping -= held
        drop(Int(held))
        wakeWriter()
    }

    /// Takes over so many more reserved blocks.
    /// - Returns: false if they are of no use any more; the caller keeps them.
    mutating func grow(by blocks: Int) -> Bool {
        guard isOpen else { return false }
        allowance += blocks
        wakeWriter()
        return true
    }

    mutating func add(_ outcome: OneShot<HTTPError?>, waitingFor event: Event) {
        waiters.append(Waiter(event: event, outcome: outcome))
        switch event {
        case .available(let count) where count > queue.count && isOpen:
            queue.compact()
            wakeWriter()
        case .available: break
        // Nobody may be draining any more, who would wake a download that was parked before the buffer was half empty.
        case .end, .skipped: wakeWriter()
        }
        settle()
    }

    /// Gives everything back.
    /// - Returns: the download, if it is still under way.
    mutating func abandon() -> Transfer? {
        defer { writer = nil }
        fail(.abandoned)
        return writer
    }

    /// The end of an open or ended body that nobody can use any more.
    private mutating func fail(_ error: HTTPError) {
        if case .failed = phase { return }
        phase = .failed(error)
        _ = queue.dropAll()
        budget.release(allowance)
        allowance = 0
        settle()
    }
}

// MARK: - Those who wait

extension BodyState {
    private enum Answer { case wait, come, never(HTTPError) }

    /// Resumes whoever waits for what is true now.
    private mutating func settle() {
        if let (reader, needs) = parkedReader, !isOpen || writerIsParked || queue.count >= needs {
            parkedReader = nil
            reader.wake()
        }
        guard !waiters.isEmpty else { return }
        var left: [Waiter] = []
        for waiter in waiters where !waiter.outcome.hasFired {
            switch answer(to: waiter.event) {
            case .wait: left.append(waiter)
            case .come: waiter.outcome.fire(nil)
            case .never(let error): waiter.outcome.fire(error)
            }
        }
        waiters = left
    }

    private func answer(to event: Event) -> Answer {
        if case .failed(let error) = phase { return .never(error) }
        switch event {
        case .available(let count):
            let isFull = writerIsParked && room == 0
            return queue.count >= count || isFull || hasEnded ? .come : .wait
        case .end:
            return hasEnded ? .come : .wait
        case .skipped:
            guard skipping > 0 else { return .come }
            let message = "The body ended \(skipping) bytes before the place to go on from."
            return hasEnded ? .never(HTTPError(code: .cut, message: message)) : .wait
        }
    }
}
