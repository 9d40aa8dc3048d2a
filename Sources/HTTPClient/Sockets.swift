import CCurl

#if canImport(Glibc)
import Glibc
#else
import Darwin
#endif

/// The sockets and the one timer that libcurl wants to be told about, and the pipe that ends a wait.
///
/// `@unchecked Sendable` because all but `wake` runs on the loop's thread; `wake` writes to a pipe, which any thread may.
@safe final class Sockets: @unchecked Sendable {
    /// A socket on which something happened, and what, in libcurl's bits.
    struct Ready {
        let socket: curl_socket_t
        let events: Int32
    }

    /// What the last `wait` found.
    private(set) var ready: [Ready] = []
    /// The pipe's reading end first, then libcurl's sockets; a negative number is skipped by poll(2).
    private var watched: [pollfd]
    /// Where in `watched` a socket stands.
    private var places: [curl_socket_t: Int] = [:]
    /// The socket that a handle, by its address, wished for last (CURLINFO_ACTIVESOCKET of 7.88 knows it at the end only).
    private var wished: [UInt: curl_socket_t] = [:]
    /// When libcurl wants to be called even if no socket is ready.
    private var timer: ContinuousClock.Instant?
    private let wakingEnd: Int32

    init() {
        var ends: [Int32] = [-1, -1]
        let code = unsafe pipe(&ends)
        precondition(
            code == 0,
            "no pipe for the HTTP client's loop: error \(errno); is the limit of open files too low?"
        )
        for end in ends {
            // A full pipe has woken the loop already: nobody must wait for room in it.
            _ = fcntl(end, F_SETFL, O_NONBLOCK)
            _ = fcntl(end, F_SETFD, FD_CLOEXEC)
        }
        watched = [pollfd(fd: ends[0], events: Int16(POLLIN), revents: 0)]
        wakingEnd = ends[1]
    }

    deinit {
        close(watched[0].fd)
        close(wakingEnd)
    }

    /// Ends the wait that is going on, or the next one; from any thread.
    func wake() {
        var byte: UInt8 = 0
        _ = unsafe write(wakingEnd, &byte, 1)
    }

    /// Waits until a socket is ready, the timer is due, somebody woke us, or the time is over; -1 has no end.
    func wait(milliseconds: Int32) {
        var limit = milliseconds
        if let timer {
            // A whole millisecond more, since the rest was rounded down: too early would only be a round for nothing.
            let left = Int32(clamping: max(0, ContinuousClock.now.duration(to: timer).milliseconds + 1))
            limit = limit < 0 ? left : min(limit, left)
            if timer <= .now { limit = 0 }
        }
        ready.removeAll(keepingCapacity: true)
        guard unsafe poll(&watched, nfds_t(watched.count), limit) > 0 else { return }
        if watched[0].revents != 0 { emptyPipe() }
        for entry in watched.dropFirst() where entry.fd >= 0 && entry.revents != 0 {
            ready.append(Ready(socket: entry.fd, events: Self.bits(entry.revents)))
        }
    }

    private static func bits(_ events: Int16) -> Int32 {
        var bits: Int32 = 0
        if events & Int16(POLLIN | POLLHUP) != 0 { bits |= CURL_CSELECT_IN }
        if events & Int16(POLLOUT) != 0 { bits |= CURL_CSELECT_OUT }
        if events & Int16(POLLERR | POLLNVAL) != 0 { bits |= CURL_CSELECT_ERR }
        return bits
    }

    private func emptyPipe() {
        var bytes = [UInt8](repeating: 0, count: 64)
        while unsafe read(watched[0].fd, &bytes, bytes.count) == bytes.count {}
    }

    /// Whether libcurl's timer is due; it must set another then.
    func takeTimer() -> Bool {
        guard let due = timer, due <= .now else { return false }
        timer = nil
        return true
    }

    /// libcurl's wish: called with -1 for no timer.
    func setTimer(milliseconds: Int) {
        timer = milliseconds < 0 ? nil : .now + .milliseconds(milliseconds)
    }

    /// The socket of a handle that is neither paused nor between two sockets.
    func socket(of easy: UInt) -> curl_socket_t? { wished[easy] }

    /// libcurl's wish for one socket, in its CURL_POLL numbers.
    func watch(_ socket: curl_socket_t, of easy: UInt, _ what: Int32) {
        var events: Int32 = 0
        if what == CURL_POLL_IN || what == CURL_POLL_INOUT { events |= POLLIN }
        if what == CURL_POLL_OUT || what == CURL_POLL_INOUT { events |= POLLOUT }
        if what == CURL_POLL_REMOVE {
            forget(socket)
            if wished[easy] == socket { wished[easy] = nil }
        } else {
            wished[easy] = socket
            let place = places[socket] ?? watched.count
            if place == watched.count { watched.append(pollfd()) }
            places[socket] = place
            // A socket without a wish is skipped: poll(2) would report its end again and again.
            watched[place] = pollfd(fd: events == 0 ? -1 : socket, events: Int16(events), revents: 0)
        }
    }

    private func forget(_ socket: curl_socket_t) {
        guard let place = places.removeValue(forKey: socket) else { return }
        let last = watched.count - 1
        if place < last, let moved = places.first(where: { $0.value == last })?.key {
            watched[place] = watched[last]
            places[moved] = place
        }
        watched.removeLast()
    }
}

/// CURLMOPT_SOCKETFUNCTION.
func watchSocket(
    _ easy: UnsafeMutableRawPointer?,
    _ socket: curl_socket_t,
    _ what: Int32,
    _ context: UnsafeMutableRawPointer?,
    _ socketContext: UnsafeMutableRawPointer?
) -> Int32 {
    // Never nil: the loop sets it.
    let sockets = unsafe Unmanaged<Sockets>.fromOpaque(context!).takeUnretainedValue()
    sockets.watch(socket, of: UInt(bitPattern: easy), what)
    return 0
}

/// CURLMOPT_TIMERFUNCTION.
func setTimer(_ multi: UnsafeMutableRawPointer?, _ milliseconds: Int, _ context: UnsafeMutableRawPointer?) -> Int32 {
    // Never nil: the loop sets it.
    unsafe Unmanaged<Sockets>.fromOpaque(context!).takeUnretainedValue().setTimer(milliseconds: milliseconds)
    return 0
}
