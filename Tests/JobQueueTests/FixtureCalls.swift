import Postgres
import TestSupport
import Testing

extension QueueFixture {
    /// Calls a function of one number for a person.
    func call(_ function: String, _ number: Int64) async throws -> String {
        try await texts("SELECT coldroll.\(function)($1)", [.integer(number)])[0]
    }

    /// The message with which it refuses.
    func refusal(_ function: String, _ number: Int64) async throws -> String {
        do {
            let answer = try await call(function, number)
            Issue.record("\(function)(\(number)) was not refused: \(answer)")
            return ""
        } catch let error as PostgresError {
            return error.message
        }
    }

    /// Asks until the number is not zero; the suite's time limit ends it.
    func waitUntil(_ query: String) async throws {
        while try await number(query) == 0 {
            try await Task.sleep(for: .milliseconds(2))
        }
    }
}
