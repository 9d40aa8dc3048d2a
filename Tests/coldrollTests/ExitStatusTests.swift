import CloudStorage
import GoogleAuth
import GooglePhotos
import HTTPClient
import JobQueue
import Postgres
import PrivatePostgres
import Testing

@testable import coldroll

@Suite struct ExitStatusTests {
    /// An error as a module might throw it that has no words of its own.
    private struct Wordless: Error { let secret = "hunter2" }

    static let table: [(any Error, Int32)] =
        [(CommandFault("x"), 1), (SettingsError(faults: ["x"]), 1), (CommandFailure(.credentials, "x"), 3)]
        + [(CancellationError(), 130), (PrivatePostgresError("x"), 4)]
        + [(AuthError.Code.loginRequired, 3), (.badCredentials, 3), (.unavailable, 4), (.untrusted, 4)].map {
            (AuthError(code: $0.0, message: "x"), $0.1)
        }
        + [
            (PhotosError.Code.insufficientScopes, 3), (.unauthenticated, 3), (.auth(.loginRequired), 3),
            (.auth(.unavailable), 4), (.auth(.untrusted), 4), (.quota(retryAfter: .seconds(30)), 5),
            (.unavailable(retryAfter: nil), 4),
            (.transport(.cannotConnect), 4), (.transport(.untrusted), 4), (.transport(.cancelled), 130),
            (.malformed, 4),
            (.rejected(status: 400), 4),
        ].map { (PhotosError(code: $0.0, message: "x"), $0.1) }
        + [
            (StorageError.Code.denied, 3), (.noBucket, 1), (.noSpace, 4), (.unavailable(retryAfter: nil), 4),
            (.rejected, 1),
        ].map { (StorageError(code: $0.0, message: "x"), $0.1) }
        + [
            (PostgresError.Code.connectionLost, 4), (.server(sqlState: "28P01"), 3), (.server(sqlState: "42501"), 3),
            (.server(sqlState: "3D000"), 1), (.server(sqlState: "42P01"), 1), (.server(sqlState: "CRF02"), 1),
            (.server(sqlState: "2201B"), 1),
            (.server(sqlState: "57P01"), 4), (.server(sqlState: "40001"), 4), (.unexpectedAnswer, 4),
        ].map { (PostgresError(code: $0.0, message: "x", statement: nil), $0.1) }
        + [
            (LedgerError.Code.foreignArchive, 1), (.foreignClient, 1), (.foreignAccount, 1), (.schema, 1),
            (.forbidden, 3), (.scanBusy, 5), (.scanLost, 5),
        ].map { (LedgerError(code: $0.0, message: "x"), $0.1) }
        + [
            (HTTPError.Code.cannotConnect, 4), (.cut, 4), (.stalled, 4), (.untrusted, 4), (.badURL, 1),
            (.cancelled, 130),
        ].map { (HTTPError(code: $0.0, message: "x"), $0.1) }
        + [(Wordless(), 4)]

    @Test(arguments: table.indices) func eachErrorHasItsExitCode(row: Int) {
        let (error, code) = Self.table[row]
        #expect(ExitStatus(of: error).code == code, "\(error)")
    }

    @Test func anErrorWithoutWordsIsASentenceWithoutItsFields() {
        #expect(sentence(of: Wordless()) == "an unexpected fault (Wordless) stopped the command; please report it")
        #expect(sentence(of: CancellationError()) == "interrupted")
        let refusal = PostgresError(code: .server(sqlState: "CRF01"), message: "part 7 is not there", statement: "x")
        #expect(sentence(of: refusal) == "part 7 is not there")
        #expect(sentence(of: AuthError(code: .loginRequired, message: "log in")) == "log in")
    }

    @Test(arguments: [
        ("Name or service not known", "known. COLD"), ("Is the server running?", "running? COLD"), ("so.", "so. COLD"),
    ])
    func `each sentence about a database that cannot be reached has its end`(message: String, words: String) {
        let error = PostgresError(code: .connectionLost, message: message, statement: nil)
        #expect(sentence(of: error).contains(words), "\(sentence(of: error))")
    }

    @Test func theTableNamesEveryCodeOnce() {
        #expect(ExitStatus.table.map(\.status.code) == [0, 1, 2, 3, 4, 5, 130])
    }
}
