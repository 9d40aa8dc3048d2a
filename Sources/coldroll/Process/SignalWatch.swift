import Foundation
import Synchronization

/// Write end of the pipe that the signal handler feeds; -1 until it exists.
private let signalPipe = Atomic<Int32>(-1)

/// Turns SIGINT and SIGTERM into requests to stop.
///
/// A handler that writes one byte into a pipe, and a thread that reads it: nothing is blocked or ignored, so that child
/// processes start with the defaults, and no signal is lost once `start` has returned.
enum SignalWatch {
    /// Called first of all; a signal that came before has the system's default effect.
    /// - Parameter handle: called on a thread of its own with each signal's number.
    static func start(_ handle: @escaping @Sendable (Int32) -> Void) {
        // A reader that went away is an error of `write`, not the end of the process.
        signal(SIGPIPE, SIG_IGN)
        var ends: [Int32] = [-1, -1]
        guard pipe(&ends) == 0 else { return }
        for end in ends { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
        _ = fcntl(ends[1], F_SETFL, O_NONBLOCK)
        signalPipe.store(ends[1], ordering: .sequentiallyConsistent)
        let readEnd = ends[0]
        Thread.detachNewThread {
            var byte: UInt8 = 0
            while true {
                let count = read(readEnd, &byte, 1)
                if count == 1 { handle(Int32(byte)) } else if count == 0 || errno != EINTR { return }
            }
        }
        for number in [SIGINT, SIGTERM] {
            signal(number) { number in
                // Only async-signal-safe calls; errno belongs to the code that was interrupted.
                let saved = errno
                var byte = UInt8(truncatingIfNeeded: number)
                _ = write(signalPipe.load(ordering: .relaxed), &byte, 1)
                errno = saved
            }
        }
    }
}
