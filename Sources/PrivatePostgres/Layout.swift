import Foundation

/// Where the files of the private PostgreSQL are.
///
/// `HOME/postgresql/` belongs to the server's user: `data/` is the cluster, `data.new/` one that is not finished, `data.15/`
/// one of version 15 that was carried over to a newer version and is kept, `exchange` is there while the two change places,
/// `run/` holds the socket, `server.log` is what the server says, and `*.lock` are coldroll's own.
struct Layout: Sendable {
    /// `HOME/postgresql`, without symbolic links.
    let directory: String
    /// Where the socket is: `run` in the directory, or a short name in `/tmp`.
    private(set) var socketDirectory: String
    /// Name of the cluster in the directory; another one while it is being made.
    private(set) var data = "data"

    /// Part of the socket's file name; no TCP port.
    static let port = 5432
    /// A socket's path has room for 108 bytes with its zero on Linux (unix(7)), 104 on macOS; four are for `.new`.
    private static let longestSocketPath = 99

    /// Makes the home, if need be, and the directory in it.
    ///
    /// - Throws: `PrivatePostgresError`.
    init(home: String) throws {
        let isRoot = geteuid() == 0
        // As root, the server's user has to pass through.
        try Self.make(home, permissions: isRoot ? 0o711 : 0o700)
        guard let resolved = realpath(home, nil) else {
            throw PrivatePostgresError("\(home) cannot be used: \(String(cString: strerror(errno)))")
        }
        defer { free(resolved) }
        self.init(directory: String(cString: resolved) + "/postgresql")
        try Self.make(directory, permissions: 0o700)
    }

    /// - Parameter directory: absolute, without symbolic links.
    init(directory: String) {
        self.directory = directory
        let inside = directory + "/run"
        let socket = inside + "/.s.PGSQL.\(Self.port)"
        // Only characters that mean nothing in a conninfo, in a list of directories and in a shell.
        let isPlain = inside.utf8.allSatisfy { byte in
            let scalar = Unicode.Scalar(byte)
            return byte < 0x80
                && (scalar.properties.isAlphabetic || (0x30...0x39).contains(byte) || "/._-".utf8.contains(byte))
        }
        socketDirectory =
            isPlain && socket.utf8.count <= Self.longestSocketPath ? inside : "/tmp/coldroll-" + Self.digest(directory)
    }

    func path(_ name: String) -> String { directory + "/" + name }

    /// A file of the cluster.
    func dataPath(_ name: String) -> String { path(data) + "/" + name }

    /// The cluster that is being made, whose socket is one that nobody else looks for.
    var unfinished: Layout {
        var other = self
        other.data = "data.new"
        other.socketDirectory += ".new"
        return other
    }

    /// For libpq: every part is plain, so nothing needs quotes.
    func conninfo(role: String) -> String {
        "host=\(socketDirectory) port=\(Self.port) user=\(role) dbname=\(Cluster.database)"
    }

    /// Major version of the cluster; nil where there is none yet.
    func clusterVersion() throws -> Int? {
        let file = dataPath("PG_VERSION")
        guard FileManager.default.fileExists(atPath: path(data)) else { return nil }
        guard let text = try? String(contentsOfFile: file, encoding: .utf8),
            let version = Int(text.prefix { $0.isNumber })
        else {
            throw PrivatePostgresError(
                "\(path(data)) is not a PostgreSQL cluster: \(file) cannot be read. Restore it from a backup, or "
                    + "move it away to start with an empty ledger"
            )
        }
        return version
    }

    /// Gives the directory to the server's user where it is new.
    ///
    /// - Throws: `PrivatePostgresError` where it belongs to somebody else.
    func prepare(for account: ServerAccount) throws {
        try account.own(directory)
    }

    /// Makes the socket's directory, which may be gone after a restart of the machine.
    ///
    /// - Throws: `PrivatePostgresError` where somebody else has it.
    func prepareSocketDirectory(for account: ServerAccount) throws {
        try Self.make(socketDirectory, permissions: 0o700)
        try account.own(socketDirectory)
    }

    private static func make(_ path: String, permissions: Int) throws {
        do {
            try FileManager.default.createDirectory(
                atPath: path,
                withIntermediateDirectories: !FileManager.default.fileExists(atPath: path),
                attributes: [.posixPermissions: permissions]
            )
        } catch CocoaError.fileWriteFileExists {
            return
        } catch {
            var isDirectory: ObjCBool = false
            if FileManager.default.fileExists(atPath: path, isDirectory: &isDirectory), isDirectory.boolValue { return }
            // Foundation often keeps the reason to itself: the system is asked once more. ENOENT is a parent's affair.
            guard mkdir(path, mode_t(permissions)) != 0 else { return }
            let reason = errno == ENOENT ? error.reason : String(cString: strerror(errno))
            throw PrivatePostgresError(
                "\(path) cannot be made (\(reason)): make room or change its permissions, or set COLDROLL_HOME "
                    + "to a directory that you may write to"
            )
        }
    }

    /// FNV-1a with 64 bits: the same name in every process, no secret.
    private static func digest(_ text: String) -> String {
        let hash = text.utf8.reduce(0xcbf2_9ce4_8422_2325 as UInt64) { ($0 ^ UInt64($1)) &* 0x100_0000_01b3 }
        let digits = String(hash, radix: 16)
        return String(repeating: "0", count: 16 - digits.count) + digits
    }
}

extension Error {
    /// The system's words for what went wrong with a file.
    var reason: String {
        let error = self as NSError
        if let cause = error.userInfo[NSUnderlyingErrorKey] as? NSError, cause.domain == NSPOSIXErrorDomain {
            return String(cString: strerror(Int32(cause.code)))
        }
        // Foundation does not always keep the system's number, and its own words are a domain and a code.
        let number: Int32? =
            switch (self as? CocoaError)?.code {
            case .fileNoSuchFile?, .fileReadNoSuchFile?: ENOENT
            case .fileReadNoPermission?, .fileWriteNoPermission?: EACCES
            case .fileWriteFileExists?: EEXIST
            case .fileWriteOutOfSpace?: ENOSPC
            case .fileWriteVolumeReadOnly?: EROFS
            default: nil
            }
        return number.map { String(cString: strerror($0)) } ?? "the system does not say why"
    }
}
