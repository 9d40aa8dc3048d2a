#if canImport(Glibc)
import Glibc
#else
import Darwin
#endif

/// Waiting for a file descriptor.
enum Socket {
    enum Direction {
        case readable, writable
    }

    /// - Returns: false when the time is over or a signal came; true also where the socket is at its end or broken, so
    ///   that the next read says so.
    static func wait(_ descriptor: Int32, until direction: Direction, milliseconds: Int32) -> Bool {
        guard descriptor >= 0 else { return true }
        let events = Int16(direction == .readable ? POLLIN : POLLOUT)
        var entry = pollfd(fd: descriptor, events: events, revents: 0)
        return unsafe poll(&entry, 1, milliseconds) > 0
    }
}
