import JobQueue
import Logging
import Postgres
import Synchronization

#if canImport(Glibc)
import Glibc
#else
import Darwin
#endif

/// Jobs that were done, shared by tasks.
final class DoneCount: Sendable {
    let value = Atomic<Int>(0)
}

/// Claims one batch after another and tells how long the claims took; the memory is for whoever runs this to see.
func claims(_ conninfo: String, count: Int, batch: Int) async throws {
    let pool = ConnectionPool(conninfo: conninfo, limit: 1)
    let queue = JobQueue(pool: pool, logger: .none)
    let source = try await Ledger(pool: pool).source(kind: "library", account: "default", clientID: "client")
    let worker = try await queue.register(host: "here", processID: 1, version: "1", slots: batch, sources: [source])
    var times: [Duration] = []
    var done = 0
    for _ in 0..<count {
        let began = ContinuousClock.now
        let jobs = try await queue.claim(worker: worker, sources: [source], limit: batch)
        times.append(.now - began)
        done += try await complete(jobs, queue, worker)
    }
    await pool.close()
    times.sort()
    let median = times[times.count / 2], high = times[times.count * 99 / 100]
    print("{\"jobs\": \(done), \"median_ms\": \(median / .milliseconds(1)), \"p99_ms\": \(high / .milliseconds(1))}")
}

/// Two workers as two processes have them: queues of their own, with all that a worker does beside its jobs.
func load(_ conninfo: String, batch: Int, seconds: Int) async throws {
    let done = DoneCount()
    let end = ContinuousClock.now + .seconds(seconds)
    try await withThrowingTaskGroup(of: Void.self) { group in
        for number in 1...2 {
            group.addTask { try await process(conninfo, number, batch, until: end, done) }
        }
        group.addTask {
            // Each second by the clock, however late this task is woken.
            var last = 0
            for second in 1...seconds {
                try await Task.sleep(until: end - .seconds(seconds - second))
                let now = done.value.load(ordering: .relaxed)
                print("\(second),\(now - last)")
                fflush(nil)
                last = now
            }
        }
        try await group.waitForAll()
    }
}

/// What a worker process has claimed and not ended.
final class HeldJobs: Sendable {
    let references = Mutex<[JobReference]>([])
}

/// One worker process.
@concurrent
func process(
    _ conninfo: String,
    _ number: Int,
    _ batch: Int,
    until end: ContinuousClock.Instant,
    _ done: DoneCount
) async throws {
    let pool = ConnectionPool(conninfo: conninfo, limit: 4)
    let queue = JobQueue(pool: pool, logger: .none)
    let source = try await Ledger(pool: pool).source(kind: "library", account: "default", clientID: "client")
    let worker = try await queue.register(
        host: "here",
        processID: number,
        version: "1",
        slots: batch,
        sources: [source]
    )
    let held = HeldJobs()
    // As a worker does (Archiver's runWorker): never more than a twentieth of the time.
    let sweeps = Task {
        while !Task.isCancelled {
            let began = ContinuousClock.now
            _ = try await queue.sweep(mayDeclareDeath: true)
            try await Task.sleep(for: max(.seconds(1), min((.now - began) * 20, .seconds(10))))
        }
    }
    let upkeep = Task {
        while !Task.isCancelled {
            let began = ContinuousClock.now
            try await queue.tidy()
            try await Task.sleep(for: max(.seconds(1), min((.now - began) * 20, .seconds(10))))
        }
    }
    let pulse = Task {
        while !Task.isCancelled {
            _ = try await queue.beat(worker: worker, busy: batch, held: held.references.withLock { $0 })
            try await Task.sleep(for: queue.timing.beat)
        }
    }
    while .now < end {
        let jobs = try await queue.claim(worker: worker, sources: [source], limit: batch)
        if jobs.isEmpty { try await Task.sleep(for: .milliseconds(100)) }
        held.references.withLock { $0 = jobs.map(\.reference) }
        done.value.add(try await complete(jobs, queue, worker), ordering: .relaxed)
    }
    for task in [sweeps, upkeep, pulse] { task.cancel() }
    for task in [sweeps, upkeep, pulse] { _ = await task.result }
    try await queue.stop(worker: worker)
    await pool.close()
}
