import CloudStorage
import Foundation
import GooglePhotos
import JobQueue
import Logging

extension Command {
    static let setup = Command(
        name: "setup",
        purpose: "prepare the database, check the stores and the credentials; safe to repeat",
        details: [
            "Migrates the schema, makes the directories of file:// stores, checks that archive and state store can be "
                + "written, binds the ledger to the archive, and, with COLDROLL_SOURCE=library, asks Google Photos for "
                + "one page to see whether the credentials may list it."
        ],
        examples: [("coldroll setup", "after installing, and after every update")],
        need: .everything,
        output: .events
    ) { session, _ in
        let database = try await session.openDatabase()
        try await session.migrate(database)
        let http = session.openHTTP()
        let stores = try session.openStores(http)
        for (name, store) in [("archive", stores.archive), ("state store", stores.state)] {
            try makeDirectory(store.url)
            try await store.check()
            session.reporter.say("The \(name) \(store.url) is there and can be written.")
        }
        try await database.ledger.bind(archive: stores.archive.url)
        session.reporter.say("The ledger belongs to the archive \(stores.archive.url).")
        switch session.settings.source {
        case .library:
            let photos = try session.openPhotos(http)
            _ = try await photos.client.list(pageToken: nil)
            session.reporter.say("Google Photos lets these credentials list the library.")
        case nil:
            session.reporter.say("COLDROLL_SOURCE is not set, so no credentials for Google Photos were checked.")
        case let other?:
            session.reporter.warn("COLDROLL_SOURCE is \(other.kind), which this version cannot archive yet.")
        }
        return Ending(.done, "Ready. 'coldroll run' archives, 'coldroll status' tells how far it is.")
    }
}

/// Makes the directory of a `file://` store, with its parents; other stores are left alone.
private func makeDirectory(_ url: String) throws {
    guard url.hasPrefix("file://") else { return }
    let path = String(url.dropFirst(7))
    do {
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
    } catch {
        throw CommandFailure(.usage, "the directory \(harmless(path)) cannot be made: \(reason(of: error))")
    }
}

/// The system's own words for a failed file operation.
private func reason(of error: any Error) -> String {
    let error = error as NSError
    let underlying = error.userInfo[NSUnderlyingErrorKey] as? NSError
    guard let posix = [error, underlying].compactMap({ $0 }).first(where: { $0.domain == NSPOSIXErrorDomain }) else {
        return error.localizedDescription
    }
    return String(cString: strerror(Int32(posix.code)))
}

extension Session {
    /// Brings the schema up to date and says what was done.
    fileprivate func migrate(_ database: Database) async throws { fatalError() }
}
