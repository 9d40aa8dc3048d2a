import Foundation

/// PostgreSQL's server programs of one version.
struct ServerPrograms: Sendable {
    /// Directory with `initdb`, `pg_ctl` and `postgres`.
    let directory: String
    /// Major version, for example 15.
    let version: Int

    static let howToInstall = "Debian and Ubuntu: apt-get install postgresql; macOS: brew install postgresql@17"
    /// The version whose SQL the ledger's schema is written in.
    static let oldestVersion = 15

    func path(_ program: String) -> String { directory + "/" + program }

    /// The newest installed ones, or for an existing cluster those of its version.
    ///
    /// - Parameter clusterVersion: nil where there is no cluster yet.
    /// - Returns: programs that can serve it.
    /// - Throws: `PrivatePostgresError` that says what to install.
    static func find(clusterVersion: Int?) async throws -> ServerPrograms {
        try choose(from: await installed(in: places()), clusterVersion: clusterVersion)
    }

    /// - Parameters:
    ///   - installed: in any order.
    ///   - clusterVersion: nil where there is no cluster yet.
    /// - Returns: programs that can serve it.
    /// - Throws: `PrivatePostgresError` that says what to install.
    static func choose(from installed: [ServerPrograms], clusterVersion: Int?) throws -> ServerPrograms {
        guard let newest = installed.max(by: { $0.version < $1.version }) else {
            throw PrivatePostgresError(
                "PostgreSQL is not installed, and COLDROLL_DATABASE_URL names no database. Install it "
                    + "(\(howToInstall)), or set COLDROLL_DATABASE_URL"
            )
        }
        guard let clusterVersion else {
            guard newest.version >= oldestVersion else {
                throw PrivatePostgresError(
                    "PostgreSQL \(newest.version) is installed (\(newest.directory)), and \(oldestVersion) or newer is "
                        + "needed. Install one, or set COLDROLL_DATABASE_URL"
                )
            }
            return newest
        }
        guard let match = installed.first(where: { $0.version == clusterVersion }) else {
            let others = Set(installed.map(\.version)).sorted().map { "\($0)" }.joined(separator: ", ")
            throw PrivatePostgresError(
                "the private database was made by PostgreSQL \(clusterVersion), and only \(others) is installed. "
                    + "Install PostgreSQL \(clusterVersion) beside it (Debian: apt-get install postgresql-\(clusterVersion); where "
                    + "the release has no such package, apt.postgresql.org has it)"
                    + (newest.version > clusterVersion
                        ? " and run 'coldroll setup', which carries the database over to \(newest.version)" : "")
            )
        }
        return match
    }

    /// Those that are complete and can say their version; each real directory once.
    static func installed(in places: [String]) async -> [ServerPrograms] {
        var found: [ServerPrograms] = []
        var seen: Set<String> = []
        for place in places {
            let directory = URL(fileURLWithPath: place).resolvingSymlinksInPath().path
            guard seen.insert(directory).inserted,
                ["initdb", "pg_ctl", "postgres"].allSatisfy({ access(directory + "/" + $0, X_OK) == 0 }),
                // postgres (PostgreSQL) 15.20 (Debian 15.20-0+deb12u1)
                let outcome = try? await Program.run(directory + "/postgres", ["--version"], in: "/"),
                let number = outcome.output.firstMatch(of: #/\(PostgreSQL\) ([0-9]+)/#),
                let version = Int(number.1)
            else { continue }
            found.append(ServerPrograms(directory: directory, version: version))
        }
        return found
    }

    /// Where packages put them: Debian and Ubuntu, PostgreSQL's own RPMs, whatever `pg_config` says, PATH, Homebrew.
    private static func places() async -> [String] {
        var places = children(of: "/usr/lib/postgresql", suffix: "/bin")
        places += children(of: "/usr", prefix: "pgsql-", suffix: "/bin")
        let path = (ProcessInfo.processInfo.environment["PATH"] ?? "/usr/bin:/bin").split(separator: ":").map(
            String.init
        )
        .filter { $0.hasPrefix("/") }
        if let config = path.map({ $0 + "/pg_config" }).first(where: { access($0, X_OK) == 0 }),
            let outcome = try? await Program.run(config, ["--bindir"], in: "/"), outcome.status == 0
        {
            places.append(outcome.output.trimmingCharacters(in: .whitespacesAndNewlines))
        }
        places += path
        for prefix in ["/opt/homebrew", "/usr/local", "/home/linuxbrew/.linuxbrew"] {
            places += children(of: prefix + "/opt", prefix: "postgresql", suffix: "/bin")
        }
        return places
    }

    private static func children(of directory: String, prefix: String = "", suffix: String) -> [String] {
        ((try? FileManager.default.contentsOfDirectory(atPath: directory)) ?? [])
            .filter { $0.hasPrefix(prefix) }.sorted().map { "\(directory)/\($0)\(suffix)" }
    }
}
