import GooglePhotos
import JobQueue
import Logging

extension PickerSource {
    /// Puts back into the queue what was picked again, and ends sessions of which all is stored or acknowledged.
    ///
    /// No later listing shows what one of a session left out, and once it is deleted nothing can: so its pages are compared
    /// with the ledger once more. Any process may do this, at any time.
    func settle() async throws -> Bool {
        let revived = try await ledger.revivePicked(source: source)
        if revived > 0 { logger.log(.info, "picked again: in the queue again", ["parts": .integer(revived)]) }
        var goesOn = false
        var failure: (any Error)?
        for pick in try await ledger.expiredPicks(source: source) {
            do {
                _ = try await client.session(pick.session)
            } catch {
                // It has expired an hour ago, and was listed: whoever comes next asks again.
                guard error.code == .sessionOver else { continue }
                do { try await confirmEnd(of: pick.session, pick.id) } catch { failure = failure ?? error }
            }
        }
        // What is doubted of a session needs it: so all that is stored of one is compared before it goes.
        let finished = try await ledger.finishedPicks(source: source)
        // Not each time: while one cannot be ended this comes back every few seconds.
        if !finished.isEmpty, try await ledger.isComparisonDue(sources: [source]) {
            try await ledger.doubtTwins(sources: [source], telling: logger)
        }
        for pick in finished {
            // One that cannot be ended keeps no other from its end.
            do {
                if try await !settle(pick) { goesOn = true }
            } catch {
                failure = failure ?? error
            }
        }
        if let failure { throw failure }
        return goesOn
    }

    /// - Returns: false if its listing goes on behind where it seemed to end.
    private func settle(_ pick: PickSession) async throws -> Bool {
        do {
            let look = try await looked(through: pick)
            let unlisted = try await ledger.unlistedItems(source: source, look.ids, session: pick.id)
            guard unlisted.isEmpty, look.strangers <= 0 else {
                logger.log(
                    .warning,
                    "the listing of a picking session had seemed to end, and goes on",
                    [
                        "session": .integer(pick.id),
                        "items": .integer(Int64(unlisted.count) + max(0, look.strangers)),
                    ]
                )
                try await ledger.noteUnlisted(pick.id)
                return false
            }
            // By now it may be over for another process, or listed again.
            guard try await ledger.isFinishedPick(pick.id) else { return true }
            if look.ids.isEmpty, try await ledger.hasPicks(pick.id) {
                throw PhotosError(
                    code: .unavailable(retryAfter: nil),
                    message: "Google lists nothing of a picking session that it listed before."
                )
            }
            if look.ids.isEmpty || look.unreadable > 0 {
                // What it may hold besides only Google knows: it is left to end by itself.
                try await ledger.endPick(pick.id, look.ids.isEmpty ? .unused : .done)
                return true
            }
            guard try await isDeleted(pick) else { return true }
            try await ledger.endPick(pick.id, .done)
            logger.log(.info, "picking session ended: all of it is dealt with", ["session": .integer(pick.id)])
        } catch let error as PhotosError where error.code == .sessionOver {
            try await confirmEnd(of: pick.session, pick.id)
            guard try await ledger.noteUnsure(pick.id) else { return true }
            logger.log(
                .warning,
                """
                A picking session was over before Google could be asked a last time whether it holds more than was listed. If \
                you miss something that you picked in it, pick it again.
                """,
                ["session": .integer(pick.id)]
            )
        }
        return true
    }

    /// Deletes a session of which nothing is missing; false where Google does not take that now: whoever settles next tries it
    /// again, and in the end it expires.
    private func isDeleted(_ pick: PickSession) async throws -> Bool {
        for number in 0..<3 {
            do {
                if number > 0 { try await Task.sleep(for: Self.pause) }
                try await client.deleteSession(pick.session)
                return true
            } catch let error as PhotosError where error.code != .sessionOver {
                logger.log(.info, "a picking session could not be deleted", ["error": .string(error.message)])
            }
        }
        return false
    }

    /// Before each look: what deceived the scan may have lasted until its end.
    private static let silence = Duration.seconds(5)

    /// What two looks found, since an answer that lost its token looks as if the listing ended there.
    private struct Look {
        /// All ids.
        var ids: [String] = []
        /// Entries that have none.
        var unreadable = 0
        /// How many of those must be something that was never listed, in the look that showed the most.
        var strangers: Int64 = 0
    }

    private func looked(through pick: PickSession) async throws -> Look {
        var look = Look()
        var ids: Set<String> = []
        for _ in 0..<2 {
            try await Task.sleep(for: Self.silence)
            let pages = try await pages(of: pick.session, row: pick.id)
            let now = Set(pages.flatMap { $0.items.map(\.id) })
            let unreadable = pages.reduce(0) { $0 + $1.unreadable.count }
            ids.formUnion(now)
            look.unreadable += unreadable
            if unreadable > 0 {
                let allowed = try await ledger.unreadAllowed(pick.id, beside: Array(now))
                look.strangers = max(look.strangers, Int64(unreadable) - allowed)
            }
        }
        look.ids = Array(ids)
        return look
    }
}

extension ArchiveContext {
    /// Settles what can be.
    ///
    /// - Returns: as `ItemSource.settle`.
    /// - Throws: `ArchiverError` `.unavailable` if it failed three times: nobody knows then whether all that was picked was listed;
    ///   `CancellationError`.
    func settled() async throws -> Bool {
        var failure: (any Error)?
        for number in 0..<3 {
            do {
                if number > 0 { try await Task.sleep(for: PickerSource.pause) }
                return try await items.settle()
            } catch let error as CancellationError {
                throw error
            } catch {
                failure = error
            }
        }
        throw ArchiverError(
            code: .unavailable,
            message:
                "All that was listed is stored or told, but Google could not be asked once more whether there is more in the "
                + "picking session: \(failure.map { "\($0)" } ?? "no answer") Run it again before the session expires."
        )
    }
}
