import JobQueue
import Logging
import Postgres

#if canImport(Glibc)
import Glibc
#else
import Darwin
#endif

// queue-benchmark enqueue CONNINFO JOBS PAGE    records JOBS items in pages of PAGE, on one connection
// queue-benchmark drain CONNINFO BATCH          claims and completes all of them: two workers of two connections each
// queue-benchmark claims CONNINFO COUNT BATCH   claims and completes so many batches, one after another
// queue-benchmark load CONNINFO BATCH SECONDS   claims and completes for so long, as two worker processes with their
//                                               heartbeats, sweeps and upkeep; prints how many jobs in each second
// Prints the seconds that it took and how many jobs they were. Benchmarks/queue, depth and bloat run it.

let arguments = CommandLine.arguments
switch (arguments.dropFirst().first, arguments.count) {
case ("enqueue", 5): try await enqueue(arguments[2], jobs: number(arguments[3]), page: number(arguments[4]))
case ("drain", 4): try await drain(arguments[2], batch: number(arguments[3]))
case ("claims", 5): try await claims(arguments[2], count: number(arguments[3]), batch: number(arguments[4]))
case ("load", 5): try await load(arguments[2], batch: number(arguments[3]), seconds: number(arguments[4]))
default:
    print(
        "usage: queue-benchmark enqueue CONNINFO JOBS PAGE | drain CONNINFO BATCH | claims CONNINFO COUNT BATCH"
            + " | load CONNINFO BATCH SECONDS"
    )
    exit(1)
}

func number(_ text: String) -> Int {
    guard let number = Int(text), number > 0 else {
        print("\(text) is no number above 0")
        exit(1)
    }
    return number
}

func enqueue(_ conninfo: String, jobs: Int, page: Int) async throws {
    _ = try await Migrator(conninfo: conninfo, silence: .seconds(40)).migrate()
    let pool = ConnectionPool(conninfo: conninfo, limit: 1)
    let ledger = Ledger(pool: pool)
    let source = try await ledger.source(kind: "library", account: "default", clientID: "client")
    let scan = try await ledger.openScan(source: source, since: nil, until: nil)
    var new = 0
    let seconds = try await ContinuousClock().measure {
        var items = makePage(0, page, jobs)
        for first in stride(from: 0, to: jobs, by: page) {
            // A page is made while the one before is recorded, as a scan reads ahead.
            async let next = makePage(first + page, page, jobs)
            new += try await ledger.record(scan, items, unreadable: [], nextPageToken: "page \(first)").new
            items = await next
        }
    }
    // While a scan is open, starts wait for the disk.
    _ = try await ledger.finish(scan, outcome: "complete", reason: nil)
    await pool.close()
    report(seconds, new)
}

func makePage(_ first: Int, _ page: Int, _ jobs: Int) -> [FoundItem] {
    first < jobs ? (first..<min(first + page, jobs)).map(FoundItem.init(number:)) : []
}

func drain(_ conninfo: String, batch: Int) async throws {
    let pool = ConnectionPool(conninfo: conninfo, limit: 4)
    let queue = JobQueue(pool: pool, logger: .none)
    let source = try await Ledger(pool: pool).source(kind: "library", account: "default", clientID: "client")
    var workers: [Int64] = []
    for number in 1...2 {
        workers.append(
            try await queue.register(host: "here", processID: number, version: "1", slots: batch, sources: [source])
        )
    }
    var done = 0
    let seconds = try await ContinuousClock().measure {
        done = try await withThrowingTaskGroup(of: Int.self) { group in
            for worker in workers {
                group.addTask { try await work(queue, worker, source, batch) }
            }
            return try await group.reduce(0, +)
        }
    }
    await pool.close()
    report(seconds, done)
}

/// Claims, starts and completes until nothing is left; the work between is none, as in pgqueuer's half of the comparison.
///
/// The next jobs are claimed while the ends of a batch wait for the disk, as a worker does, whose outbox tells them.
@concurrent
func work(_ queue: JobQueue, _ worker: Int64, _ source: Int64, _ batch: Int) async throws -> Int {
    var done = 0
    var ending: Task<Int, any Error>?
    while true {
        let jobs = try await queue.claim(worker: worker, sources: [source], limit: batch)
        let ends = try await begin(jobs, queue, worker)
        done += try await ending?.value ?? 0
        if jobs.isEmpty { return done }
        ending = Task { try await queue.complete(worker: worker, ends).count }
    }
}

func complete(_ jobs: [ClaimedJob], _ queue: JobQueue, _ worker: Int64) async throws -> Int {
    try await queue.complete(worker: worker, try await begin(jobs, queue, worker)).count
}

/// Starts the jobs; the ends of those that it still holds.
func begin(_ jobs: [ClaimedJob], _ queue: JobQueue, _ worker: Int64) async throws -> [Completion] {
    guard !jobs.isEmpty else { return [] }
    let begun = try await queue.start(worker: worker, jobs.map(\.reference)).begun
    return jobs.filter { begun.contains($0.reference) }.map {
        Completion(job: $0.reference, result: .stored(.init(part: $0.reference.part), motion: nil))
    }
}

func report(_ duration: Duration, _ jobs: Int) {
    let seconds = Double(duration.components.seconds) + Double(duration.components.attoseconds) * 1e-18
    print("{\"seconds\": \(seconds), \"jobs\": \(jobs)}")
}
