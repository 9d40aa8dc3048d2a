/// One thing that goes wrong, and when; see `FaultRule.init(json:)` for its JSON form.
package struct FaultRule: Sendable, Equatable {
    /// What happens to a request that the rule strikes.
    package enum Action: String, Sendable, CaseIterable {
        /// Answers `status` with `body` and `Retry-After`, without doing the work (uploads keep the fraction `at` of the body).
        case status
        /// Waits `milliseconds` before the answer; other rules go on.
        case latency
        /// Breaks the connection after the fraction `at` of the answer's body, or of the request's body if it is an upload.
        case cut
        /// Resets the connection without an answer and without the work.
        case reset
        /// Nothing moves for `seconds` after the fraction `at` of the answer's body.
        case stall
        /// Does the work, then ends the connection without an answer.
        case loseAnswer = "lose_answer"
        /// 200 with a web page.
        case html
        /// 200 with no bytes.
        case empty
        /// Neither Content-Length nor chunks: the body ends with the connection.
        case noLength = "no_length"
        /// Chunks instead of Content-Length.
        case chunked
        /// One byte, at the fraction `at`, differs from what the last download of the item gave.
        case different
        /// The body is `factor` times as long: cut off with a proper end, or begun again from its start.
        case resized
        /// A 512-pixel picture instead of the one that was asked for.
        case smaller
        /// A resumable upload acknowledges fewer bytes than it got (the fraction `at`).
        case persistLess = "persist_less"
        /// The bytes of another item.
        case wrongItem = "wrong_item"
        /// A listing answers 200 with `{}`, as if it ended here.
        case falseEnd = "false_end"
        /// A page of a listing comes whole but for its `nextPageToken`.
        case loseToken = "lose_token"
        /// A listing answers 200 with an error object instead of a page.
        case errorObject = "error_object"
        /// The fraction `at` of a page's entries, from its beginning, has no id; the first one alone where `at` is not given.
        case noID = "no_id"
        /// A page of a listing comes without its items, but with its `nextPageToken`.
        case noItems = "no_items"
        /// Items of a listing, or asked for by id, come without what tells a photo from a video: metadata, media type, name.
        case noKind = "no_kind"
    }

    /// Names of operations as the counters have them; `*` means all.
    package var operations: [String]
    package var action: Action
    /// Share of the matching requests that is struck; nil means each.
    package var rate: Double?
    /// Which of the matching requests are struck, counted from 1.
    package var nth: [Int]
    /// Strikes at most so often.
    package var times: Int?
    /// Strikes only after so many matching requests went by.
    package var after: Int
    /// Strikes only requests whose item id, file name or object name contains this.
    package var match: String?
    /// Strikes only so long after the rules were set.
    package var forSeconds: Double?
    package var status: Int
    package var retryAfter: Int?
    package var body: String?
    /// Overrides the content type of `html` and `status`.
    package var contentType: String?
    package var milliseconds: Double
    package var at: Double?
    package var seconds: Double
    /// Of `resized`, above 0 and at most 4.
    package var factor: Double

    package init(on operation: String, _ action: Action) {
        operations = operation.split(separator: ",").map(String.init)
        self.action = action
        nth = []
        after = 0
        status = 503
        milliseconds = 0
        seconds = 3600
        factor = 0.5
    }

    /// Whether the rule looks at a request at all.
    func concerns(operation: String, subjects: [String]) -> Bool {
        guard operations.contains("*") || operations.contains(operation) else { return false }
        guard let match else { return true }
        return subjects.contains { subject in subject.utf8Contains(match) }
    }
}

extension String {
    /// Whether the bytes of another text stand in this one; unlike `contains`, é and its decomposed form differ.
    func utf8Contains(_ other: String) -> Bool {
        let needle = Array(other.utf8)
        let hay = Array(utf8)
        guard needle.count <= hay.count else { return false }
        return (0...hay.count - needle.count).contains { hay[$0..<$0 + needle.count].elementsEqual(needle) }
    }
}
