import Foundation
import Postgres
import Testing

/// A pgbouncer in transaction mode, with two server connections for however many clients.
package final class Pooler {
    private let process = Process()
    private let directory: String
    private let database: String

    /// Starts one in front of a server; `stop` it.
    package init(_ conninfo: String) throws {
        var template = Array("/tmp/coldroll-pooler-XXXXXX".utf8CString)
        guard mkdtemp(&template) != nil else { throw CocoaError(.fileWriteUnknown) }
        directory = String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
        chmod(directory, 0o777)
        var settings = Dictionary(
            uniqueKeysWithValues: conninfo.split(separator: " ").map { pair in
                let parts = pair.split(separator: "=", maxSplits: 1)
                return (String(parts[0]), String(parts[1]))
            }
        )
        database = try #require(settings["dbname"])
        settings["pool_size"] = "2"
        let upstream = settings.map { "\($0.key)=\($0.value)" }.joined(separator: " ")
        let file = directory + "/pgbouncer.ini"
        try Data(
            """
            [databases]
            \(database) = \(upstream)
            [pgbouncer]
            pool_mode = transaction
            auth_type = any
            listen_addr =
            listen_port = 6432
            unix_socket_dir = \(directory)
            logfile = \(directory)/log
            """.utf8
        ).write(to: URL(fileURLWithPath: file))
        process.executableURL = URL(fileURLWithPath: "/usr/sbin/pgbouncer")
        // It refuses to run as root.
        process.arguments = (geteuid() == 0 ? ["-u", "postgres"] : []) + ["-q", file]
        process.standardError = FileHandle.nullDevice
        try process.run()
    }

    /// Waits until it accepts connections.
    package func conninfo() async throws -> String {
        let conninfo = "host=\(directory) port=6432 user=someone dbname=\(database)"
        while true {
            do throws(PostgresError) {
                await (try Connection.connect(conninfo)).close()
                return conninfo
            } catch {
                guard error.code == .connectionLost, process.isRunning else { throw error }
                await Task.yield()
            }
        }
    }

    /// Ends it at once, and removes its files.
    package func stop() {
        kill(process.processIdentifier, SIGKILL)
        process.waitUntilExit()
        try? FileManager.default.removeItem(atPath: directory)
    }
}
