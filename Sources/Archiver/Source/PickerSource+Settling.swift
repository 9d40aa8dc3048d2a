import GooglePhotos
import JobQueue
import Logging

extension PickerSource {
    /// Puts back into the queue what was picked again, and ends sessions of which all is stored or acknowledged.
    ///
    /// No later listing shows what one of a session left out, and once it is deleted nothing can: so its pages are compared
    /// with the ledger first. Any process may do this, at any time.
    func settle() async throws -> Bool {
        let revived = try await ledger.revivePicked(source: source)
        if revived > 0 { logger.log(.info, "picked again: in the queue again", ["parts": .integer(revived)]) }
        try await ledger.endExpiredPicks(source: source)
        var goesOn = false
        for pick in try await ledger.finishedPicks(source: source) {
            do {
                let unknown = try await ledger.unknownItems(source: source, try await itemsPicked(in: pick))
                guard unknown.isEmpty else {
                    logger.log(
                        .warning,
                        "the listing of a picking session had seemed to end, and goes on",
                        ["session": .integer(pick.id), "items": .integer(Int64(unknown.count))]
                    )
                    try await ledger.noteUnlisted(pick.id)
                    goesOn = true
                    continue
                }
                try await client.deleteSession(pick.session)
                try await ledger.endPick(pick.id, .done)
                logger.log(.info, "picking session ended: all of it is dealt with", ["session": .integer(pick.id)])
            } catch let error as PhotosError where error.code == .sessionOver {
                try await confirmEnd(of: pick.session, pick.id)
            }
        }
        return goesOn
    }

    /// How long after the listing, and after one look, the next one is: what made an answer lose its end may last.
    private static let silence = Duration.seconds(5)

    /// All ids, as two looks found them that lie apart, since an answer that lost its token looks as if the listing ended there.
    private func itemsPicked(in pick: PickSession) async throws -> [String] {
        var ids: [String] = []
        for _ in 0..<2 {
            try await Task.sleep(for: Self.silence)
            for page in try await pages(of: pick.session, row: pick.id) { ids += page.items.map(\.id) }
        }
        return Array(Set(ids))
    }
}

extension ArchiveContext {
    /// Settles what can be; what fails three times is tried again later.
    ///
    /// - Returns: as `ItemSource.settle`; false where it failed.
    func settled() async -> Bool {
        var failure: (any Error)?
        for number in 0..<3 {
            do {
                if number > 0 { try await Task.sleep(for: .seconds(5)) }
                return try await items.settle()
            } catch is CancellationError {
                break
            } catch {
                failure = error
            }
        }
        if let failure {
            logger.log(.warning, "a picking session could not be ended yet", ["error": .string("\(failure)")])
        }
        return false
    }
}
