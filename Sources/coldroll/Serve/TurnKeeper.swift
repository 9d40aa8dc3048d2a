import JobQueue
import Logging
import Postgres
import Synchronization

/// Takes the source's turn whenever there is one that nobody has, and does what it is for.
final class TurnKeeper: Sendable {
    /// How a try of a run ended.
    struct Result: Sendable {
        let status: ExitStatus
        let sentence: String
    }

    struct Timing: Sendable {
        /// How often it looks for a turn by itself.
        var look = Duration.seconds(3)
        /// How often a holder gives a sign of life.
        var beat = Duration.seconds(10)
        /// How long a holder may be silent.
        var silence = Duration.seconds(45)
        /// How long after a try that may end better the next time the turn is tried again.
        var pause = Duration.seconds(15 * 60)
        /// How long a run may take that gives no end to itself.
        var limit = Duration.seconds(26 * 3600)
    }

    private let ledger: Ledger
    private let source: Int64
    private let host: String
    private let logger: Logger
    private let timing: Timing
    /// Rung where a turn was just made.
    private let bell: Bell
    /// Rung where there may be something to tell.
    private let told: Bell
    /// Whether this host is fit to take a turn.
    private let mayTake: @Sendable () async -> Bool
    private let run: @Sendable (StopSignal) async -> Result

    init(
        ledger: Ledger,
        source: Int64,
        host: String,
        logger: Logger,
        timing: Timing = Timing(),
        bell: Bell,
        told: Bell,
        mayTake: @escaping @Sendable () async -> Bool = { true },
        run: @escaping @Sendable (StopSignal) async -> Result
    ) {
        self.ledger = ledger
        self.source = source
        self.host = host
        self.logger = logger
        self.timing = timing
        self.bell = bell
        self.told = told
        self.mayTake = mayTake
        self.run = run
    }

    /// Goes on until a stop is asked for; a turn that is in hand then is let go of, for another host to take.
    func keep(_ stop: StopSignal) async {
        var trouble = Trouble("turns cannot be looked for", logger)
        var holder = Int64.random(in: 1...Int64.max)
        while !stop.isRequested {
            var turn: Turn?
            do throws(PostgresError) {
                if await mayTake() {
                    turn = try await ledger.takeTurn(
                        source: source,
                        holder: holder,
                        host: host,
                        silence: timing.silence
                    )
                    trouble.isOver()
                }
            } catch {
                trouble.goesOn(error)
            }
            if let turn {
                await hold(turn, holder, stop)
                holder = Int64.random(in: 1...Int64.max)
            } else {
                await bell.wait(timing.look)
            }
        }
    }

    private func hold(_ turn: Turn, _ holder: Int64, _ stop: StopSignal) async {
        let logger = logger.with(["run": .integer(turn.number)])
        logger.log(
            .info,
            "begins a run",
            ["why": .string(turn.why), "try": .integer(turn.tries), "waited_seconds": .double(turn.age.rounded())]
        )
        let own = StopSignal()
        let fate = Fate()
        let grip = Grip(turn: turn, holder: holder, logger: logger)
        let heart = Task {
            await beats(turn, holder)
            // It was cancelled, let go of by a stop, or is being recorded as ended: else it was taken away.
            guard !Task.isCancelled, fate.become(.lost) else { return }
            logger.log(.warning, "another process has taken this run over: stops here")
            // It goes on there: nothing is to be finished here.
            own.request()
            own.request()
        }
        let watch = Task {
            await stop.wait()
            guard !Task.isCancelled else { return }
            // A run that has ended meanwhile is recorded instead.
            let leaves = fate.become(.left)
            own.request()
            // At once, so that another host goes on while this one gives back what it has in hand.
            if leaves { _ = try? await ledger.letGoOfTurn(turn.number, holder: holder) }
            await stop.waitHard()
            guard !Task.isCancelled else { return }
            own.request()
        }
        let limit = Task {
            try await Task.sleep(for: timing.limit)
            guard fate.become(.over) else { return }
            // Whatever it hangs in: the owner is told, and others may try.
            own.request()
            own.request()
            // A task of its own: the run may end now, which ends this one.
            await Task { await record(Result(status: .unfinished, sentence: Self.hangs), grip, stop) }.value
            heart.cancel()
        }
        let result = await run(own)
        if fate.become(.over) {
            // Nobody asked it to stop: what interrupted it may let it pass the next time.
            let isCut = result.status == .interrupted
            await record(isCut ? Result(status: .unreachable, sentence: result.sentence) : result, grip, stop)
        } else if fate.state == .left {
            // It may have ended while it was let go of: then nobody needs to do it again, unless somebody began.
            let isRecorded = result.status == .done ? (try? await end(result, of: grip)) == true : false
            if !isRecorded {
                // Once more: the run may have been quicker than the one who lets go.
                _ = try? await ledger.letGoOfTurn(turn.number, holder: holder)
                logger.log(.info, "leaves the run to others", ["ending": .string(result.sentence)])
            }
        }
        for task in [heart, watch] { task.cancel() }
        limit.cancel()
        // What it records is recorded before the turn is looked at again.
        _ = await limit.result
    }

    /// What is said of a run that does not end in its time.
    private static let hangs = "It did not end, nor stop when it was told to: something on this host hangs. Restart it."

    /// A turn in this process's hands.
    private struct Grip: Sendable {
        let turn: Turn
        let holder: Int64
        let logger: Logger
    }

    /// What has become of a turn in hand; it is decided once.
    private final class Fate: Sendable {
        enum State { case running, left, lost, over }
        private let held = Mutex(State.running)

        var state: State { held.withLock { $0 } }

        /// Decides it; false if it was decided.
        func become(_ next: State) -> Bool {
            held.withLock { state in
                guard state == .running else { return false }
                state = next
                return true
            }
        }
    }

    /// Gives signs of life until it is cancelled, or the turn is not this holder's any more.
    private func beats(_ turn: Turn, _ holder: Int64) async {
        while !Task.isCancelled {
            try? await Task.sleep(for: timing.beat)
            // Without an answer nothing is known: the next one comes soon.
            if (try? await ledger.beatTurn(turn.number, holder: holder)) == false { return }
        }
    }

    /// Records how a try ended until the database has it; once a stop is asked for, one time, and lets go of it if that fails.
    private func record(_ result: Result, _ grip: Grip, _ stop: StopSignal) async {
        var trouble = Trouble("the run's end cannot be recorded", grip.logger)
        while true {
            let isLast = stop.isRequested
            do throws(PostgresError) {
                let isOurs = try await result.status.isWorthAnotherTry ? postpone(result, grip) : end(result, of: grip)
                trouble.isOver()
                if !isOurs { grip.logger.log(.warning, "the run was taken over before its end was recorded") }
                return
            } catch {
                trouble.goesOn(error)
                if isLast {
                    _ = try? await ledger.letGoOfTurn(grip.turn.number, holder: grip.holder)
                    return
                }
                await bell.wait(timing.look)
            }
        }
    }

    private func postpone(_ result: Result, _ grip: Grip) async throws(PostgresError) -> Bool {
        let isOurs = try await ledger.postponeTurn(
            grip.turn.number,
            holder: grip.holder,
            code: result.status.code,
            message: result.sentence,
            pause: timing.pause,
            news: RunNews(result.status, result.sentence).news(turn: grip.turn.number)
        )
        if isOurs { tell(result, "the run is to be tried again", grip) }
        return isOurs
    }

    private func end(_ result: Result, of grip: Grip) async throws(PostgresError) -> Bool {
        let isOurs = try await ledger.endTurn(
            grip.turn.number,
            holder: grip.holder,
            tries: grip.turn.tries,
            code: result.status.code,
            message: result.sentence,
            news: RunNews(result.status, result.sentence).news(turn: grip.turn.number)
        )
        if isOurs { tell(result, "the run has ended", grip) }
        return isOurs
    }

    private func tell(_ result: Result, _ what: StaticString, _ grip: Grip) {
        grip.logger.log(
            result.status == .done ? .info : .error,
            what,
            ["code": .integer(Int64(result.status.code)), "ending": .string(result.sentence)]
        )
        told.ring()
    }
}

extension ExitStatus {
    /// Whether time alone may make it end better: services that were away, a quota that was used up.
    var isWorthAnotherTry: Bool { self == .unreachable || self == .unfinished }
}

/// Says once that something fails, and once that it does not any more.
struct Trouble {
    private let what: StaticString
    private let logger: Logger
    private var isTold = false

    init(_ what: StaticString, _ logger: Logger) {
        self.what = what
        self.logger = logger
    }

    mutating func goesOn(_ error: any Error) {
        guard !isTold else { return }
        isTold = true
        logger.log(.warning, what, ["error": .string(sentence(of: error))])
    }

    mutating func isOver() {
        guard isTold else { return }
        isTold = false
        logger.log(.info, "the database answers again")
    }
}
