import Foundation

/// Where psql is: in PATH, else the newest one where Debian, and PostgreSQL's own packages, put it.
/// - Throws: `CommandFailure` that says what to install.
func findPsql(_ environment: [String: String]) throws(CommandFailure) -> String {
    let folders = (environment["PATH"] ?? "/usr/bin:/bin").split(separator: ":").map(String.init)
    let versions = ((try? FileManager.default.contentsOfDirectory(atPath: "/usr/lib/postgresql")) ?? [])
        .sorted { (Int($0) ?? 0) > (Int($1) ?? 0) }
        .map { "/usr/lib/postgresql/\($0)/bin" }
    for folder in folders + versions where folder.hasPrefix("/") {
        let path = folder + "/psql"
        if FileManager.default.isExecutableFile(atPath: path) { return path }
    }
    throw CommandFailure(.usage, "psql is not installed; on Debian and Ubuntu: apt-get install postgresql-client")
}
