import Synchronization

/// The process's byte budget: memory for bodies, handed out in blocks that are reused.
///
/// A buffer first reserves its allowance, waiting its turn; after that it borrows and returns single blocks without waiting.
package final class ByteBudget: Sendable {
    /// Size of one block: four of libcurl's 16 KiB writes, and one fill of its upload buffer.
    package static let block = 64 << 10

    private struct Request {
        let blocks: Int
        /// Fired with true when reserved, with false when the waiting task was cancelled.
        let granted: OneShot<Bool>
    }

    private struct State {
        var unreserved: Int
        var idle: [Block] = []
        var lent = 0
        var peak = 0
        var queue: [Request] = []

        /// Serves those who wait, in order, as far as the budget goes.
        mutating func serve() {
            while let first = queue.first, first.blocks <= unreserved || first.granted.hasFired {
                queue.removeFirst()
                if first.granted.fire(true) { unreserved -= first.blocks }
            }
        }
    }

    /// Blocks in all.
    let capacity: Int
    private let state: Mutex<State>

    /// - Parameter bytes: most bytes that all buffers together may hold; counted in whole blocks, at least two.
    package init(bytes: Int) {
        capacity = max(2, bytes / Self.block)
        state = Mutex(State(unreserved: capacity))
    }

    deinit {
        state.withLock { for block in $0.idle { block.free() } }
    }

    /// Most bytes that all buffers together may hold.
    package var bytes: Int { capacity * Self.block }

    /// Most bytes in use at once since start.
    package var peak: Int { state.withLock { $0.peak } * Self.block }

    /// Whole blocks for so many bytes.
    static func blocks(for bytes: Int) -> Int { bytes / block + (bytes % block > 0 ? 1 : 0) }

    /// Reserves blocks if they are free and nobody waits for some.
    func tryReserve(_ blocks: Int) -> Bool {
        state.withLock { state in
            guard state.queue.isEmpty, blocks <= state.unreserved else { return false }
            state.unreserved -= blocks
            return true
        }
    }

    /// Reserves blocks, after those who asked before.
    func reserve(_ blocks: Int) async throws(HTTPError) {
        guard blocks <= capacity else {
            let (bytes, all) = (blocks * Self.block, capacity * Self.block)
            throw HTTPError(code: .tooLarge, message: "A buffer of \(bytes) bytes exceeds the byte budget of \(all).")
        }
        let granted = OneShot<Bool>()
        state.withLock { state in
            state.queue.append(Request(blocks: blocks, granted: granted))
            state.serve()
        }
        guard await granted.value(ifCancelled: false) else {
            // Those behind may be content with less.
            state.withLock { $0.serve() }
            throw .cancelled
        }
    }

    /// Gives up a reservation of blocks that are not borrowed.
    func release(_ blocks: Int) {
        guard blocks > 0 else { return }
        state.withLock { state in
            state.unreserved += blocks
            state.serve()
        }
    }

    /// Lends one of the blocks that the caller has reserved.
    func borrow() -> Block {
        state.withLock { state in
            state.lent += 1
            precondition(state.lent <= capacity, "a block was borrowed without a reservation")
            state.peak = max(state.peak, state.lent)
            // The block returned last is the one that the CPU's cache still knows.
            return state.idle.popLast() ?? Block()
        }
    }

    /// Takes a block back; the reservation stays.
    func giveBack(_ block: Block) {
        state.withLock { state in
            state.lent -= 1
            state.idle.append(block)
        }
    }
}
