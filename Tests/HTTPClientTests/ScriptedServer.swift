import Foundation
import Synchronization

/// An HTTP server without manners: a script says byte by byte what each connection does.
///
/// One thread accepts, one more runs the script of each connection; scripts may block.
final class ScriptedServer: Sendable {
    struct Broken: Error {}

    /// One accepted connection.
    final class Connection: Sendable {
        let socket: Int32
        /// 0 for the first connection that the server accepted.
        let number: Int
        private let unread = Mutex<[UInt8]>([])

        init(socket: Int32, number: Int) {
            self.socket = socket
            self.number = number
        }

        private func receive() throws -> [UInt8] {
            var bytes = [UInt8](repeating: 0, count: 64 << 10)
            let count = recv(socket, &bytes, bytes.count, 0)
            guard count > 0 else { throw Broken() }
            return Array(bytes[..<count])
        }

        /// The next request's head, up to its empty line; throws when the client is gone.
        func readHead() throws -> String {
            var bytes = unread.withLock { $0 }
            while true {
                if let end = bytes.firstRange(of: Array("\r\n\r\n".utf8)) {
                    let rest = Array(bytes[end.upperBound...])
                    unread.withLock { $0 = rest }
                    return String(decoding: bytes[..<end.upperBound], as: UTF8.self)
                }
                bytes += try receive()
            }
        }

        /// The next bytes, at least one.
        func readSome() throws -> [UInt8] {
            let kept = unread.withLock { kept in
                defer { kept = [] }
                return kept
            }
            return kept.isEmpty ? try receive() : kept
        }

        /// Reads the body that the head announces.
        func readBody(_ head: String) throws -> [UInt8] {
            let length = Self.field("Content-Length", in: head).flatMap { Int($0) } ?? 0
            var body: [UInt8] = []
            while body.count < length { body += try readSome() }
            return body
        }

        func write(_ text: String) throws { try write(Array(text.utf8)) }

        func write(_ bytes: [UInt8]) throws {
            var done = 0
            while done < bytes.count {
                let count = bytes[done...].withUnsafeBytes {
                    send(socket, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL))
                }
                guard count > 0 else { throw Broken() }
                done += count
            }
        }

        /// An answer with Content-Length.
        func answer(_ status: String = "200 OK", _ body: String = "", fields: String = "") throws {
            try write("HTTP/1.1 \(status)\r\n\(fields)Content-Length: \(body.utf8.count)\r\n\r\n\(body)")
        }

        /// Closes so that the client sees a reset.
        func reset() {
            var linger = linger(l_onoff: 1, l_linger: 0)
            setsockopt(socket, SOL_SOCKET, SO_LINGER, &linger, socklen_t(MemoryLayout.size(ofValue: linger)))
        }

        /// Blocks until the client closes the connection.
        func waitForClose() { while (try? readSome()) != nil {} }

        static func field(_ name: String, in head: String) -> String? {
            let line = head.split(separator: "\r\n").first { $0.lowercased().hasPrefix(name.lowercased() + ":") }
            return line.map { $0.dropFirst(name.count + 1).trimmingCharacters(in: .whitespaces) }
        }
    }

    let port: UInt16
    private let listener: Int32
    private let stopped: Event
    var url: String { "http://127.0.0.1:\(port)" }

    /// Listens; the script runs once for each connection, which is closed when it returns or throws.
    ///
    /// `receiveBuffer` bytes make a small receive buffer of each connection.
    init(receiveBuffer: Int32? = nil, script: @escaping @Sendable (Connection) throws -> Void) throws {
        let listener = Glibc.socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        if var size = receiveBuffer { setsockopt(listener, SOL_SOCKET, SO_RCVBUF, &size, 4) }
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = inet_addr("127.0.0.1")
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        let code = withUnsafeMutablePointer(to: &address) { address in
            address.withMemoryRebound(to: sockaddr.self, capacity: 1) { address in
                bind(listener, address, length) + listen(listener, 128) + getsockname(listener, address, &length)
            }
        }
        guard listener >= 0, code == 0 else { throw Broken() }
        self.listener = listener
        let stopped = Event()
        self.stopped = stopped
        port = UInt16(bigEndian: address.sin_port)
        Thread.detachNewThread {
            var number = 0
            while true {
                let socket = accept(listener, nil, nil)
                guard socket >= 0 else {
                    close(listener)
                    return stopped.fire()
                }
                let connection = Connection(socket: socket, number: number)
                number += 1
                Thread.detachNewThread {
                    try? script(connection)
                    close(socket)
                }
            }
        }
    }

    /// Refuses connections from now on; without it, the server listens as long as the tests run.
    func stop() async {
        shutdown(listener, Int32(SHUT_RDWR))
        await stopped.wait(for: 1)
    }
}
