package import CloudStorage
package import JobQueue

/// Refuses an archive that is not the ledger's, before anything is made or written in it.
///
/// A directory that was the ledger's archive and is not there, or has lost its mark, is mostly the mount point of a disk that is
/// not mounted: what is written there is hidden by the disk later, and fills another one meanwhile.
/// - Throws: `StorageError` `.noBucket` or `LedgerError` `.foreignArchive` with what to do.
package func refuseUnmounted(_ archive: any ObjectStore, _ ledger: Ledger) async throws {
    try await ledger.refuseForeign(archive: archive.url)
    guard let bound = try await ledger.boundArchive(), archive.url.hasPrefix("file://") else { return }
    let id = try await lookAtArchive(archive, ledger)
    if bound.id != nil { try await ledger.refuseForeign(archive: archive.url, id: id ?? "") }
}

/// The archive's mark as `look` finds it, without writing anything.
///
/// - Throws: as `look`; of a directory that the ledger is bound to, and that is not there, that it is to be mounted, not made.
package func lookAtArchive(_ archive: any ObjectStore, _ ledger: Ledger) async throws -> String? {
    do {
        return try await archive.look()
    } catch let error as StorageError where error.code == .noBucket {
        guard archive.url.hasPrefix("file://"), try await ledger.boundArchive()?.url == archive.url else { throw error }
        throw StorageError(
            code: .noBucket,
            message:
                "The directory \(archive.url), which is the archive of this ledger, is not there on this host. Mount the disk "
                + "that holds it, or bring it back from your copy, with its folder .coldroll; several hosts need one that all of "
                + "them reach. Nothing was made in its place."
        )
    }
}
