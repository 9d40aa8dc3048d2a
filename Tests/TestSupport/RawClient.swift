import Foundation

/// A TCP connection to a port of this machine, for what no decent client sends.
package final class RawClient: Sendable {
    private let socket: Int32

    /// nil if nobody takes the connection.
    package init?(port: UInt16) {
        socket = Glibc.socket(AF_INET, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
        guard socket >= 0 else { return nil }
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = port.bigEndian
        address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        let size = socklen_t(MemoryLayout<sockaddr_in>.size)
        let result = withUnsafePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { connect(socket, $0, size) }
        }
        guard result == 0 else { return nil }
    }

    deinit { close(socket) }

    /// False if the other side has ended it.
    @discardableResult
    package func send(_ text: String) -> Bool {
        let bytes = Array(text.utf8)
        return Glibc.send(socket, bytes, bytes.count, Int32(MSG_NOSIGNAL)) == bytes.count
    }

    /// Everything that comes until the other side ends it, or `seconds` are over; whether it ended.
    ///
    /// On a thread of its own, so that no other test waits for it.
    package func read(for seconds: Int) async -> (text: String, ended: Bool) {
        await withCheckedContinuation { continuation in
            Thread.detachNewThread { [self] in
                var text: [UInt8] = []
                var block = [UInt8](repeating: 0, count: 4096)
                var ends = time(nil) + seconds
                while time(nil) < ends {
                    var waiting = pollfd(fd: socket, events: Int16(POLLIN), revents: 0)
                    guard poll(&waiting, 1, 200) > 0 else { continue }
                    let count = recv(socket, &block, block.count, 0)
                    guard count > 0 else {
                        continuation.resume(returning: (String(decoding: text, as: UTF8.self), true))
                        return
                    }
                    text += block.prefix(count)
                    ends = max(ends, time(nil) + 1)
                }
                continuation.resume(returning: (String(decoding: text, as: UTF8.self), false))
            }
        }
    }
}
