import Foundation
import JobQueue
import Postgres
import Testing

/// The private PostgreSQL of a stage's home.
extension Stage {
    /// Settings with which coldroll uses it.
    static let inPrivate = ["COLDROLL_DATABASE_URL": ""]

    /// The shared database, as `move` takes it.
    var shared: String { environment["COLDROLL_DATABASE_URL"] ?? "" }

    /// The server's files.
    var privateDirectory: String { directory + "/home/postgresql" }

    /// For the owner of the private ledger, while its server runs.
    var privateConninfo: String { "host=\(privateDirectory)/run port=5432 user=coldroll dbname=coldroll" }

    /// First column of what SQL answers on any database.
    @discardableResult
    func texts(_ sql: String, on conninfo: String) async throws -> [String] {
        let connection = try await Connection.connect(conninfo)
        let texts = try await connection.run(Statement("test", sql)).map { $0.textOrNil(0) ?? "" }
        await connection.close()
        return texts
    }

    func sums(_ conninfo: String) async throws -> LedgerSums {
        let connection = try await Connection.connect(conninfo)
        let sums = try await LedgerSums.read(connection)
        await connection.close()
        return sums
    }

    /// Process number of the private server; nil where none runs.
    var postmaster: pid_t? {
        let text = try? String(contentsOfFile: privateDirectory + "/data/postmaster.pid", encoding: .utf8)
        return text?.split(separator: "\n").first.flatMap { pid_t($0) }
    }

    /// Major version of a cluster in the home.
    func version(_ cluster: String = "data") -> String? {
        (try? String(contentsOfFile: privateDirectory + "/\(cluster)/PG_VERSION", encoding: .utf8))?.trimmingCharacters(
            in: .whitespacesAndNewlines
        )
    }
}
