import GooglePhotos
import JobQueue

extension Transfer {
    /// The item, if Google calls it what the ledger does; else how the try ends.
    enum Known {
        case item(MediaItem)
        case ending(Ending)
    }

    /// Sees to it that a video is not fetched as a picture: `=d` gives a thumbnail of it, and nothing in the bytes tells.
    ///
    /// A listing may have left out what an item is, what it is called may have misled, and an answer may be wrong for a
    /// moment. So what differs from the ledger is asked for again, and is a failed try all the same, from which the next one
    /// has some distance: that it is a video is believed when both answers say so, that it is none not before the third try.
    func known(_ job: ClaimedJob) async throws -> Known {
        let expected = job.kind == .video
        let first = try await item(job)
        guard job.kind == .still || job.kind == .video, first.isVideo != expected else { return .item(first) }
        context.baseURLs.forget(job.sourceItem)
        let second = try await item(job)
        // The first one, a page's, only said too little.
        if first.isVideo == nil, second.isVideo == expected { return .item(second) }
        context.baseURLs.forget(job.sourceItem)
        guard let isVideo = second.isVideo, first.isVideo ?? isVideo == isVideo else {
            return .ending(
                .fail(
                    reason: "no-kind",
                    message:
                        "Google does not say clearly whether this is a photo or a video, and gives a thumbnail of a video "
                        + "that is asked for as a photo. It is asked again; if it stays so, save it by hand and skip it."
                )
            )
        }
        let now = isVideo ? "video" : "photo"
        guard isVideo || job.attempt >= 3 else {
            return .ending(
                .fail(
                    reason: "other-kind",
                    message: "It was listed as a video, and Google says that it is a photo; it is asked again."
                )
            )
        }
        guard try await context.queue.correct(worker: worker, job.reference, to: isVideo ? .video : .still) else {
            return .ending(.cancelled)
        }
        return .ending(
            .fail(
                reason: "other-kind",
                message: "It was not listed as a \(now), and is fetched as one from the next try on."
            )
        )
    }
}
