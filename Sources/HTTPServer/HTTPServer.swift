import CMicroHTTPD
import Foundation
import Glibc
import Synchronization

/// A certificate chain and its private key, both as PEM text.
package struct ServerIdentity: Sendable {
    /// The server's own certificate first.
    package let certificatePEM: String
    package let keyPEM: String

    package init(certificatePEM: String, keyPEM: String) {
        self.certificatePEM = certificatePEM
        self.keyPEM = keyPEM
    }
}

/// An HTTP/1.1 server on libmicrohttpd, one thread a connection: a handler may block without holding up another client.
package final class HTTPServer: Sendable {
    /// Looks at the head of a request, on the connection's own thread.
    package typealias Handler = @Sendable (ServerRequest) -> Reception

    /// The port that it listens on, the kernel's choice if 0 was asked for.
    package let port: UInt16

    private let core: ServerCore
    private let reaper: Task<Void, Never>?
    // The daemon's handle, because a pointer is not Sendable: only `stop` takes it out, under the lock.
    private let daemon: Mutex<UInt>

    /// Starts to listen on an IPv4 address; port 0 means any.
    ///
    /// - Parameters:
    ///   - address: in dotted form.
    ///   - port: 0 for any that is free.
    ///   - identity: for TLS; nil for plain HTTP.
    ///   - connectionLimit: connections at once; more are closed as they come.
    ///   - memory: bytes of a connection's head buffers; larger heads are refused (431).
    ///   - lifetime: after this a connection is broken, whatever goes on in it; nil lets each last.
    ///   - handler: looks at each head.
    /// - Throws: `HTTPServerError`; the caller chooses another place.
    package init(
        address: String = "127.0.0.1",
        port: UInt16 = 0,
        identity: ServerIdentity? = nil,
        connectionLimit: UInt32 = 4000,
        memory: Int = 256 << 10,
        lifetime: Duration? = nil,
        handler: @escaping Handler
    ) throws(HTTPServerError) {
        let core = ServerCore(handler: handler, lives: lifetime.map(ConnectionLives.init))
        let started = unsafe coldroll_mhd_start(
            address,
            port,
            connectionLimit,
            memory,
            identity?.certificatePEM,
            identity?.keyPEM,
            accessHandler,
            uriCallback,
            completedCallback,
            connectionCallback,
            Unmanaged.passUnretained(core).toOpaque()
        )
        guard let started = unsafe started else {
            let reason = unsafe String(cString: strerror(errno))
            throw HTTPServerError(place: "\(address):\(port)", reason: reason)
        }
        self.core = core
        reaper = core.lives.map { lives in
            Task {
                while !Task.isCancelled {
                    lives.breakOld()
                    try? await Task.sleep(for: .milliseconds(250))
                }
            }
        }
        self.port = unsafe coldroll_mhd_port(started)
        daemon = Mutex(UInt(bitPattern: started))
    }

    /// Breaks off what is under way, waits for its threads and closes the port; a second call does nothing.
    ///
    /// Blocks the thread of the caller.
    package func stop() {
        core.stopping.store(true, ordering: .releasing)
        reaper?.cancel()
        let address = daemon.withLock { value in
            defer { value = 0 }
            return value
        }
        if let handle = unsafe OpaquePointer(bitPattern: address) {
            unsafe MHD_stop_daemon(handle)
        }
    }

    /// The same for a caller that must not block: it waits on a thread of its own.
    ///
    /// - Parameter patience: how long requests that have begun may take to be answered first; zero breaks them off.
    package func stopped(answering patience: Duration = .zero) async {
        if patience > .zero { await core.exchanges.settle(within: patience) }
        await withCheckedContinuation { continuation in
            // Not dispatch's global queue, whose threads Swift's tasks share.
            Thread.detachNewThread {
                self.stop()
                continuation.resume()
            }
        }
    }

    deinit { stop() }
}

/// What the callbacks of all connections share.
final class ServerCore: Sendable {
    let handler: HTTPServer.Handler
    let stopping = Atomic(false)
    let exchanges = OpenExchanges()
    /// Connections with the time at which each ends; nil where they last.
    let lives: ConnectionLives?

    init(handler: @escaping HTTPServer.Handler, lives: ConnectionLives?) {
        self.handler = handler
        self.lives = lives
    }

    /// Waits on a connection's own thread, less if the server stops meanwhile.
    func nap(seconds: Double) {
        var left = seconds
        while left > 0, !stopping.load(ordering: .acquiring) {
            let slice = min(left, 0.05)
            usleep(UInt32(slice * 1_000_000))
            left -= slice
        }
    }
}
