import Checksums
import CloudStorage
import GooglePhotos
import HTTPClient
import JobQueue
import Logging
import Media
import Postgres
import Synchronization

/// One job from base URL to verified object.
struct Transfer: Sendable {
    let context: ArchiveContext
    /// The worker's id in the database.
    let worker: Int64
    let resolver: ItemResolver
    let health: ServiceHealth
    let motion: MotionMode
    /// Told of a job whose part has another name than when it was claimed.
    let noteName: @Sendable (ClaimedJob) -> Void
    /// What was stored lately, to notice one body under two items.
    let recent = RecentBodies()

    /// Bodies up to this size go up in one multipart request, if the byte budget has room.
    static let multipartLimit: Int64 = 8 << 20
    /// What a body that does not fit in memory needs of the budget: the last 256 KiB of a resumable upload and room to flow.
    static let pipeAllowance = 6 * ByteBudget.block
    /// What is read before anything is promised to the bucket: enough to tell a picture from an error page.
    static let sniffed = 32 << 10

    /// One try: the job under its present name, and what is left of the patience with it.
    struct Try {
        var job: ClaimedJob
        var patience = Patience()
        var doubts = Doubts()
        /// What it is stored as, if that is doubted.
        var stored: Doubt?
        /// What two downloads have shown to be its bytes, in place of those that it was stored as.
        var expected: BodyMarks.Bytes?
        let keeper: SessionKeeper
        /// Who is asked at present: to blame for a 5xx of Google's.
        var service = Service.library
        /// When the present one was last turned to.
        var began = ContinuousClock.now
    }

    /// What follows an error within a try.
    private enum Next {
        case again
        case rename
        case replace(BodyMarks.Bytes)
        case end(Ending)
    }

    /// Tries a job, with a few repeats in place for what a second download mends at once.
    func perform(_ claimed: ClaimedJob) async -> Ending {
        let ending = await settled(await tried(claimed), claimed)
        // A clip is asked for by the same base URL.
        if case .complete(let result) = ending, !result.hasClip { context.baseURLs.forget(claimed.sourceItem) }
        return ending
    }

    private func tried(_ claimed: ClaimedJob) async -> Ending {
        let keeper = SessionKeeper(context, worker: worker, job: claimed.reference)
        var attempt = Try(job: claimed, keeper: keeper)
        if claimed.isDoubted { return await checked(&attempt) }
        if claimed.crashes > 0, let ending = await lookFirst(&attempt) { return ending }
        do {
            try await keeper.take(for: attempt.job)
        } catch {
            return ending(of: error, attempt.job, .storage, attempt.began)
        }
        return await repeated(&attempt)
    }

    /// Tries in place until there is an end.
    func repeated(_ attempt: inout Try) async -> Ending {
        while !Task.isCancelled {
            if let ending = await once(&attempt) { return ending }
        }
        return .cancelled
    }

    /// Downloads and uploads once; nil: again.
    private func once(_ attempt: inout Try) async -> Ending? {
        do {
            return try await fetched(&attempt)
        } catch {
            switch await next(after: error, &attempt) {
            case .again:
                try? await Task.sleep(for: .milliseconds(Int.random(in: 20...300)))
                return nil
            case .rename: return await rename(&attempt)
            case .replace(let bytes): return await replace(&attempt, with: bytes)
            case .end(let ending): return ending
            }
        }
    }

    private func fetched(_ attempt: inout Try) async throws -> Ending {
        (attempt.service, attempt.began) = (.library, .now)
        let item: MediaItem
        switch try await known(attempt.job) {
        case .item(let known): item = known
        case .ending(let ending): return ending
        }
        (attempt.service, attempt.began) = (.media, .now)
        if let ending = notYet(item, attempt.job) { return ending }
        guard let url = item.baseURL else {
            throw PhotosError(code: .malformed, message: "Google answered for this item without a base URL.")
        }
        // What Google says now goes with these bytes: an item may have been edited since the scan.
        let job = attempt.job.sized(item.width, item.height)
        if let stored = attempt.stored { return .complete(try await compare(job, url, attempt.doubts, stored)) }
        return .complete(try await archive(job, url, attempt))
    }

    /// The item; a 404 here means that it is gone, not that a URL is old.
    func item(_ job: ClaimedJob) async throws -> MediaItem {
        do {
            return try await resolver.item(job.sourceItem)
        } catch let error as PhotosError where error.code == .notFound {
            throw ItemGone()
        }
    }

    private func next(after error: any Error, _ attempt: inout Try) async -> Next {
        let job = attempt.job
        if let error = error as? StorageError {
            switch error.code {
            case .interrupted:
                return attempt.patience.resume()
                    ? .again : .end(ending(of: error, attempt.job, attempt.service, attempt.began))
            case .sessionLost:
                await attempt.keeper.drop()
                return attempt.patience.resume()
                    ? .again : .end(ending(of: error, attempt.job, attempt.service, attempt.began))
            case .checksumMismatch:
                // This download and the one that began the upload are not the same bytes: from the first byte again.
                await attempt.keeper.drop()
                return attempt.patience.again()
                    ? .again : .end(ending(of: error, attempt.job, attempt.service, attempt.began))
            case .sourceFailed:
                return attempt.patience.again()
                    ? .again : .end(ending(of: error, attempt.job, attempt.service, attempt.began))
            default: return .end(ending(of: error, attempt.job, attempt.service, attempt.began))
            }
        }
        if let other = error as? OtherBytes { return .replace(other.bytes) }
        if error is NameTaken {
            await attempt.keeper.drop()
            return .rename
        }
        if let doubtful = error as? Doubtful {
            // That it comes again at once proves nothing more.
            let isOver = doubtful.doubt.proof == .sameBytesApart && attempt.doubts.holds(doubtful.marks.bytes)
            attempt.doubts.note(doubtful.marks)
            context.baseURLs.forget(job.sourceItem)
            // What was sent is doubtful as well; a front that was looked at was not sent.
            if doubtful.marks.bytes != nil { await attempt.keeper.drop() }
            if !isOver, attempt.patience.doubt() { return .again }
        } else if error is Judgement.Refusal || error is ItemGone || isBaseURLRefused(error) {
            context.baseURLs.forget(job.sourceItem)
            if attempt.patience.freshURL() { return .again }
        } else if isCut(error), attempt.patience.again() {
            return .again
        }
        return .end(ending(of: error, attempt.job, attempt.service, attempt.began))
    }

    /// Looks for the object of a job whose worker vanished; nil: go on with the download.
    private func lookFirst(_ attempt: inout Try) async -> Ending? {
        do {
            return try await adoptWithoutDownload(attempt.job).map { .complete($0) }
        } catch is NameTaken {
            return await rename(&attempt)
        } catch {
            return ending(of: error, attempt.job, attempt.service, attempt.began)
        }
    }

    /// Moves the part to its next name; nil: go on under it.
    private func rename(_ attempt: inout Try) async -> Ending? {
        let (taken, claim) = (attempt.job.objectName, attempt.job.reference)
        do {
            let next = try await nextName(attempt.job) { name throws(PostgresError) in
                try await context.queue.rename(worker: worker, claim, to: name)
            }
            switch next {
            case .name(let name): renamed(&attempt, name)
            case .leaseLost: return .cancelled
            case .allTaken: throw Judgement.Refusal.nameTaken(attempt.job)
            }
        } catch {
            return ending(of: error, attempt.job, attempt.service, attempt.began)
        }
        context.logger.log(
            .warning,
            "name was taken by a foreign object",
            [
                "part": .integer(attempt.job.reference.part), "taken": .string(taken),
                "name": .string(attempt.job.objectName),
            ]
        )
        return nil
    }

    /// The try goes on under the name that its part has now.
    func renamed(_ attempt: inout Try, _ name: String) {
        attempt.job = attempt.job.named(name)
        noteName(attempt.job)
    }

    /// What cannot be fetched now, or never.
    private func notYet(_ item: MediaItem, _ job: ClaimedJob) -> Ending? {
        guard job.kind == .video, case .video(let status) = item.kind else { return nil }
        switch status {
        case .processing:
            context.baseURLs.forget(job.sourceItem)
            return .release(delay: .seconds(Int.random(in: 240...360)), note: "Google is still processing the video")
        case .failed:
            return .complete(.dead(reason: "processing-failed: Google says that it could not process this video"))
        case .ready, .unspecified, .other: return nil
        }
    }

    /// Downloads and uploads at the same time.
    private func archive(
        _ job: ClaimedJob,
        _ url: BaseURL,
        _ attempt: Try
    ) async throws -> Completion.Result {
        let keeper = attempt.keeper
        let inspector = Inspection()
        let buffer = try await BodyBuffer(budget: context.budget, allowance: 2 * ByteBudget.block) { bytes in
            inspector.consume(bytes)
        }
        defer { buffer.abandon() }
        let began = ContinuousClock.now
        let head = try await context.photos.download(url, job.kind.rendition, into: buffer)
        health.succeeded(.media, began: began, isVideo: job.kind.rendition == .video)
        let length = head.header("Content-Encoding") == nil ? head.contentLength : nil
        let judge = Judge(
            job: job,
            isFramed: length != nil || head.isChunked,
            doubts: attempt.doubts,
            recent: recent,
            expected: attempt.expected
        )
        // One block more than the body: the last write of the download may not be cut to fit.
        let isWhole: Bool
        if let length, length <= Self.multipartLimit, buffer.tryGrow(to: Int(length) + ByteBudget.block) {
            try await buffer.waitForEnd()
            isWhole = true
        } else {
            try await buffer.grow(to: Self.pipeAllowance)
            try await buffer.wait(for: Self.sniffed)
            isWhole = buffer.hasEnded
        }
        let early = inspector.report()
        let fidelity = isWhole ? try judge.fidelity(of: early, buffer) : nil
        try judge.look(at: early)
        let identity = Identity(source: context.sourceLabel, item: job.sourceItem, part: job.kind)
        var metadata = identity.metadata(
            filename: job.filename,
            captureTime: job.captureTime,
            fidelity: fidelity
        )
        if isWhole { metadata[Adoption.motionKey] = early.isMotionPhoto ? "1" : "0" }
        let object = NewObject(
            name: job.objectName,
            contentType: early.kind.contentType ?? "application/octet-stream",
            metadata: metadata,
            customTime: job.captureTime.flatMap { CaptureTime.isCustomTime($0) ? $0 : nil }
        )
        let uploadBegan = ContinuousClock.now
        let outcome = try await context.archive.put(
            object,
            from: buffer,
            length: length,
            session: keeper.session,
            began: { try await keeper.began($0, as: job.objectName) },
            confirmed: { try await keeper.confirmed($0, as: job.objectName) },
            accept: { _ = try judge.fidelity(of: inspector.report(), buffer) }
        )
        health.succeeded(.storage, began: uploadBegan)
        let report = inspector.report()
        switch outcome {
        case .created(let stored):
            guard stored.size == buffer.received, stored.crc32c == buffer.crc32c.value else {
                throw StorageError(
                    code: .checksumMismatch,
                    message: "The archive answered for \(job.objectName) with another size or checksum than was sent."
                )
            }
            let fidelity = try judge.believed(report)
            judge.tellOfTwin(buffer, context.logger)
            return .stored(
                stored.record(
                    of: job,
                    fidelity: fidelity,
                    mediaKind: report.kind,
                    adopted: false
                ),
                motion: motionPart(job, report.isMotionPhoto)
            )
        case .occupied: throw NameTaken()
        case .exists(let stored):
            guard Identity(metadata: stored.metadata) == identity else { throw NameTaken() }
            let known = (fidelity: Adoption.fidelity(stored), isMotion: Adoption.isMotion(stored))
            // Nothing was sent, so little may have been received: without the whole body, the clip would go unnoticed.
            if known.fidelity == nil || known.isMotion == nil || attempt.expected != nil { try await readToEnd(buffer) }
            let report = inspector.report()
            let isSame = stored.size == buffer.received && stored.crc32c == buffer.crc32c.value
            // Another object of this part that is not it.
            if attempt.expected != nil, !isSame { throw NameTaken() }
            // What stands there was judged before it was made; the same bytes again are no worse.
            let fidelity = try known.fidelity ?? (isSame ? judge.believed(report) : .rendition)
            return .stored(
                stored.record(
                    of: job,
                    fidelity: fidelity,
                    mediaKind: report.kind,
                    adopted: true
                ),
                motion: motionPart(job, known.isMotion ?? report.isMotionPhoto)
            )
        }
    }

    /// Drops what comes, which passes the inspector and the checksum all the same.
    func readToEnd(_ buffer: BodyBuffer) async throws {
        repeat {
            try await buffer.wait(for: ByteBudget.block)
            _ = buffer.take(ByteBudget.block)
        } while !buffer.hasEnded
    }

    /// Looks at the object that a vanished worker may have made.
    ///
    /// - Returns: nil where there is none, or where its metadata does not say all that the ledger records: then the
    ///   download is repeated, and the bucket's 412 leads back to the object.
    /// - Throws: `NameTaken` for an object of another identity, `StorageError`.
    private func adoptWithoutDownload(_ job: ClaimedJob) async throws -> Completion.Result? {
        let began = ContinuousClock.now
        let found = try await context.archive.head(job.objectName)
        health.succeeded(.storage, began: began)
        guard let stored = found else { return nil }
        let identity = Identity(source: context.sourceLabel, item: job.sourceItem, part: job.kind)
        guard Identity(metadata: stored.metadata) == identity else { throw NameTaken() }
        guard let fidelity = Adoption.fidelity(stored), let isMotion = Adoption.isMotion(stored) else { return nil }
        let kind = MediaKind.allCases.first { $0.contentType == stored.contentType } ?? .unrecognised
        return .stored(
            stored.record(of: job, fidelity: fidelity, mediaKind: kind, adopted: true),
            motion: motionPart(job, isMotion)
        )
    }

    /// What became of a search for another name.
    enum NextName {
        case name(String)
        /// The job is somebody else's now.
        case leaseLost
        /// Every name that the part may have belongs to foreign objects, or to parts of the ledger.
        case allTaken
    }

    /// The next name that the ledger lets the part have, by `take`.
    func nextName(
        _ job: ClaimedJob,
        _ take: (NameCandidate) async throws(PostgresError) -> Renaming
    ) async throws(PostgresError) -> NextName {
        let names = ObjectName.candidates(
            filename: job.filename,
            mimeType: job.mimeType,
            folder: job.folderMonth,
            identity: Identity(source: context.sourceLabel, item: job.sourceItem, part: job.kind)
        )
        let next = (names.firstIndex { $0.name == job.objectName } ?? -1) + 1
        for name in names[next...] {
            switch try await take(name) {
            case .renamed: return .name(name.name)
            case .leaseLost: return .leaseLost
            case .taken: continue
            }
        }
        return .allTaken
    }

    private func motionPart(_ job: ClaimedJob, _ isMotionPhoto: Bool) -> NewPart? {
        guard MotionRule.hasClip(job, isMotionPhoto: isMotionPhoto, mode: motion) else { return nil }
        return MotionRule.part(of: job, sourceLabel: context.sourceLabel)
    }
}
