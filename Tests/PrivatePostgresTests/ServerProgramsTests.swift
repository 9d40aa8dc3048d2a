import Foundation
import Testing

@testable import PrivatePostgres

@Suite struct ServerProgramsTests {
    private func programs(_ versions: Int...) -> [ServerPrograms] {
        versions.map { ServerPrograms(directory: "/usr/lib/postgresql/\($0)/bin", version: $0) }
    }

    private func refusal(_ installed: [ServerPrograms], _ clusterVersion: Int?) throws -> String {
        let error = #expect(throws: PrivatePostgresError.self) {
            try ServerPrograms.choose(from: installed, clusterVersion: clusterVersion)
        }
        return try #require(error).message
    }

    @Test func `a new cluster gets the newest version, an existing one its own`() throws {
        let installed = programs(16, 9, 17, 15)
        #expect(try ServerPrograms.choose(from: installed, clusterVersion: nil).version == 17)
        #expect(try ServerPrograms.choose(from: installed, clusterVersion: 15).version == 15)
    }

    @Test func `without any, what to install is said`() throws {
        let refusal = try refusal([], nil)
        #expect(refusal.contains("apt-get install postgresql"))
        #expect(refusal.contains("brew install postgresql@17"))
        #expect(refusal.contains("COLDROLL_DATABASE_URL"))
    }

    @Test func `a version older than the schema needs makes no new cluster`() throws {
        #expect(try refusal(programs(14), nil).contains("PostgreSQL 14 is installed"))
    }

    @Test func `an existing cluster's version is named beside those that are there`() throws {
        let refusal = try refusal(programs(17, 16), 15)
        #expect(refusal.contains("made by PostgreSQL 15, and only 16, 17 is installed"))
    }

    @Test func `what is installed is found by asking it, once for each real directory`() async throws {
        let found = try await ServerPrograms.find(clusterVersion: nil)
        let link = FileManager.default.temporaryDirectory.appendingPathComponent(UUID().uuidString).path
        try FileManager.default.createSymbolicLink(atPath: link, withDestinationPath: found.directory)
        defer { unlink(link) }
        let installed = await ServerPrograms.installed(in: ["/nowhere", found.directory, "/usr/share", link])
        #expect(installed.map(\.version) == [found.version])
    }
}
