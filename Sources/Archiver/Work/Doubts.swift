import Checksums
import HTTPClient
import JobQueue
import Logging
import Media
import Synchronization

/// What is remembered of a body: enough to tell whether another one is the same.
struct BodyMarks: Sendable, Hashable {
    /// Size and checksum of all bytes; nil where the download was given up at its front.
    struct Bytes: Sendable, Hashable {
        let size: Int64
        let crc32c: UInt32
    }

    let bytes: Bytes?
    let width: Int?
    let height: Int?
}

/// A body that is not believed yet.
struct Doubtful: Error {
    let doubt: Judgement.Doubt
    let marks: BodyMarks
}

/// The doubtful bodies that one try has seen.
struct Doubts: Sendable {
    private var seen: [BodyMarks] = []

    mutating func note(_ marks: BodyMarks) { seen.append(marks) }

    /// Whether these very bytes came before.
    func holds(_ bytes: BodyMarks.Bytes?) -> Bool { bytes != nil && seen.contains { $0.bytes == bytes } }

    /// Whether what came before, each time from a fresh URL, settles the doubt about this body.
    func settle(_ doubt: Judgement.Doubt, about marks: BodyMarks, attempt: Int) -> Bool {
        switch doubt.proof {
        case .sameBytes: holds(marks.bytes)
        case .sameBytesApart, .sameBytesLater: attempt > 1 && holds(marks.bytes)
        case .sameSize: seen.contains { $0.width == marks.width && $0.height == marks.height }
        }
    }
}

/// The bodies that a worker accepted lately, by size and checksum: the same under two items is believed the second time only.
///
/// Google keeps one item where the same bytes are uploaded twice, mostly; a base URL that leads to another item gives the
/// same picture as well.
final class RecentBodies: Sendable {
    /// Bodies of one generation; two are kept, some 40 bytes each.
    private static let most = 16_384

    private struct Owner {
        let part: PartID
        let item: Int
    }
    private struct State {
        var young: [BodyMarks.Bytes: Owner] = [:]
        var old: [BodyMarks.Bytes: Owner] = [:]
    }
    private let state = Mutex(State())

    /// Gives these bytes to the job's item, unless they are another item's: then to that one's part.
    ///
    /// One step, so that of two items that come at the same time one is noticed.
    func other(than job: ClaimedJob, with bytes: BodyMarks.Bytes) -> PartID? {
        state.withLock { state in
            if let owner = state.young[bytes] ?? state.old[bytes] {
                return owner.item == job.sourceItem.hashValue ? nil : owner.part
            }
            if state.young.count >= Self.most {
                state.old = state.young
                state.young = [:]
            }
            state.young[bytes] = Owner(part: job.reference.part, item: job.sourceItem.hashValue)
            return nil
        }
    }
}

/// Two downloads of a stored part agree on bytes that are not those that it is stored as.
struct OtherBytes: Error {
    let bytes: BodyMarks.Bytes
}

/// Judges the bodies of one download, with what was seen before it.
struct Judge: Sendable {
    let job: ClaimedJob
    /// Whether Content-Length or chunking vouched for the end of the body.
    let isFramed: Bool
    let doubts: Doubts
    let recent: RecentBodies
    /// What two downloads of the part have shown to be its bytes, in place of others.
    var expected: BodyMarks.Bytes?

    /// How true a whole body is.
    ///
    /// - Throws: `Judgement.Refusal`, or `Doubtful` with what to remember of the body for the next download.
    func fidelity(of report: MediaReport, _ buffer: BodyBuffer) throws -> Fidelity {
        let bytes = Self.bytes(buffer)
        let marks = BodyMarks(bytes: bytes, width: report.width, height: report.height)
        let fidelity = try settled(report, marks)
        if let expected, bytes != expected { throw Doubtful(doubt: .otherThanBefore, marks: marks) }
        if !job.acceptReduced, !doubts.holds(bytes), let other = recent.other(than: job, with: bytes) {
            throw Doubtful(doubt: .sameAsOther(other), marks: marks)
        }
        return fidelity
    }

    /// How true it is, as far as its own bytes and what came before tell.
    private func settled(_ report: MediaReport, _ marks: BodyMarks) throws -> Fidelity {
        switch Judgement.of(report, for: job, isFramed: isFramed) {
        case .refuse(let refusal): throw refusal
        case .doubt(let doubt):
            guard doubts.settle(doubt, about: marks, attempt: job.attempt) else {
                throw Doubtful(doubt: doubt, marks: marks)
            }
            // Whatever cut it may go on to do so: it is what Google has only if the owner says so.
            if doubt.proof == .sameBytesLater, !job.acceptReduced { throw doubt.refusal }
            return doubt.fidelity
        case .store(let sure): return sure
        }
    }

    /// Compares a whole body with what its part is stored as.
    ///
    /// What is stored was judged before: the same bytes again are no worse.
    ///
    /// - Throws: `OtherBytes` for others that an earlier download of this try brought as well, if it is not the first; `Judgement.Refusal`;
    ///   `Doubtful` with what to remember of the body for the next download.
    func compare(_ report: MediaReport, _ buffer: BodyBuffer, with stored: Doubt) throws {
        let bytes = Self.bytes(buffer)
        guard bytes != BodyMarks.Bytes(size: stored.size, crc32c: stored.crc32c) else { return }
        let marks = BodyMarks(bytes: bytes, width: report.width, height: report.height)
        _ = try settled(report, marks)
        guard doubts.settle(.otherThanStored, about: marks, attempt: job.attempt) else {
            throw Doubtful(doubt: .otherThanStored, marks: marks)
        }
        throw OtherBytes(bytes: bytes)
    }

    private static func bytes(_ buffer: BodyBuffer) -> BodyMarks.Bytes {
        BodyMarks.Bytes(size: buffer.received, crc32c: buffer.crc32c.value)
    }

    /// How true a body is that was judged before it became an object.
    func believed(_ report: MediaReport) throws -> Fidelity {
        switch Judgement.of(report, for: job, isFramed: true) {
        case .store(let fidelity): return fidelity
        case .doubt(let doubt): return doubt.fidelity
        case .refuse(let refusal): throw refusal
        }
    }

    /// Tells of a stored body that another item has as well: the other one is doubted when nothing else is left to do.
    func tellOfTwin(_ buffer: BodyBuffer, _ logger: Logger) {
        let bytes = Self.bytes(buffer)
        guard let other = recent.other(than: job, with: bytes) else { return }
        logger.log(
            .info,
            "two items have the same bytes",
            ["part": .integer(job.reference.part), "other": .integer(other), "bytes": .integer(bytes.size)]
        )
    }

    /// Gives a download up at its front where that is enough to doubt it.
    ///
    /// - Throws: `Judgement.Refusal` for a page, `Doubtful` for a video of the wrong size.
    func look(at front: MediaReport) throws {
        if front.kind.isRefused, case .refuse(let refusal) = Judgement.of(front, for: job, isFramed: isFramed) {
            throw refusal
        }
        let marks = BodyMarks(bytes: nil, width: front.width, height: front.height)
        if let doubt = Judgement.early(front, for: job), !doubts.settle(doubt, about: marks, attempt: job.attempt) {
            throw Doubtful(doubt: doubt, marks: marks)
        }
    }
}

extension Judgement.Doubt {
    /// What it is once it is believed, and yet not to be stored without the owner.
    var refusal: Judgement.Refusal {
        Judgement.Refusal(
            reason: reason,
            message: message + " Several downloads brought the very same: it is not archived unless you accept it.",
            isAcceptable: true
        )
    }

    /// The bytes are not those that the part is stored as.
    static let otherThanStored = Judgement.Doubt(
        reason: "other-bytes",
        message:
            "Google gave other bytes than those that are stored. They are stored in place of these once downloads of a later "
            + "try bring them again.",
        proof: .sameBytesApart,
        fidelity: .rendition
    )

    /// The bytes are not those that earlier downloads agreed on.
    static let otherThanBefore = Judgement.Doubt(
        reason: "other-bytes",
        message: "Google gave other bytes than twice before. It is asked again.",
        proof: .sameBytes,
        fidelity: .rendition
    )

    /// The bytes are those of another item that was just stored.
    static func sameAsOther(_ part: PartID) -> Judgement.Doubt {
        Judgement.Doubt(
            reason: "same-as-another",
            message:
                "Google gave the bytes that it gave for part \(part) as well. They are stored once a fresh download "
                + "brings them again, and none did.",
            proof: .sameBytes,
            fidelity: .rendition
        )
    }
}
