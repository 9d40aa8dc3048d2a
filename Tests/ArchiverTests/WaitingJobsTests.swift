import JobQueue
import Testing

@testable import Archiver

@Suite struct WaitingJobsTests {
    /// Jobs numbered from 1 with so many crashes each.
    private func jobs(_ crashes: Int...) -> [ClaimedJob] {
        crashes.enumerated().map { number, crashes in
            ClaimedJob(
                reference: JobReference(part: Int64(number) + 1, lease: 1),
                kind: .still,
                source: 1,
                lane: 1,
                attempt: 1,
                crashes: crashes,
                acceptReduced: false,
                objectName: "o",
                folderMonth: "undated",
                sourceItem: "i",
                filename: nil,
                mimeType: nil,
                captureTime: nil,
                width: nil,
                height: nil
            )
        }
    }

    private func numbers(_ jobs: [ClaimedJob]) -> [Int64] { jobs.map(\.reference.part) }

    @Test func `jobs are taken in the order of their claim`() {
        var waiting = WaitingJobs(crashLimit: 3)
        #expect(waiting.append(jobs(0, 1, 1, 0)).isEmpty)
        #expect(numbers(waiting.take(3)) == [1, 2, 3])
        #expect(numbers(waiting.take(3)) == [4])
        #expect(waiting.isEmpty)
    }

    @Test func `parts on their last chance run one at a time, and hold nobody else up`() {
        var waiting = WaitingJobs(crashLimit: 3)
        // The second and third on a last chance are given back: they would fill the list.
        #expect(numbers(waiting.append(jobs(2, 2, 2, 0))) == [2, 3])
        #expect(numbers(waiting.take(4)) == [1, 4])
        let next = jobs(0, 0, 0, 0, 2, 0)
        #expect(waiting.append(Array(next.dropFirst(4))).isEmpty)
        #expect(numbers(waiting.take(4)) == [6])
        waiting.ended(JobReference(part: 1, lease: 1))
        #expect(numbers(waiting.take(4)) == [5])
    }

    @Test func `a start that was not answered leaves the part's chance to it`() {
        var waiting = WaitingJobs(crashLimit: 3)
        _ = waiting.append(jobs(2, 0))
        let taken = waiting.take(2)
        for job in taken { waiting.ended(job.reference) }
        waiting.put(back: taken)
        #expect(numbers(waiting.take(2)) == [1, 2])
    }

    @Test func `where one crash is the limit, parts without one are not on a last chance`() {
        var waiting = WaitingJobs(crashLimit: 1)
        #expect(waiting.append(jobs(0, 0, 0)).isEmpty)
        #expect(waiting.take(3).count == 3)
    }
}
