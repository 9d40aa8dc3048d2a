import Archiver
import CloudStorage
import JobQueue

/// Stores on disks, which may not be mounted.
extension Setup {
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
}
