import Foundation

/// One of the process's two output streams, written without a buffer.
enum StandardStream: Int32, Sendable {
    case output = 1
    case error = 2

    /// Writes all of it; a reader that went away, or a full disk, loses the rest: there is nobody left to tell.
    ///
    /// - Returns: whether all of it was written.
    @discardableResult
    func write(_ text: String) -> Bool {
        var bytes = Array(text.utf8)[...]
        while !bytes.isEmpty {
            let count = bytes.withUnsafeBytes { Foundation.write(rawValue, $0.baseAddress, $0.count) }
            if count > 0 {
                bytes = bytes.dropFirst(count)
            } else if errno == EAGAIN {
                var waiting = pollfd(fd: rawValue, events: Int16(POLLOUT), revents: 0)
                _ = poll(&waiting, 1, -1)
            } else if errno != EINTR {
                return false
            }
        }
        return true
    }

    /// Whether a person watches it.
    var isTerminal: Bool { isatty(rawValue) == 1 }

    /// Columns of the terminal now; 80 where it does not say.
    var columns: Int {
        var size = winsize()
        guard ioctl(rawValue, UInt(TIOCGWINSZ), &size) == 0, size.ws_col > 0 else { return 80 }
        return Int(size.ws_col)
    }
}
