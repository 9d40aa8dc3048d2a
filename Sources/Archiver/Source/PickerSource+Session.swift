import GooglePhotos
import JobQueue
import Logging

extension PickerSource {
    /// How long a person is waited for where Google names neither a limit nor the session's end.
    private static let longestWait = Duration.seconds(24 * 3600)
    /// Refusals of a new session that are waited for: they may mean a quota a minute, or too many sessions of one person.
    private static let refusals = 2

    /// Goes on with the session of this scan, or makes one, and waits until the person has picked.
    func listing(for scan: Scan, _ ticket: ScanTicket) async throws -> any Listing {
        if try await scan.answered({ try await ledger.hasLostPick(ticket) }) { throw Self.expired }
        if let known = try await scan.answered({ try await ledger.openPick(ticket) }) {
            if try await isPicked(known, scan) { return try await listing(of: known, for: scan, ticket) }
        }
        let session = try await create(scan)
        let pick = try await scan.answered {
            try await ledger.beginPick(ticket, session: session.id, link: session.link, expiresAt: session.expiresAt)
        }
        try await waitForPerson(pick, session, scan, isResumed: false)
        return try await listing(of: pick, for: scan, ticket)
    }

    /// Warns first of what is missing from the pick before.
    ///
    /// A pick that is complete settles one that failed. Whoever found that out may have had nobody to tell, and may have done so
    /// while the person picked: so it is told now.
    private func listing(of pick: PickSession, for scan: Scan, _ ticket: ScanTicket) async throws -> any Listing {
        if let before = try await scan.answered({ try await ledger.failureBefore(ticket) }) {
            logger.log(.warning, "something is missing from the pick before this one", ["reason": .string(before)])
        }
        return PickerListing(source: self, session: pick.session, row: pick.id)
    }

    private func create(_ scan: Scan) async throws -> PickerSession {
        var refused = 0
        return try await scan.patiently { () async throws(PhotosError) in
            do throws(PhotosError) {
                return try await client.createSession()
            } catch {
                guard case .quota = error.code else { throw error }
                refused += 1
                guard refused >= Self.refusals else { throw error }
                throw PhotosError(
                    code: .rejected(status: 429),
                    message:
                        "\(error.message) Google allows this account no more picking sessions at present: try again later."
                )
            }
        }
    }

    /// Whether a session that an earlier process made can be listed; waits for the person if it is open still.
    ///
    /// - Returns: false where nobody picked in it, and nobody can any more: a new one takes its place.
    /// - Throws: `.sessionOver` where what was picked is lost.
    private func isPicked(_ pick: PickSession, _ scan: Scan) async throws -> Bool {
        guard let session = try await session(of: pick, scan) else {
            guard pick.isPicked else {
                warnOfUnseen()
                return false
            }
            throw Self.expired
        }
        // What was seen once is believed: a session that is taken for unused would be ended with all that was picked.
        if session.isPicked || pick.isPicked {
            try await scan.answered { try await ledger.notePicked(pick.id) }
            return true
        }
        guard session.timeout != .zero, let link = session.link ?? client.link(kept: pick.link) else {
            // Whoever presses Done in it from now on is told by Google, as far as it can be deleted.
            try? await client.deleteSession(pick.session)
            try await scan.answered { try await ledger.endPick(pick.id, .unused) }
            warnOfUnseen()
            return false
        }
        try await waitForPerson(pick, session, scan, isResumed: true, link: link)
        return true
    }

    /// Nobody can tell any more whether the person pressed Done in a page: he is told, since he knows.
    private func warnOfUnseen() {
        logger.log(
            .warning,
            """
            The page of Google's Picker that was shown before is over, and coldroll has seen no picks in it. If you did press \
            Done there, nothing of that is archived: pick it again.
            """
        )
    }

    /// Google's word on a session; nil if it is over, which is noted then.
    private func session(of pick: PickSession, _ scan: Scan) async throws -> PickerSession? {
        do {
            return try await scan.patiently { () async throws(PhotosError) in try await client.session(pick.session) }
        } catch let error as PhotosError where error.code == .sessionOver {
            logger.log(.warning, "asking again whether a picking session is over", ["session": .integer(pick.id)])
        }
        try await scan.sleep(Self.pause)
        do {
            return try await scan.patiently { () async throws(PhotosError) in try await client.session(pick.session) }
        } catch let error as PhotosError where error.code == .sessionOver {
            try await scan.answered { try await ledger.endPick(pick.id, pick.isPicked ? .expired : .unused) }
            return nil
        }
    }

    /// Shows the link, and asks as often as Google says until the person has pressed Done.
    private func waitForPerson(
        _ pick: PickSession,
        _ session: PickerSession,
        _ scan: Scan,
        isResumed: Bool,
        link: String? = nil
    ) async throws {
        let begin = ContinuousClock.now
        let deadline = scan.deadline()
        var end = begin + (pick.secondsLeft.map { Duration.seconds($0) } ?? Self.longestWait)
        if let timeout = session.timeout { end = min(end, begin + timeout) }
        await desk.invite(
            PickerDesk.Invitation(
                link: link ?? session.link ?? "",
                mostItems: PickerClient.mostItems,
                patience: session.timeout,
                isResumed: isResumed
            )
        )
        defer { desk.waitEnds() }
        var session = session
        while !session.isPicked {
            try await scan.sleep(min(session.pollInterval, max(.zero, ContinuousClock.now.duration(to: end))))
            try scan.check(deadline, "Nobody has pressed Done in Google's Picker yet.")
            guard let news = try await self.session(of: pick, scan) else {
                throw Self.notPicked(within: begin.duration(to: .now), canGoOn: false)
            }
            session = news
            if let timeout = session.timeout { end = min(end, .now + timeout) }
            guard session.isPicked || ContinuousClock.now < end else {
                throw Self.notPicked(within: begin.duration(to: .now), canGoOn: true)
            }
        }
        try await scan.answered { try await ledger.notePicked(pick.id) }
        logger.log(.info, "the person has picked", ["session": .integer(pick.id)])
    }

    private static func notPicked(within wait: Duration, canGoOn: Bool) -> ArchiverError {
        let minutes = max(1, wait.components.seconds / 60)
        let rest =
            canGoOn
            ? "Run it again: if you have pressed Done by then, it goes on with what you picked; else there is a new link."
            : "The link is dead; run it again for a new one, and pick again what you picked in it."
        return ArchiverError(
            code: .notPicked,
            message: "Nobody pressed Done in Google's Picker within \(minutes) min, so nothing was listed. \(rest)"
        )
    }

    /// Why what was picked cannot be listed to its end.
    static let expired = PhotosError(
        code: .sessionOver,
        message:
            "The picking session expired before all that was picked was listed. What was listed is queued or stored; pick "
            + "the rest again: run 'coldroll run --source picker'."
    )
}

/// What was picked in one session.
private struct PickerListing: Listing {
    let source: PickerSource
    let session: String
    let row: Int64

    var growsAtFront: Bool { false }
    var isShownOnce: Bool { true }

    func place(_ token: String?) -> PickPlace? { PickPlace(session: row, pageToken: token) }

    func page(_ token: String?) async throws(PhotosError) -> MediaPage {
        do {
            return try await source.client.list(session: session, pageToken: token)
        } catch {
            switch error.code {
            // The session said that the person had picked: one of the two answers passes.
            case .notPicked: throw PhotosError(code: .malformed, message: error.message)
            case .sessionOver: throw try await end()
            default: throw error
            }
        }
    }

    /// What a refusal means that says that the session is over.
    private func end() async throws(PhotosError) -> PhotosError {
        do {
            try await source.confirmEnd(of: session, row)
            return PickerSource.expired
        } catch let error as PhotosError {
            return error
        } catch {
            return PhotosError(code: .unavailable(retryAfter: nil), message: "\(error)")
        }
    }
}
