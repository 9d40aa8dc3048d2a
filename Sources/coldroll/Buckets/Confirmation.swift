import Foundation

/// Asks the person at the terminal.
enum Confirmation {
    /// Whether somebody is there to answer, and sees the question.
    static var isPossible: Bool { isatty(STDIN_FILENO) == 1 && StandardStream.error.isTerminal }

    /// Waits for a line that begins with y or Y; anything else, the end of the input too, is a no.
    ///
    /// Looks for input ten times a second, so that Ctrl-C is not held up by a read that nothing ends.
    /// - Throws: `CancellationError`.
    static func ask(_ question: String) async throws -> Bool {
        StandardStream.error.write("\(question) [y/N] ")
        while true {
            var waiting = pollfd(fd: STDIN_FILENO, events: Int16(POLLIN), revents: 0)
            if poll(&waiting, 1, 0) > 0 { break }
            try await Task.sleep(for: .milliseconds(100))
        }
        return readLine()?.first.map { "yY".contains($0) } ?? false
    }
}
