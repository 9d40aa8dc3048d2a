import Archiver
import CloudStorage
import Foundation
import GoogleAuth
import HTTPClient
import JobQueue

extension Command {
    static let accountFlag = Flag(
        "--account",
        .text("LABEL"),
        "whose login it is, a label of your own",
        fallback: "default",
        variable: "COLDROLL_ACCOUNT"
    )

    static let clientFlag = Flag(
        "--client",
        .text("FILE"),
        "the OAuth client, as the console hands it out; the one of the last login otherwise"
    )

    static let noBrowserFlag = Flag(
        "--no-browser",
        .toggle,
        "for a browser on another machine: print the link, and take the address it ends at"
    )

    static let login = Command(
        name: "login",
        purpose: "log in to Google Photos in a browser, for this host and all others",
        details: [
            "Opens Google's page in the browser and waits for the answer on 127.0.0.1. The login is kept in the state store, "
                + "encrypted with the key in COLDROLL_KEY_FILE: every other host needs that state store and a copy of the key.",
            "The OAuth client is your own: Google Cloud console, Google Auth Platform, Clients, type Desktop app. Name the file "
                + "that the console lets you download with --client the first time; later logins remember it. Google shows each "
                + "client only what that client uploaded, so a source keeps its client, and its owner.",
            "Google is asked for what the source needs, or, where none is chosen, for what any of them needs; and for what the "
                + "account's other sources need that there are, since one login is for all of them.",
        ],
        flags: [
            clientFlag, Source.flag, accountFlag, noBrowserFlag,
            Flag("--wait", .span, "how long to wait for the browser", fallback: "10m"),
        ],
        examples: [
            ("coldroll login --client ~/Downloads/client_secret.json", "the first time"),
            ("coldroll login", "again, when Google asks for it"),
            ("coldroll login --no-browser", "on a server"),
        ],
        need: .everything
    ) { session, arguments in
        let desk = try await SignIn(
            session,
            account: arguments.value(accountFlag.name),
            file: arguments.value(clientFlag.name)
        )
        let client = try await desk.client()
        let patience = arguments.value("--wait").flatMap { Span($0)?.duration } ?? .seconds(600)
        let login = try await desk.ask(client, opensBrowser: !arguments.has(noBrowserFlag.name), patience: patience)
        return try await desk.keep(login)
    }

    static let logout = Command(
        name: "logout",
        purpose: "end the login at Google's and forget it; work stands still until the next one",
        details: [
            "What is stored and what waits in the queue stays. A file in COLDROLL_PHOTOS_CREDENTIALS is not touched.",
            "Broken off anywhere, it may be repeated. A login that somebody makes at the same time is left alone.",
        ],
        flags: [accountFlag],
        examples: [("coldroll logout", "on any host of the fleet")],
        need: .everything
    ) { session, arguments in
        try await SignIn(session, account: arguments.value(accountFlag.name)).end()
    }
}

/// What `login` and `logout` have open.
private struct SignIn {
    let session: Session
    let account: String
    /// The file of the OAuth client that was named.
    let file: String?
    let stores: Stores
    let database: Database
    let store: LoginStore
    let desk: LoginDesk

    init(_ session: Session, account: String?, file: String? = nil) async throws {
        self.session = session
        self.file = file
        self.account = account ?? session.settings.account
        if let fault = SettingsReader.fault(ofAccount: self.account) { throw CommandFault("--account \(fault)") }
        session.warnOfExposedSecrets()
        let http = session.openHTTP()
        stores = try session.openStores(http)
        database = try await session.openLedger()
        if stores.state.url.hasPrefix("file://") {
            // The login may be on the same disk.
            try await refuseUnmounted(stores.archive, database.ledger)
        } else {
            try await database.ledger.refuseForeign(archive: stores.archive.url)
        }
        store = LoginStore(stores.state, account: self.account)
        desk = LoginDesk(http: http, tokenEndpoint: session.settings.oauthEndpoint)
    }

    private var keyPath: String { session.settings.keyFile }
    /// The source that it is for; nil where none is chosen.
    ///
    /// The others that there are of the account take the same login.
    private var kind: String? {
        switch session.settings.source {
        case .library, .picker: session.settings.source?.kind
        case .takeout, nil: nil
        }
    }

    /// The client that the file names, or that of the last login.
    func client() async throws -> OAuthClient {
        let client: OAuthClient
        if let file {
            guard let bytes = FileManager.default.contents(atPath: file) else {
                throw CommandFault("--client is '\(harmless(file))', \(whyUnreadable(file))")
            }
            client = try OAuthClient([UInt8](bytes), name: harmless(file))
        } else if let key = try FleetKey.load(keyPath), let last = try await store.read(key, keyPath: keyPath) {
            client = last.client
        } else {
            throw CommandFault(
                "there is no login of account \(harmless(account)) to take the OAuth client from (none was made, or it was logged out): "
                    + "name the file that the "
                    + "Google Cloud console lets you download (Google Auth Platform, Clients, type Desktop app) with --client "
                    + "FILE"
            )
        }
        for source in Self.sources {
            try await database.ledger.refuseForeign(client: client.id, kind: source.kind, account: account)
        }
        return client
    }

    /// Asks the owner, and exchanges the answer for a login.
    func ask(_ client: OAuthClient, opensBrowser: Bool, patience: Duration) async throws -> Login {
        let answers = AnswerBox()
        let listener = try LoopbackListener(port: client.loopback?.port ?? 0) { answers.judge($0) }
        session.resources.add { await listener.stop() }
        let consent = Consent(
            client: client,
            redirect: client.loopback?.redirect ?? "http://127.0.0.1:\(listener.port)/",
            scopes: LoginScope.needed(by: session.settings.source, and: try await known().map(\.source)).map(\.scope)
        )
        let wait = AnswerWait(consent: consent, reporter: session.reporter, patience: patience)
        answers.open(wait)
        let link = consent.link(page: session.settings.consentPage)
        let browser = opensBrowser ? Browser(environment: session.settings.environment) : nil
        if let browser {
            session.reporter.say("Log in on Google's page in your browser. If it does not open, open this link in it:")
            StandardStream.output.write(link + "\n")
            do throws(CommandFailure) { try browser.open(link) } catch { session.reporter.warn(error.message) }
        } else if opensBrowser {
            session.reporter.say(
                "There is no browser to open here. Open this link in one on this machine; for one on another machine, run "
                    + "'coldroll login --no-browser'."
            )
            StandardStream.output.write(link + "\n")
        } else {
            session.reporter.say(
                "Open this link in a browser, on any machine. After the login the browser cannot reach \(consent.redirect), "
                    + "which is expected: copy the whole address that it ended at, paste it here and press Enter."
            )
            StandardStream.output.write(link + "\n")
        }
        let code = try await wait.code(reads: !opensBrowser)
        return try await desk.login(code: code, consent)
    }

    /// Checks whose login it is and what it may do, then keeps it for the fleet.
    func keep(_ login: Login) async throws -> Ending {
        let needed = LoginScope.needed(by: session.settings.source)
        let missing = LoginScope.missing(from: login.scopes, of: needed)
        guard missing.isEmpty else {
            throw CommandFailure(
                .credentials,
                missing.joined(separator: " ") + " Nothing was kept. Run 'coldroll login' again and tick every box."
            )
        }
        let others = LoginScope.needed(by: session.settings.source, and: try await known().map(\.source))
        LoginScope.missing(from: login.scopes, of: others).forEach { session.reporter.warn($0) }
        let ledger = database.ledger
        let sources = try await sources(of: login)
        for source in sources { try await ledger.learn(subject: login.subject, email: login.email, source: source) }
        let key = try FleetKey.loadOrMake(keyPath)
        try await store.write(login, key)
        for source in sources {
            switch try await records(key).agree(source: source) {
            case .login(let kept, _) where kept.id == login.id: break
            case .login:
                session.reporter.warn(
                    "Another login of this account came at the same moment, and is the one that is kept."
                )
            case .loggedOut, .nothing:
                let again =
                    file == nil ? LoginStore.firstLogin(account: harmless(account)) : "'coldroll login' again"
                throw CommandFailure(
                    .credentials,
                    "Somebody has logged out at the same moment, so this login is gone. Run \(again)."
                )
            }
        }
        if session.settings.photosCredentials != nil {
            session.reporter.warn(
                "COLDROLL_PHOTOS_CREDENTIALS is set and wins over this login: unset it to use the login."
            )
        }
        if let end = login.endsAt {
            session.reporter.warn(
                "Google will refuse this login from \(Self.day(end)) on: the app is in testing. To make it last, publish the app "
                    + "(Google Cloud console, Google Auth Platform, Audience, Publish app) and run 'coldroll login' again; it "
                    + "stays your own, and Google warns about it once."
            )
        }
        let owner = login.email.map { " as \(harmless($0))" } ?? ""
        return Ending(
            .done,
            "Logged in\(owner). The login is in \(stores.state.url), encrypted with the key in \(harmless(keyPath)): to work on "
                + "other hosts, copy that file there, readable by its owner only."
        )
    }

    func end() async throws -> Ending {
        let known = try await known().map(\.id)
        let logout = try await records(try FleetKey.load(keyPath)).end(sources: known) { try await desk.revoke($0) }
        switch logout {
        case .wasNone: return Ending(.done, "Account \(harmless(account)) is not logged in.")
        case .done: return Ending(.done, "Logged out: Google takes this login no more. What is stored stays stored.")
        case .overtaken:
            return Ending(
                .done,
                "Google takes the login that was there no more. Somebody has logged in again meanwhile, and that login is kept: "
                    + "run 'coldroll logout' again to end it too."
            )
        }
    }

    private func records(_ key: FleetKey?) -> LoginRecords {
        LoginRecords(ledger: database.ledger, store: store, key: key, keyPath: keyPath)
    }

    private static let sources = [Source.library, .picker]

    /// The account's sources that there are.
    private func known() async throws -> [(id: Int64, source: Source)] {
        try await database.ledger.sources().filter { $0.account == account }.compactMap { known in
            Self.sources.first { $0.kind == known.kind }.map { (known.id, $0) }
        }
    }

    /// The source that was chosen, made if need be, and those of the same account that there are.
    private func sources(of login: Login) async throws -> [Int64] {
        var sources: [Int64] = []
        for kind in Set(try await known().map(\.source.kind) + [kind].compactMap(\.self)).sorted() {
            sources.append(try await database.ledger.source(kind: kind, account: account, clientID: login.clientID))
        }
        return sources
    }

    private static func day(_ date: Date) -> String { date.formatted(.iso8601.year().month().day()) }
}
