import Archiver
import CloudStorage

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
                + "All that fails is told, but for what can be looked at only when something else is right. Before anything else it says which settings file was read, if any, "
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
