import Archiver
import CloudStorage
import JobQueue
import Postgres
import PrivatePostgres
import Schema

/// What a setup does; each step tells what it did.
struct Setup: Sendable {
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

    func bind(_ database: Database, to stores: Stores) async throws {
        try await checkOwnership(
            of: database.ledger,
            archive: stores.archive,
            state: stores.state,
            logger: session.logger
        )
        session.reporter.say("The ledger belongs to the archive \(stores.archive.url).")
    }
}

extension PrivatePostgres.Upgrade {
    /// What a person is told where it failed; nil where it did not.
    var failure: CommandFailure? {
        guard case .failed(let old, let new, let reason) = self else { return nil }
        return CommandFailure(
            .unreachable,
            "The private database was not carried over from PostgreSQL \(old) to \(new), and goes on with \(old): "
                + "\(reason). Correct that and run 'coldroll setup' again; until then keep the programs of PostgreSQL \(old) "
                + "installed."
        )
    }
}
