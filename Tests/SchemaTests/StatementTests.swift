import Foundation
import JobQueue
import Postgres
import TestSupport
import Testing

@Suite(.migratedDatabase, .timeLimit(.minutes(5))) struct StatementTests {
    @Test(arguments: Statement.jobQueue.map(\.name))
    func `each statement can be prepared against the schema`(_ name: String) async throws {
        let statement = try #require(Statement.jobQueue.first { $0.name == name })
        let connection = try await Connection.connect(MigratedDatabase.conninfo)
        let described = try await connection.describe(statement)
        let numbers = statement.sql.matches(of: #/\$(\d+)/#).compactMap { Int($0.output.1) }
        #expect(described.parameters == numbers.max() ?? 0)
        #expect(Set(numbers).count == described.parameters)
    }

    @Test func `no statement of the module is missing from the list, and names are used once`() throws {
        let folder = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "../../Sources/JobQueue")
        var named: [String] = []
        for file in try FileManager.default.contentsOfDirectory(at: folder, includingPropertiesForKeys: nil)
        where file.pathExtension == "swift" {
            let text = try String(contentsOf: file, encoding: .utf8)
            named += text.matches(of: #/= Statement\(\s*"([^"]+)"/#).map { String($0.output.1) }
        }
        #expect(named.count > 30)
        #expect(named.sorted() == Statement.jobQueue.map(\.name).sorted())
        #expect(Set(named).count == named.count)
    }
}
