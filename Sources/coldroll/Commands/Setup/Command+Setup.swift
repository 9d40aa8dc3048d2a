import Archiver
import CloudStorage
import GooglePhotos
import HTTPClient
import JobQueue
import Postgres
import PrivatePostgres
import Schema

extension Command {
    static let setup = Command(
        name: "setup",
        purpose: "prepare the database, make or check the stores, check the credentials; safe to repeat",
        details: [
            "Makes or checks the buckets of gs:// stores, migrates the schema, makes the directories of file:// stores, checks "
                + "that archive and state store can be "
                + "written, binds the ledger to the archive, checks that it is the ledger which filled it, and, with "
                + "COLDROLL_SOURCE=library, asks Google Photos for one page to see whether the login may list it, with "
                + "COLDROLL_SOURCE=picker for a picking session, which it ends at once. "
                + "All that fails is told, not only the first. Before anything else it says which settings file was read, if any, "
                + "and where ledger and photos are, or will be.",
            "A private PostgreSQL of an older major version is carried over to the newest one that is installed, as long as "
                + "the old version's programs are installed too; the old database is kept beside it.",
            "A bucket that is missing is made, after the plan was shown with what it costs and agreed to, at the terminal or by "
                + "--yes: Archive class for the archive, Standard for the state store, rights by IAM only, never public. One that "
                + "is there is only ever made safer: public access prevention is turned on, and what --soft-delete and "
                + "--retention ask for. A bucket in which photos could be lost or seen by others is refused: a public one, one "
                + "with a lifecycle rule that deletes or changes the class, Autoclass, a state store in the archive's bucket or "
                + "under a retention policy. Then the database is left as it is too. What may look at the bucket (storage.buckets.get) of "
                + "scan, work, run and serve refuses an archive like that as well, each time before it stores anything.",
        ],
        flags: BucketOptions.flags,
        examples: [
            ("coldroll setup", "after installing, and after every update"),
            ("coldroll setup --dry-run", "what it would do or refuse, and what that costs"),
            ("coldroll setup --yes --soft-delete 30", "without asking"),
        ],
        need: .everything,
        output: .events
    ) { session, arguments in
        session.reporter.say(Origins(session, arguments).sentences)
        let setup = Setup(session: session)
        var steps = Steps(reporter: session.reporter)
        session.warnOfExposedSecrets()
        let http = session.openHTTP()
        let options = BucketOptions(arguments)
        if options.isDry {
            let refusals = try await steps.run { try await BucketSetup(session, http, options).show() }
            for refusal in refusals ?? [] { steps.fail(refusal) }
            if let stores = try await steps.run({ try session.openStores(http) }) {
                let isTaken: Void? = try await steps.run { try await setup.lookAtLedger(stores) }
                // A ledger that does not take them keeps them from being made.
                if isTaken != nil {
                    for (use, store) in [(BucketUse.archive, stores.archive), (.state, stores.state)] {
                        _ = try await steps.run { try setup.lookAtDirectory(use, store) }
                    }
                }
            }
            return steps.failure.map { Ending($0, "Correct that before the setup.") } ?? .done
        }
        // Before the database: with one that is ready, whoever may not look at the buckets would store in them.
        let stores = try await steps.run { try session.openStores(http) }
        var buckets: BucketSetup.Outcome?
        if let stores {
            buckets = try await steps.run {
                // Before anybody is asked whether to make it.
                try await setup.askPresentLedger(of: stores.archive)
                return try await BucketSetup(session, http, options).run()
            }
        }
        for reason in buckets?.reasons ?? [] { steps.fail(reason) }
        var database: Database?
        // After the question: a no leaves all as it is.
        if buckets?.isUnsafe == true {
            session.reporter.say("The database is left as it is until that is corrected.")
        } else if let upgrade = try await steps.run({ try await setup.upgradeServer() }) {
            // The older one serves on, and all else is worth doing.
            if let failure = upgrade.failure { steps.fail(failure) }
            database = try await steps.run { try await setup.prepareDatabase() }
        }
        var hasState = false
        if let stores, buckets?.reasons.isEmpty == true {
            let archive: Void? = try await steps.run {
                try await setup.prepareArchive(stores.archive, database?.ledger)
            }
            // It may be on the very disk that is not mounted.
            if archive != nil && database != nil || !stores.state.url.hasPrefix("file://") {
                hasState = try await steps.run { try await setup.prepare(.state, stores.state) } != nil
                if let database, archive != nil, hasState {
                    _ = try await steps.run { try await setup.bind(database, to: stores) }
                }
            }
        }
        let isLoggedIn = try await steps.run {
            try await setup.checkPhotos(http, stores, database, hasState: hasState)
        }
        guard let status = steps.failure else {
            guard session.settings.source == .library || session.settings.source == .picker else {
                return Ending(
                    .done,
                    "What is there is in order. Before 'coldroll run', set COLDROLL_SOURCE to library or picker, which is what "
                        + "this version archives."
                )
            }
            guard isLoggedIn == true else {
                let login = LoginStore.firstLogin(account: harmless(session.settings.account))
                return Ending(.done, "Almost ready: run \(login), then 'coldroll run'.")
            }
            return Ending(.done, "Ready. 'coldroll run' archives, 'coldroll status' tells how far it is.")
        }
        return Ending(status, "The setup is not complete: correct what failed and run 'coldroll setup' again.")
    }
}

/// Runs steps one after another; one that fails is told and does not keep the others from being tried.
private struct Steps {
    let reporter: Reporter
    /// Exit status of the first step that failed.
    private(set) var failure: ExitStatus?

    init(reporter: Reporter) { self.reporter = reporter }

    /// Runs one step, nil if it failed; throws only when the command was cancelled, or not agreed to.
    mutating func run<Result>(_ body: () async throws -> Result) async throws -> Result? {
        do {
            return try await body()
        } catch let error as NotAgreed {
            throw error
        } catch {
            try Task.checkCancellation()
            fail(error)
            return nil
        }
    }

    mutating func fail(_ error: any Error) {
        reporter.fail(sentence(of: error))
        if failure == nil { failure = ExitStatus(of: error) }
    }
}

/// What a setup does; each step tells what it did.
private struct Setup {
    let session: Session

    func prepareDatabase() async throws -> Database {
        let database = try await session.openDatabase(makes: true)
        // Past a pooler where there is one: a migration is a long transaction.
        let applied = try await Migrator(
            conninfo: database.listenConninfo,
            silence: session.settings.beat.timing.dead
        ).migrate()
        try await database.ledger.checkSchema()
        let version = Migration.all.count
        session.reporter.say(
            applied.isEmpty
                ? "The database's schema is of version \(version) already."
                : "The database's schema is of version \(version) now: \(applied.map(\.name).joined(separator: ", "))."
        )
        return database
    }

    /// Whether the ledger that is there, if one is, takes the archive; changes nothing.
    ///
    /// A schema that is to be brought to this version is not asked.
    func lookAtLedger(_ stores: Stores) async throws {
        guard session.settings.database != nil || PrivatePostgres.exists(home: session.settings.home) else { return }
        let ledger = try await session.openDatabase().ledger
        guard try await ledger.isCurrent() else {
            return session.reporter.say("The database's schema is to be made, or brought to this version.")
        }
        try await refuseUnmounted(stores.archive, ledger)
        session.reporter.say(
            try await ledger.boundArchive() == nil
                ? "The ledger takes the archive \(stores.archive.url): it has none yet."
                : "The ledger takes the archive \(stores.archive.url), which is its own."
        )
    }

    /// Whether the ledger that is there and of this version, if one is, takes the archive.
    ///
    /// One that cannot be asked is told of by a later step. Nothing is left open: a private PostgreSQL is carried over only where
    /// nobody uses it.
    func askPresentLedger(of archive: any ObjectStore) async throws {
        guard session.settings.database != nil || PrivatePostgres.exists(home: session.settings.home) else { return }
        let resources = OpenResources()
        let own = Session(
            settings: session.settings,
            reporter: session.reporter,
            stop: session.stop,
            resources: resources,
            interruption: session.interruption
        )
        do {
            if let ledger = try? await own.openDatabase().ledger, (try? await ledger.isCurrent()) == true {
                try await refuseUnmounted(archive, ledger)
            }
        } catch {
            await resources.closeAll()
            throw error
        }
        await resources.closeAll()
    }

    /// Carries a private PostgreSQL over to the newest major version that is installed.
    ///
    /// - Throws: what keeps the one that is there from being used at all.
    func upgradeServer() async throws -> PrivatePostgres.Upgrade {
        guard session.settings.database == nil else { return .notNeeded }
        let upgrade = try await PrivatePostgres.upgrade(home: session.settings.home, logger: session.logger) {
            conninfo in
            let connection = try await Connection.connect(conninfo)
            let sums = try await LedgerSums.readIfThere(connection)
            await connection.close()
            return sums
        }
        switch upgrade {
        case .notNeeded, .failed: break
        case .inUse(let old, let new):
            session.reporter.warn(
                "PostgreSQL \(new) is installed, and the private database is still one of PostgreSQL \(old): other "
                    + "coldroll processes use it. Stop them and run 'coldroll setup' again to carry it over."
            )
        case .done(let old, let new, let kept):
            session.reporter.say(
                "The private database was carried over from PostgreSQL \(old) to \(new), and compared: nothing differs. "
                    + "The old one is kept in \(harmless(kept)), with what you may have changed in its postgresql.conf; remove "
                    + "it when you need it no more."
            )
        }
        return upgrade
    }

    /// Makes a directory where it is missing, and says so: it may be the mount point of a disk that is not mounted.
    func prepare(_ use: BucketUse, _ store: any ObjectStore) async throws {
        guard let place = DirectoryPlace(store) else {
            try await store.create()
            return session.reporter.say("The \(use.words) \(store.url) is there and can be written.")
        }
        do {
            try await store.create()
        } catch let error as StorageError where [.denied, .noSpace].contains(error.code) {
            throw refused(use, store, error.message, ExitStatus(of: error))
        }
        session.reporter.say("Made the directory of the \(use.words) \(store.url), \(place.words).")
        ask(use, place)
    }

    /// Says that `prepare` would make a directory; changes nothing.
    func lookAtDirectory(_ use: BucketUse, _ store: any ObjectStore) throws {
        guard let place = DirectoryPlace(store) else { return }
        if let refusal = place.refusal {
            throw refused(use, store, "\(harmless(refusal)). This user needs to read and write there.", .credentials)
        }
        session.reporter.say(
            "The directory of the \(use.words) \(store.url) is not there. 'coldroll setup' makes it, \(place.words)."
        )
        ask(use, place)
    }

    /// Nobody meant a disk who named no place.
    private func ask(_ use: BucketUse, _ place: DirectoryPlace) {
        guard place.isRoot, session.settings.environment[use.variable] != nil else { return }
        session.reporter.warn(
            "That is the file system of / itself. If \(use.variable) means another disk, is it mounted? One that is mounted "
                + "later hides what was stored before."
        )
    }

    private func refused(_ use: BucketUse, _ store: any ObjectStore, _ reason: String, _ status: ExitStatus)
        -> CommandFailure
    {
        CommandFailure(
            status,
            "The directory of \(use.variable), \(store.url), is not there and cannot be made: \(reason) If it is on another "
                + "disk, is that mounted?"
        )
    }

    /// Makes a directory only for a ledger that is not bound to another one, nor to this one with a disk in it.
    func prepareArchive(_ archive: any ObjectStore, _ ledger: Ledger?) async throws {
        if let ledger {
            try await refuseUnmounted(archive, ledger)
        } else if archive.url.hasPrefix("file://") {
            return session.reporter.say(
                "The archive \(archive.url) is left as it is until the ledger can be asked whether it knows it."
            )
        }
        try await prepare(.archive, archive)
    }

    func bind(_ database: Database, to stores: Stores) async throws {
        try await checkOwnership(
            of: database.ledger,
            archive: stores.archive,
            state: stores.state,
            logger: session.logger
        )
        session.reporter.say("The ledger belongs to the archive \(stores.archive.url).")
    }

    /// Asks Google for the smallest thing that shows whether the login will do.
    ///
    /// - Parameters:
    ///   - http: sends the requests.
    ///   - stores: where the login is kept.
    ///   - database: nil where it cannot be used.
    ///   - hasState: whether this setup made or found the state store; if not, it may be missing.
    /// - Returns: false where nobody has logged in yet.
    /// - Throws: why the login will not do.
    func checkPhotos(_ http: HTTPClient, _ stores: Stores?, _ database: Database?, hasState: Bool) async throws -> Bool
    {
        switch session.settings.source {
        case .library, .picker:
            if session.settings.photosCredentials == nil, let stores {
                do {
                    if try await session.keptLogin(stores) == nil { return false }
                } catch let error as StorageError where error.code == .noBucket && !hasState {
                    // Why it was not made is told already.
                    session.reporter.say(
                        "The login was not checked: it is kept in the state store \(stores.state.url), which 'coldroll setup' makes "
                            + "once what failed above is corrected."
                    )
                    return false
                }
            }
            let source = try session.requireSource()
            let photos = try await session.openPhotos(source, http, stores, database)
            if source == .picker {
                try await checkPicker(PickerClient(photos.client))
            } else {
                try await checkLibrary(photos, database)
            }
        case nil:
            session.reporter.say("COLDROLL_SOURCE is not set, so no credentials for Google Photos were checked.")
        case let other?:
            session.reporter.warn("COLDROLL_SOURCE is \(other.kind), which this version cannot archive yet.")
        }
        return true
    }

    /// Begins a picking session and ends it.
    private func checkPicker(_ picker: PickerClient) async throws {
        try await picker.deleteSession(try await picker.createSession().id)
        session.reporter.say("Google Photos lets these credentials open the Picker.")
    }

    /// Asks for one page, which counts in the day's quota like any other.
    private func checkLibrary(_ photos: PhotosAccess, _ database: Database?) async throws {
        if let database {
            let requests = RequestBudget(
                queue: database.queue,
                project: JobQueue.project(ofClient: photos.clientID),
                limits: session.limits,
                logger: session.logger
            )
            let client = photos.client.admitting { kind throws(PhotosError) in try await requests.admit(kind) }
            defer { session.resources.add { await requests.giveBack() } }
            _ = try await client.list(pageToken: nil)
        } else {
            _ = try await photos.client.list(pageToken: nil)
        }
        session.reporter.say("Google Photos lets these credentials list the library.")
    }
}

extension PrivatePostgres.Upgrade {
    /// What a person is told where it failed; nil where it did not.
    fileprivate var failure: CommandFailure? {
        guard case .failed(let old, let new, let reason) = self else { return nil }
        return CommandFailure(
            .unreachable,
            "The private database was not carried over from PostgreSQL \(old) to \(new), and goes on with \(old): "
                + "\(reason). Correct that and run 'coldroll setup' again; until then keep the programs of PostgreSQL \(old) "
                + "installed."
        )
    }
}
