import Blocking
import Dispatch

extension Connection {
    /// Notifications of a channel until the connection is lost; then the stream ends.
    ///
    /// While the reader is busy only the newest payload waits for it. The stream keeps the connection alive and stops
    /// listening when it is let go. Use a connection for this alone: libpq also reads notifications while it runs a
    /// statement, and those make the socket readable no more. What was sent before LISTEN, and between two
    /// connections, is never delivered: look at the tables once after each call.
    /// - Parameter channel: exact name, case-sensitive.
    /// - Returns: payloads.
    /// - Throws: `PostgresError`; LISTEN fails behind a pooler in transaction mode or passes without effect.
    package func notifications(on channel: String) throws(PostgresError) -> AsyncStream<String> {
        let handle = try opened("listen")
        precondition(listener == nil, "a connection listens once")
        _ = try handle.run(Statement("listen", "LISTEN \(Self.quoted(identifier: channel))"), [])
        let (stream, continuation) = AsyncStream.makeStream(of: String.self, bufferingPolicy: .bufferingNewest(1))
        let source = DispatchSource.makeReadSource(fileDescriptor: handle.socket, queue: executor.queue)
        // Dispatch calls it on this actor's own queue. It holds the actor until the source is cancelled: by the end of
        // the connection, by the end of the stream, or by `close`.
        source.setEventHandler { @Sendable in
            self.assumeIsolated { connection in
                guard connection.deliver(continuation) else { return connection.stopListening() }
            }
        }
        // The handle is held until Dispatch has let go of the socket: closed earlier, its number could be another's.
        source.setCancelHandler { @Sendable in
            withExtendedLifetime(handle) { continuation.finish() }
        }
        continuation.onTermination = { @Sendable [weak self] _ in
            guard let self else { return }
            Task { await self.stopListening() }
        }
        listener = source
        source.resume()
        // What libpq read together with the answer to LISTEN.
        if !deliver(continuation) { stopListening() }
        return stream
    }

    /// - Returns: false once the connection is lost.
    private func deliver(_ continuation: AsyncStream<String>.Continuation) -> Bool {
        guard let handle else { return false }
        // All there is, the end of the stream included: libdispatch reports a hang-up once, together with the last bytes.
        repeat {
            guard handle.consumeInput() else { return false }
            while let payload = handle.nextNotification() {
                continuation.yield(payload)
            }
        } while Socket.wait(handle.socket, until: .readable, milliseconds: 0)
        return true
    }

    func stopListening() {
        listener?.cancel()
        listener = nil
    }

    private static func quoted(identifier: String) -> String {
        "\"" + identifier.replacing("\"", with: "\"\"") + "\""
    }
}
