import CPostgres

/// What a conninfo says, with the defaults of this program where it says nothing.
struct ConnectParameters: Sendable {
    /// libpq keywords and values, complete: nothing in them is parsed again.
    let options: [(keyword: String, value: String)]
    /// How long connecting may take: `connect_timeout` for each host of the conninfo; nil is for ever (libpq's 0).
    let timeout: Duration?
    /// Never to be printed.
    private let password: String?

    /// Parses a conninfo.
    ///
    /// - Parameters:
    ///   - conninfo: libpq URI or key/value string.
    ///   - applicationName: for `pg_stat_activity`, where neither the conninfo nor `PGAPPNAME` names one.
    /// - Throws: `PostgresError` 08001 (`sqlclient_unable_to_establish_sqlconnection`) without any part of the string,
    ///   because a mistake in it may well be a piece of its password.
    init(_ conninfo: String, applicationName: String) throws(PostgresError) {
        var settings = try Self.parse(conninfo)
        let isURI = conninfo.hasPrefix("postgres://") || conninfo.hasPrefix("postgresql://")
        if isURI, Self.isAmbiguous(conninfo, user: settings["user"]) { throw Self.unreadable }
        password = settings["password"]
        // Seconds, but for tcp_user_timeout (milliseconds). A dead network is noticed within about 10 s, well before a
        // lease ends; libpq documentation, "Parameter Key Words".
        let defaults = [
            "fallback_application_name": applicationName, "connect_timeout": "10", "keepalives_idle": "10",
            "keepalives_interval": "5", "keepalives_count": "2", "tcp_user_timeout": "10000",
        ]
        settings.merge(defaults) { given, _ in given }
        // Text goes both ways as UTF-8 whatever PGCLIENTENCODING says.
        settings["client_encoding"] = "UTF8"
        let seconds = settings["connect_timeout"].flatMap(Int.init) ?? 10
        let hosts = (settings["hostaddr"] ?? settings["host"] ?? "").split(separator: ",").count
        timeout = seconds > 0 ? .seconds(seconds * max(1, hosts)) : nil
        options = settings.sorted { $0.key < $1.key }.map { ($0.key, $0.value) }
    }

    /// The text with the password, should it occur there, taken out.
    func redact(_ text: String) -> String {
        guard let password, !password.isEmpty else { return text }
        return text.split(separator: password, omittingEmptySubsequences: false).joined(separator: "***")
    }

    private static let unreadable = PostgresError(
        code: .server(sqlState: "08001"),
        message: "the database URL cannot be read: expected postgresql://USER:PASSWORD@HOST:PORT/DATABASE, or "
            + "key=value pairs; in a URL, write %40 for @, %2F for /, %3A for : and %25 for % inside a password",
        statement: nil
    )

    private static func parse(_ conninfo: String) throws(PostgresError) -> [String: String] {
        guard let first = unsafe PQconninfoParse(conninfo, nil) else { throw unreadable }
        defer { unsafe PQconninfoFree(first) }
        var settings: [String: String] = [:]
        var option = unsafe first
        while let keyword = unsafe option.pointee.keyword {
            if let value = unsafe option.pointee.val {
                settings[unsafe String(cString: keyword)] = unsafe String(cString: value)
            }
            unsafe option += 1
        }
        return settings
    }

    /// Whether an unescaped `@` or `/` in a URI's password has moved a piece of it into host, port or database, which
    /// libpq names in its messages.
    private static func isAmbiguous(_ uri: String, user: String?) -> Bool {
        let authorityAndPath = uri.prefix { $0 != "?" }
        let signs = authorityAndPath.count { $0 == "@" }
        return signs > 1 || (signs == 1 && user == nil)
    }
}

extension PostgresError {
    /// From what libpq says after a failed attempt with `PQERRORS_VERBOSE`, where the server's answer carries its
    /// SQLSTATE: `… failed: FATAL:  3D000: database "x" does not exist`, then `LOCATION:` lines.
    init(connecting text: String) {
        let lines = text.split(whereSeparator: \.isNewline).map(\.trimmingSpaces).filter { !$0.hasPrefix("LOCATION:") }
        let message = lines.joined(separator: "; ")
        guard let match = message.matches(of: #/: {2}([0-9A-Z]{5}): /#).last else {
            // OpenSSL's "certificate verify failed", libpq's "server certificate for … does not match host name …" and
            // "root certificate file … does not exist".
            let advice =
                message.contains("certificate")
                ? ". It has no certificate that can be trusted: check the host, sslrootcert and sslmode in the database URL."
                : ""
            self.init(code: .connectionLost, message: message + advice, statement: nil)
            return
        }
        self.init(
            code: .server(sqlState: String(match.1)),
            message: message.replacing(#/: {2}[0-9A-Z]{5}: /#, with: ": "),
            statement: nil
        )
    }
}

extension Substring {
    fileprivate var trimmingSpaces: String {
        var rest = self[...]
        while rest.first?.isWhitespace == true { rest.removeFirst() }
        while rest.last?.isWhitespace == true { rest.removeLast() }
        return String(rest)
    }
}
