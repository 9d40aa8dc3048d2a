package import Checksums

/// The process's byte budget: memory for bodies, handed out in blocks that are reused.
package final class ByteBudget: Sendable {
    /// Size of one block.
    package static let block = 64 << 10
    /// - Parameter bytes: most bytes that all buffers together may hold.
    package init(bytes: Int) { fatalError() }
    /// Most bytes in use at once since start.
    package var peak: Int { fatalError() }
}

/// Bytes on their way from one download to one upload: filled on the loop's thread, drained there or by a task.
///
/// Created with a small allowance; the download pauses when it is full. Every byte that arrives passes the checksum and the
/// observer, in order, exactly once, on the loop's thread, even if it is skipped later.
package final class BodyBuffer: Sendable {
    /// Waits (first come first served) until the budget can lend `allowance` bytes.
    /// - Parameter observe: sees each piece in order, on the loop's thread; must be quick, and copies what it keeps.
    package init(
        budget: ByteBudget, allowance: Int,
        observe: (@Sendable (UnsafeRawBufferPointer) -> Void)? = nil
    ) async throws(HTTPError) { fatalError() }

    /// A buffer that already ended with these bytes, outside any budget; for small bodies and tests.
    package init(ended bytes: [UInt8]) { fatalError() }

    /// Takes more of the budget if it is free now, so that the buffer may hold `bytes` in all; false leaves things as they are.
    package func tryGrow(to bytes: Int) -> Bool { fatalError() }
    /// Like `tryGrow`, but waits for its turn.
    package func grow(to bytes: Int) async throws(HTTPError) { fatalError() }
    /// Most bytes it may hold now.
    package var allowance: Int { fatalError() }

    /// Bytes that arrived in all.
    package var received: Int64 { fatalError() }
    /// Bytes that arrived and were neither drained nor skipped.
    package var available: Int { fatalError() }
    /// CRC-32C of every byte that arrived.
    package var crc32c: CRC32C { fatalError() }
    /// Whether the download ended well.
    package var hasEnded: Bool { fatalError() }

    /// Suspends until at least `count` bytes are available, or the body ended. Throws what failed it.
    /// `count` larger than the allowance waits until it is full.
    package func wait(for count: Int) async throws(HTTPError) { fatalError() }
    /// Suspends until the body ended well. Only where the allowance holds it, or somebody drains it.
    package func waitForEnd() async throws(HTTPError) { fatalError() }
    /// A copy of the first `count` bytes that are available (fewer if there are fewer).
    package func peek(_ count: Int) -> [UInt8] { fatalError() }
    /// Removes and returns up to `count` available bytes without waiting.
    package func take(_ count: Int) -> [UInt8] { fatalError() }
    /// Drops `count` bytes as they come; returns when they are gone. Throws `.cut` if the body ends before.
    package func skip(_ count: Int64) async throws(HTTPError) { fatalError() }

    /// Stops the download, drops what is held and gives the allowance back; safe to call twice, called by deinit.
    package func abandon() { fatalError() }
}
