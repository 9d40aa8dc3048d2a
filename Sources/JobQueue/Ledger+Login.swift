package import Postgres

/// A source's login as the fleet shares it; the refresh token is not in the ledger.
package struct SharedLogin: Sendable, Equatable {
    /// Uuid text: the sealed file in the state store has the same.
    package let id: String
    /// Why it cannot be used, a sentence; nil if it can.
    package let refusal: String?
    /// The newest access token, sealed; nil before the first.
    package let sealedToken: String?
    /// Seconds that it lives on; less than 0 when it is over.
    package let tokenSeconds: Double?
    /// Whether a process is fetching the next one.
    package let isRefreshing: Bool
    /// What the owner granted.
    package let scopes: [String]
}

/// Logins: who calls these are `coldroll login` and the token source of a worker.
extension Ledger {
    /// Begins a login: forgets what was known of the one before, and resumes what was paused because of that.
    ///
    /// - Parameters:
    ///   - source: whose it is.
    ///   - id: a fresh uuid.
    ///   - subject: Google's number of the account.
    ///   - email: its address, where it is known: for the words of a refusal only.
    ///   - scopes: what was granted.
    ///   - lifetime: how long Google will honour it; nil where Google names no end.
    ///   - replaced: id of the login that the caller saw here before it looked what the state store has; nil for none.
    /// - Returns: false where another login is here by now: look again which one the state store has.
    /// - Throws: `.foreignAccount` if the source is somebody else's; `PostgresError`.
    @discardableResult
    package func signIn(
        source: Int64,
        id: String,
        subject: String,
        email: String? = nil,
        scopes: [String],
        lifetime: Duration?,
        replacing replaced: String?
    ) async throws -> Bool {
        try await learn(subject: subject, email: email, source: source)
        let kept = try await pool.run(
            LoginStatements.signIn,
            [
                .integer(source), .text(id), .texts(scopes), .double(lifetime?.seconds),
                .text(LoginStatements.pauser), .text(replaced),
            ]
        )
        return !kept.isEmpty
    }

    /// Remembers whose source it is the first time; throws `.foreignAccount` if it belongs to somebody else.
    package func learn(subject: String, email: String? = nil, source: Int64) async throws {
        _ = try await pool.run(LoginStatements.learnSubject, [.integer(source), .text(subject)])
        try await refuseForeign(subject: subject, email: email, source: source)
    }

    /// Throws `.foreignAccount` if the source belongs to somebody else; remembers nothing.
    package func refuseForeign(subject: String, email: String? = nil, source: Int64) async throws {
        let row = try await pool.only(LoginStatements.subject, [.integer(source)])
        guard let known = row.textOrNil(0), known != subject else { return }
        let person = email.map { " (you are \($0))" } ?? ""
        // Under a new label nothing is kept that could name the OAuth client.
        throw LedgerError(
            code: .foreignAccount,
            message:
                "This login\(person) is of another Google account than the one whose photos are archived here. Log in as the"
                + " owner of those, or give this account a label of its own: 'coldroll login --client FILE --account LABEL'"
                + " (FILE: the downloaded file of the OAuth client)."
                + (try await wayOut(of: source))
        )
    }

    /// The login of a source; nil if there never was one.
    package func login(source: Int64) async throws(PostgresError) -> SharedLogin? {
        guard let row = try await pool.run(LoginStatements.find, [.integer(source)]).first else { return nil }
        return SharedLogin(
            id: try row.text(0),
            refusal: row.textOrNil(1),
            sealedToken: row.textOrNil(2),
            tokenSeconds: try row.doubleOrNil(3),
            isRefreshing: try row.boolean(4),
            scopes: try row.text(5).split(separator: " ").map(String.init)
        )
    }

    /// Takes the right to fetch the next access token.
    ///
    /// - Parameters:
    ///   - source: whose login.
    ///   - login: as `login(source:)` answered; if anything has changed since, the right is not given.
    ///   - lease: a random number of the caller's.
    ///   - patience: after this somebody else may try.
    /// - Returns: whether the caller has it; if not, somebody else fetches, or has fetched.
    /// - Throws: `PostgresError` where the database does not answer: then the caller fetches for itself.
    package func beginRefresh(
        source: Int64,
        of login: SharedLogin,
        lease: Int64,
        patience: Duration
    ) async throws(PostgresError) -> Bool {
        let held = try await pool.run(
            LoginStatements.beginRefresh,
            [
                .integer(source), .text(login.id), .integer(lease), .double(patience.seconds),
                .text(login.sealedToken),
            ]
        )
        return !held.isEmpty
    }

    /// Shares the token that was fetched under `lease`.
    package func shareToken(
        source: Int64,
        lease: Int64,
        sealed: String,
        lifetime: Duration
    ) async throws(PostgresError) {
        _ = try await pool.run(
            LoginStatements.share,
            [.integer(source), .integer(lease), .text(sealed), .double(lifetime.seconds)]
        )
    }

    /// Gives back the right to refresh, after a failure that may pass; nobody tries again before `pause` is over.
    package func endRefresh(source: Int64, lease: Int64, pause: Duration) async throws(PostgresError) {
        _ = try await pool.run(
            LoginStatements.endRefresh,
            [.integer(source), .integer(lease), .double(pause.seconds)]
        )
    }

    /// Notes that the login cannot be used any more and pauses the source until the next one.
    ///
    /// - Parameters:
    ///   - source: whose login.
    ///   - login: id of the login that was refused; a newer one is left alone.
    ///   - reason: a sentence without secrets.
    /// - Throws: `PostgresError` where the database does not answer; the next one who is refused notes it.
    package func refuseLogin(source: Int64, login: String, reason: String) async throws(PostgresError) {
        _ = try await pool.run(
            LoginStatements.refuse,
            [.integer(source), .text(login), .text(reason), .text(LoginStatements.pauser)]
        )
    }

    /// Whether lanes of the source stand still because of a refused login.
    package func isPausedByLogin(source: Int64) async throws(PostgresError) -> Bool {
        try await pool.only(LoginStatements.pauses, [.integer(source), .text(LoginStatements.pauser)]).boolean(0)
    }

    /// Opens the lanes that a refused login paused, for whoever has other credentials that work; what a person paused stays.
    ///
    /// - Returns: how many were opened.
    @discardableResult
    package func resumeWithoutLogin(source: Int64) async throws(PostgresError) -> Int64 {
        try await pool.only(LoginStatements.resume, [.integer(source), .text(LoginStatements.pauser)]).integer(0)
    }
}
