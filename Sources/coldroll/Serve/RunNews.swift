import JobQueue

/// What the owner is told of the end of a run.
struct RunNews: Sendable, Equatable {
    let event: String
    let words: String
    private let status: ExitStatus

    /// - Parameters:
    ///   - status: how it ended.
    ///   - sentence: its last words.
    init(_ status: ExitStatus, _ sentence: String) {
        self.status = status
        event = status == .done ? "succeeded" : "failed"
        let head =
            if status == .done {
                "The run has ended well."
            } else if status.isWorthAnotherTry {
                "The run has not ended (exit code \(status.code)); it is to be tried again."
            } else {
                "The run has failed (exit code \(status.code))."
            }
        words = head + " " + sentence
    }

    /// Of a turn: a failure that is not the end is told once a day, however often it is tried again; and the end.
    func news(turn: Int64) -> TurnNews {
        TurnNews(
            event: event,
            subject: "turn \(turn)" + (status.isWorthAnotherTry ? " goes on" : ""),
            words: words
        )
    }

    /// Of one `coldroll run`: what whoever starts it again and again may end with again and again is told once a day.
    func news(day: String, unique: String) -> TurnNews {
        TurnNews(event: event, subject: status.isWorthAnotherTry ? "run of \(day)" : "run \(unique)", words: words)
    }
}
