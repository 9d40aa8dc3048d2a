package import CloudStorage
import Foundation
package import JobQueue
package import Logging

/// Stops a ledger that does not belong to this archive, as every scan, worker and run does before it begins.
///
/// Called by `setup`, so that a swapped or forgotten database is told when it is set up and not at the first run. Binds
/// the ledger to the archive, and leaves the first marker in the state store, also in another one than before: only `setup`
/// does, and by that the owner says that the old one is lost.
/// - Parameters:
///   - ledger: migrated.
///   - archive: where the objects stand.
///   - state: where the marker stands.
///   - logger: hears of a state store that is another one than before.
/// - Throws: `ArchiverError` with what to do; `LedgerError`; `StorageError`; `PostgresError`.
package func checkOwnership(
    of ledger: Ledger,
    archive: any ObjectStore,
    state: any ObjectStore,
    logger: Logger
) async throws {
    let ownership = try await Marker.check(ledger, archive, state, mayBegin: true)
    if ownership == .unmarked { logger.log(.warning, "the state store had no marker of this ledger: it has one now") }
}

/// How a ledger and its archive stand to each other, where nothing keeps them apart.
package enum Ownership: Sendable, Equatable {
    /// The state store's marker is of this ledger, and no newer.
    case known
    /// Neither holds anything of coldroll's: the first run binds them.
    case new
    /// The ledger knows objects that are there, and the state store has no marker: it is another one than before.
    case unmarked
}

/// Finds out what `checkOwnership` would, and writes nothing: neither a marker nor into a directory.
///
/// - Returns: `.known` or `.new`.
/// - Throws: what a run would throw.
package func lookAtOwnership(
    of ledger: Ledger,
    archive: any ObjectStore,
    state: any ObjectStore
) async throws -> Ownership {
    try await ledger.refuseForeign(archive: archive.url)
    // A directory that was never an archive gets a mark of its own in a run, and is refused by a ledger that knows another.
    let ownership = try await Marker.judge(ledger, archive, state, id: try await lookAtArchive(archive, ledger) ?? "")
    if ownership == .unmarked { throw Marker.missing(from: state) }
    return ownership
}

/// What every run leaves in the state store, so that a lost, swapped or restored ledger is noticed before it stores
/// anything: a ledger that forgot its objects would store them a second time under other names.
struct Marker: Codable, Equatable {
    /// The ledger's own id.
    var ledger: String
    /// Runs that the ledger had recorded.
    var run: Int64
    /// Objects that the ledger knew.
    var objects: Int64
    /// Items that were ever picked; nil in markers of before that was counted.
    ///
    /// What a library holds the next scan finds again, what was picked nothing but a ledger that knows of it.
    var picks: Int64?
    /// URL of the archive.
    var archive: String

    static let objectName = "coldroll/marker.json"

    /// Reads the marker; nil if there is none.
    static func read(_ state: any ObjectStore) async throws -> (marker: Marker, generation: Int64)? {
        guard let (bytes, generation) = try await state.read(objectName) else { return nil }
        guard let marker = try? JSONDecoder().decode(Marker.self, from: Data(bytes)) else {
            throw ArchiverError(
                code: .foreignLedger,
                message: "\(objectName) in the state store \(state.url) cannot be read: it is not what coldroll "
                    + "writes. Look at it, and move it away if it is not yours."
            )
        }
        return (marker, generation)
    }

    /// Stops a ledger that does not belong to this archive.
    ///
    /// A marker without objects locks nobody out: its ledger never stored anything.
    ///
    /// Called before anything is stored. Also binds the ledger to the archive, and leaves the first marker.
    /// - Throws: `ArchiverError` with what to do; `LedgerError`; `StorageError`; `PostgresError`.
    static func check(_ context: ArchiveContext) async throws {
        _ = try await check(context.ledger, context.archive, context.state, mayBegin: false)
    }

    /// `mayBegin`: whether a state store is taken that is another one than before.
    fileprivate static func check(
        _ ledger: Ledger,
        _ archive: any ObjectStore,
        _ state: any ObjectStore,
        mayBegin: Bool
    ) async throws -> Ownership {
        try await ledger.checkSchema()
        try await refuseUnmounted(archive, ledger)
        // An archive that is away (a disk not mounted, a bucket gone) must not look like one with nothing to do.
        try await archive.check()
        let id = try await archive.identity()
        let ownership = try await judge(ledger, archive, state, id: id)
        if ownership == .unmarked, !mayBegin { throw missing(from: state) }
        // Not before all else is in order: a ledger is bound once. Of two hosts that do so with a directory each, one is
        // refused.
        try await ledger.bind(archive: archive.url, id: id)
        if ownership == .known { return ownership }
        // Before the first object: a process killed between that and its ledger row leaves an empty ledger beside an
        // archive that is not, and must be known as this archive's own.
        try await leave(ledger, archive, state)
        return ownership
    }

    /// Why a state store without a marker is refused by a ledger that has stored something.
    fileprivate static func missing(from state: any ObjectStore) -> ArchiverError {
        ArchiverError(
            code: .foreignLedger,
            message:
                "The state store \(state.url) is not the one in which the runs of this ledger left their mark; logins and "
                + "what guards the ledger against old backups are in that one. Nothing was stored. Correct COLDROLL_STATE; if "
                + "the store of before is lost, run 'coldroll setup', which begins this one."
        )
    }

    /// Compares ledger, archive and marker; `id` is the archive's mark, nil where it has none.
    fileprivate static func judge(
        _ ledger: Ledger,
        _ archive: any ObjectStore,
        _ state: any ObjectStore,
        id: String?
    ) async throws -> Ownership {
        try await ledger.refuseForeign(archive: archive.url, id: id)
        // The marker first: the fleet goes on storing and leaving markers, and the ledger only grows.
        let found = try await read(state)
        let identity = try await ledger.identity()
        try await lookForWitnesses(ledger, archive)
        if let (marker, _) = found,
            marker.ledger == identity.id || marker.objects > 0 || identity.objects > 0
        {
            try compare(marker, identity, archive: archive.url)
            return .known
        }
        guard identity.objects == 0 else { return .unmarked }
        try await refuseForgottenArchive(archive)
        return .new
    }

    /// Looks for the first and the last object that the ledger knows: two requests a run.
    ///
    /// Whoever emptied, swapped or remounted the archive has taken at least one of them.
    private static func lookForWitnesses(_ ledger: Ledger, _ archive: any ObjectStore) async throws {
        for witness in try await ledger.witnesses() {
            let found = try await archive.head(witness.name)
            guard found?.size != witness.size || found?.crc32c != witness.crc32c else { continue }
            throw ArchiverError(
                code: .foreignLedger,
                message: "The archive \(archive.url) does not hold \(witness.name) as it was stored: it is "
                    + "\(found == nil ? "not there" : "another object"). Nothing was stored. If the archive is a disk, "
                    + "mount it; if objects were deleted or replaced, restore them. Until then nothing in Google Photos "
                    + "should be deleted because coldroll stored it."
            )
        }
    }

    /// A pure comparison, so that its test is a table.
    static func compare(_ marker: Marker, _ ledger: LedgerIdentity, archive: String) throws {
        let remedy =
            " Nothing was stored. Restore the database that goes with this archive (COLDROLL_DATABASE_URL or "
            + "COLDROLL_HOME); to begin anew, name another archive and state store."
        guard marker.archive == archive else {
            throw ArchiverError(
                code: .foreignLedger,
                message: "The state store belongs to the archive \(marker.archive), not to \(archive)." + remedy
            )
        }
        guard marker.ledger == ledger.id else {
            let what = ledger.objects == 0 ? "is empty" : "is another one"
            throw ArchiverError(
                code: .foreignLedger,
                message: "The archive was filled by ledger \(marker.ledger) (\(marker.objects) objects in "
                    + "\(marker.run) runs), and this ledger \(what)." + remedy
            )
        }
        guard marker.run <= ledger.runs, marker.objects <= ledger.objects else {
            throw ArchiverError(
                code: .foreignLedger,
                message: "This ledger is older than its archive: it knows \(ledger.objects) objects of "
                    + "\(ledger.runs) runs, and the last run left \(marker.objects) of \(marker.run). It is probably "
                    + "a restored backup." + remedy
            )
        }
        let picks = marker.picks ?? 0
        guard picks <= ledger.picks else {
            throw ArchiverError(
                code: .foreignLedger,
                message:
                    "This ledger is older than what was picked last: it knows \(ledger.picks) picked items, and there "
                    + "were \(picks). It is probably a restored backup, and what was picked since is in no other "
                    + "place." + remedy
            )
        }
    }

    /// An empty ledger without a marker: fine beside an archive that coldroll never wrote to, even if others did.
    private static func refuseForgottenArchive(_ archive: any ObjectStore) async throws {
        var token: String?
        repeat {
            let page = try await archive.list(prefix: "", pageToken: token)
            if let object = page.objects.first(where: { Identity(metadata: $0.metadata) != nil }) {
                throw ArchiverError(
                    code: .foreignLedger,
                    message: "This ledger is empty, but the archive \(archive.url) holds objects that "
                        + "coldroll stored, for example \(object.name). Nothing was stored. Restore the database that "
                        + "goes with this archive (COLDROLL_DATABASE_URL or COLDROLL_HOME), or name another archive."
                )
            }
            token = page.nextPageToken
        } while token != nil
    }

    /// Leaves a marker that knows at least what the ledger knows now.
    ///
    /// Several hosts may do so at once, each with what their one ledger says: whoever comes second finds the work done, or
    /// tries again after a while, since a bucket takes one write a second to an object (Cloud Storage docs, "Quotas").
    static func leave(_ context: ArchiveContext) async throws {
        try await leave(context.ledger, context.archive, context.state)
    }

    /// The same at the end of a run or a worker, with what else `body` writes into the state store.
    ///
    /// Where it was told to stop, a state store that does not answer is only logged: the sums are told, and the next run leaves it.
    static func leave(
        _ context: ArchiveContext,
        unlessIn stop: StopSignal,
        then body: () async throws -> Void = {}
    ) async throws {
        do {
            try await leave(context)
            try await body()
        } catch {
            guard stop.level != .none else { throw error }
            context.logger.log(
                .warning,
                "the marker could not be left in the state store; the next run leaves it",
                ["error": .string("\(error)")]
            )
        }
    }

    private static func leave(_ ledger: Ledger, _ archive: any ObjectStore, _ state: any ObjectStore) async throws {
        let identity = try await ledger.identity()
        let marker = Marker(
            ledger: identity.id,
            run: identity.runs,
            objects: identity.objects,
            picks: identity.picks,
            archive: archive.url
        )
        for attempt in 0..<10 {
            if attempt > 0 { try await Task.sleep(for: .milliseconds(Int.random(in: 200...2000))) }
            let found = try await read(state)
            if let found, found.marker.knows(marker) { return }
            let encoder = JSONEncoder()
            encoder.outputFormatting = [.sortedKeys, .prettyPrinted, .withoutEscapingSlashes]
            let isWritten = try await state.replace(
                objectName,
                with: Array(try encoder.encode(marker)),
                contentType: "application/json",
                ifGeneration: found?.generation ?? 0
            )
            if isWritten { return }
        }
        throw ArchiverError(
            code: .unavailable,
            message:
                "\(objectName) in the state store \(state.url) could not be written: others keep writing it."
        )
    }

    /// Whether it was left by the same ledger, later or at the same time.
    private func knows(_ other: Marker) -> Bool {
        ledger == other.ledger && archive == other.archive && run >= other.run && objects >= other.objects
            && (picks ?? 0) >= (other.picks ?? 0)
    }
}
