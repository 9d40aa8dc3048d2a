package import Checksums

/// Bytes on their way from one download to one upload: filled on the loop's thread, drained there or by a task.
///
/// Created with a small allowance; the download pauses when it is full. Every byte that arrives passes the checksum and the
/// observer, in order, exactly once, on the loop's thread, even if it is skipped later. A buffer takes one download; once
/// that has ended, allowance that is not needed any more goes back to the budget, and so does each drained block.
package final class BodyBuffer: Sendable {
    /// What the transfers hold: they must not keep the buffer itself, whose end is their end.
    let store: BodyStore

    /// Waits (first come first served) until the budget can lend `allowance` bytes.
    /// - Parameters:
    ///   - budget: lends the memory.
    ///   - allowance: bytes, counted in whole blocks, at least two: one is filled while the other is drained.
    ///   - observe: sees each piece in order, on the loop's thread; must be quick, and copies what it keeps.
    /// - Throws: `.cancelled`, or `.tooLarge` if the allowance exceeds the whole budget.
    package init(
        budget: ByteBudget,
        allowance: Int,
        observe: (@Sendable (UnsafeRawBufferPointer) -> Void)? = nil
    ) async throws(HTTPError) {
        let blocks = max(2, ByteBudget.blocks(for: allowance))
        try await budget.reserve(blocks)
        unsafe store = BodyStore(budget: budget, allowance: blocks, observe: observe)
    }

    /// A buffer that already ended with these bytes, outside any budget; for small bodies and tests.
    package init(ended bytes: [UInt8]) {
        let blocks = ByteBudget.blocks(for: bytes.count)
        // A budget of its own that fits exactly, so that there is one way to hold bytes.
        let budget = ByteBudget(bytes: blocks * ByteBudget.block)
        _ = budget.tryReserve(blocks)
        unsafe store = BodyStore(budget: budget, allowance: blocks, observe: nil)
        _ = unsafe bytes.withUnsafeBytes { unsafe store.fill($0) }
        store.finish(nil)
    }

    deinit { store.abandon() }

    /// Takes more of the budget if it is free now, so that the buffer may hold `bytes` in all; false leaves things as they are.
    ///
    /// Always true once the body ended: what there is of it is held.
    package func tryGrow(to bytes: Int) -> Bool { store.tryGrow(to: ByteBudget.blocks(for: bytes)) }

    /// Like `tryGrow`, but waits for its turn.
    ///
    /// Whoever waits here keeps what it has: if all who hold the budget do so at once, nobody goes on. Let one at a time.
    /// - Throws: `.cancelled`, or `.tooLarge` if the budget as a whole is smaller.
    package func grow(to bytes: Int) async throws(HTTPError) {
        try await store.grow(to: ByteBudget.blocks(for: bytes))
    }

    /// Most bytes it may hold now.
    package var allowance: Int { store.allowance }

    /// Bytes that arrived in all.
    package var received: Int64 { store.received }

    /// Bytes that arrived and were neither drained nor skipped.
    package var available: Int { store.available }

    /// CRC-32C of every byte that arrived.
    package var crc32c: CRC32C { store.crc32c }

    /// Whether the download ended well.
    package var hasEnded: Bool { store.hasEnded }

    /// Suspends until at least `count` bytes are available, or the body ended; throws what failed it.
    ///
    /// `count` larger than the allowance waits until it is full.
    package func wait(for count: Int) async throws(HTTPError) { try await store.wait(for: .available(count)) }

    /// Suspends until the body ended well.
    ///
    /// Only where the allowance holds it, or somebody drains it.
    package func waitForEnd() async throws(HTTPError) { try await store.wait(for: .end) }

    /// A copy of the first `count` bytes that are available (fewer if there are fewer).
    package func peek(_ count: Int) -> [UInt8] { store.peek(count) }

    /// Removes and returns up to `count` available bytes without waiting.
    package func take(_ count: Int) -> [UInt8] { store.take(count) }

    /// Drops `count` bytes as they come; returns when they are gone.
    ///
    /// Throws `.cut` if the body ends before. After any error, the buffer is only good for `abandon`.
    package func skip(_ count: Int64) async throws(HTTPError) {
        store.skip(count)
        try await store.wait(for: .skipped)
    }

    /// Stops the download, drops what is held and gives the allowance back; safe to call twice, called by deinit.
    package func abandon() { store.abandon() }
}
