import Foundation
import JobQueue
import Postgres
import TestSupport
import Testing

/// How the server runs one of the queue's statements, by EXPLAIN.
struct Plan {
    struct Node {
        let type: String
        let relation: String?
        let index: String?
        /// Rows of one loop, and loops; zero if it was not run.
        let rows: Double, loops: Double
    }
    let nodes: [Node]
    /// Pages that the run touched.
    let blocks: Double

    /// A statement with the values of one call.
    struct Call {
        let name: String
        let values: [PostgresValue]

        /// In a lane with a place only what is behind that part.
        static func claim(_ worker: Int64, _ source: Int64, _ limit: Int64, behind: [Int64: Int64] = [:]) -> Call {
            Call(
                name: "job.claim",
                values: [
                    .integer(worker), .integers([source]), .integer(limit), .integers([]),
                    .integers(Array(behind.keys)), .integers(behind.map { _ in 0 }), .integers(Array(behind.values)),
                ]
            )
        }

        static func start(_ worker: Int64, _ jobs: [(part: Int64, lease: Int64)]) -> Call {
            Call(
                name: "job.start",
                values: [.integer(worker), .integers(jobs.map(\.part)), .integers(jobs.map(\.lease)), .boolean(false)]
            )
        }

        static func complete(_ worker: Int64, _ jobs: [(part: Int64, lease: Int64)]) -> Call {
            func column<Value>(_ value: Value) -> [Value] { jobs.map { _ in value } }
            return Call(
                name: "job.complete",
                values: [
                    .integer(worker), .integers(jobs.map(\.part)), .integers(jobs.map(\.lease)), .integers(column(1)),
                    .integers(column(10)), .integers(column(7)), .texts(column(nil)), .texts(column("rendition")),
                    .texts(column("jpeg")), .booleans(column(false)), .texts(column(nil)),
                ]
            )
        }
    }

    /// Explains one call; `run` also executes it, for what it really read.
    init(_ fixture: QueueFixture, _ call: Call, run: Bool = false) async throws {
        let statement = try #require(Statement.jobQueue.first { $0.name == call.name })
        let options = run ? "(FORMAT JSON, ANALYZE, BUFFERS)" : "(FORMAT JSON)"
        try self.init(try await fixture.texts("EXPLAIN \(options) \(statement.sql)", call.values)[0])
    }

    /// Explains one call of a statement that is kept, and whose plan knows no values.
    init(kept call: Call) async throws {
        let statement = try #require(Statement.jobQueue.first { $0.name == call.name && $0.isKept })
        let connection = try await Connection.connect(MigratedDatabase.conninfo)
        var literals: [String] = []
        for value in call.values {
            let quoted = Statement("test.quote", "SELECT quote_nullable($1::text)")
            literals.append(try await connection.run(quoted, [value])[0].text(0))
        }
        try await connection.script(
            "SET plan_cache_mode = force_generic_plan; PREPARE kept AS \(statement.sql)",
            name: "test.prepare"
        )
        let explain = "EXPLAIN (FORMAT JSON) EXECUTE kept (\(literals.joined(separator: ", ")))"
        let text = try await connection.run(Statement("test.explain", explain))[0].text(0)
        await connection.close()
        try self.init(text)
    }

    private init(_ text: String) throws {
        let json = try JSONSerialization.jsonObject(with: Data(text.utf8))
        let top = try #require(((json as? [[String: Any]])?.first)?["Plan"] as? [String: Any])
        var nodes: [Node] = []
        func walk(_ plan: [String: Any]) {
            nodes.append(
                Node(
                    type: plan["Node Type"] as? String ?? "",
                    relation: plan["Relation Name"] as? String,
                    index: plan["Index Name"] as? String,
                    rows: (plan["Actual Rows"] as? NSNumber)?.doubleValue ?? 0,
                    loops: (plan["Actual Loops"] as? NSNumber)?.doubleValue ?? 0
                )
            )
            for child in plan["Plans"] as? [[String: Any]] ?? [] { walk(child) }
        }
        walk(top)
        self.nodes = nodes
        blocks = ["Shared Hit Blocks", "Shared Read Blocks"].reduce(0) {
            $0 + ((top[$1] as? NSNumber)?.doubleValue ?? 0)
        }
    }

    /// Ways of reading a table.
    func access(_ relation: String) -> Set<String> {
        Set(
            nodes.filter { $0.relation == relation && $0.type.hasSuffix("Scan") }.map { "\($0.type) \($0.index ?? "")" }
        )
    }
}
