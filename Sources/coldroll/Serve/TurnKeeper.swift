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
    /// Whether ends are to be told to somebody.
    private let tells: Bool
    private let run: @Sendable (StopSignal) async -> Result

    init(
        ledger: Ledger,
        source: Int64,
        host: String,
        logger: Logger,
        timing: Timing = Timing(),
        bell: Bell,
        told: Bell,
        tells: Bool,
        run: @escaping @Sendable (StopSignal) async -> Result
    ) {
        self.ledger = ledger
        self.source = source
        self.host = host
        self.logger = logger
        self.timing = timing
        self.bell = bell
        self.told = told
        self.tells = tells
        self.run = run
    }

    /// Goes on until a stop is asked for; a turn that is in hand then is let go of, for another host to take.
    func keep(_ stop: StopSignal) async {
        var trouble = Trouble("turns cannot be looked for", logger)
        var holder = Int64.random(in: 1...Int64.max)
        while !stop.isRequested {
            var turn: Turn?
            do throws(PostgresError) {
                turn = try await ledger.takeTurn(source: source, holder: holder, host: host, silence: timing.silence)
                trouble.isOver()
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
        let heart = Task {
            await beats(turn, holder)
            // It was cancelled, let go of by a stop, or is being recorded as ended: else it was taken away.
            guard !Task.isCancelled, !stop.isRequested, !fate.isOver.load(ordering: .acquiring) else { return }
            fate.isLost.store(true, ordering: .releasing)
            logger.log(.warning, "another process has taken this run over: stops here")
            // It goes on there: nothing is to be finished here.
            own.request()
            own.request()
        }
        let watch = Task {
            await stop.wait()
            guard !Task.isCancelled else { return }
            own.request()
            // At once, so that another host goes on while this one gives back what it has in hand.
            _ = try? await ledger.letGoOfTurn(turn.number, holder: holder)
            await stop.waitHard()
            guard !Task.isCancelled else { return }
            own.request()
        }
        defer {
            heart.cancel()
            watch.cancel()
        }
        let result = await run(own)
        fate.isOver.store(true, ordering: .releasing)
        if stop.isRequested {
            _ = try? await ledger.letGoOfTurn(turn.number, holder: holder)
            logger.log(.info, "leaves the run to others", ["ending": .string(result.sentence)])
        } else if !fate.isLost.load(ordering: .acquiring) {
            await record(result, of: turn, holder, stop, logger)
        }
    }

    /// What has become of a turn in hand.
    private final class Fate: Sendable {
        let isLost = Atomic(false)
        let isOver = Atomic(false)
    }

    /// Gives signs of life until it is cancelled, or the turn is not this holder's any more.
    private func beats(_ turn: Turn, _ holder: Int64) async {
        while !Task.isCancelled {
            try? await Task.sleep(for: timing.beat)
            // Without an answer nothing is known: the next one comes soon.
            if (try? await ledger.beatTurn(turn.number, holder: holder)) == false { return }
        }
    }

    private func record(
        _ result: Result,
        of turn: Turn,
        _ holder: Int64,
        _ stop: StopSignal,
        _ logger: Logger
    ) async {
        var trouble = Trouble("the run's end cannot be recorded", logger)
        let news = tells ? RunNews(result.status, result.sentence).news(turn: turn.number) : nil
        while !stop.isRequested {
            do throws(PostgresError) {
                let isOurs =
                    if result.status.isWorthAnotherTry {
                        try await ledger.postponeTurn(
                            turn.number,
                            holder: holder,
                            code: result.status.code,
                            message: result.sentence,
                            pause: timing.pause,
                            news: news
                        )
                    } else {
                        try await ledger.endTurn(
                            turn.number,
                            holder: holder,
                            code: result.status.code,
                            message: result.sentence,
                            news: news
                        )
                    }
                trouble.isOver()
                guard isOurs else { return logger.log(.warning, "the run was taken over before its end was recorded") }
                logger.log(
                    result.status == .done ? .info : .error,
                    result.status.isWorthAnotherTry ? "the run is to be tried again" : "the run has ended",
                    ["code": .integer(Int64(result.status.code)), "ending": .string(result.sentence)]
                )
                told.ring()
                return
            } catch {
                trouble.goesOn(error)
                await bell.wait(timing.look)
            }
        }
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
