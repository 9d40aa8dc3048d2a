import HTTPClient
import HTTPServer
import JobQueue
import Logging

/// `coldroll serve`: answers calls, watches the clock, and does the run when it is this process's turn.
struct Serving: Sendable {
    private let session: Session
    private let arguments: Arguments
    private let http: HTTPClient
    private let database: Database
    private let gate: Gate
    private let source: Int64
    private let metrics: Metrics
    private let readiness: Readiness

    /// Connections to the database: what a run takes, and what goes on beside it.
    private static let connections = 8
    /// Connections of callers at once, how long each may last, and bytes for the head of a request.
    private static let callers: UInt32 = 64
    private static let lifetime = Duration.seconds(15)
    private static let memory = 64 << 10
    /// A run that waits, for a person who paused it or for anything else, ends then, so that the owner is told.
    static let longestRun = Duration.seconds(86_400)

    private var settings: Settings { session.settings }

    /// Opens what is there as long as the process is; what a run needs is opened for each anew.
    init(_ session: Session, _ arguments: Arguments) async throws {
        self.session = session
        self.arguments = arguments
        guard try session.requireSource() == .library else {
            throw CommandFault(
                "serve archives a library: with the Picker a person has to pick first, by 'coldroll run --source picker'"
            )
        }
        http = session.openHTTP()
        gate = try Gate(session.settings, http: http)
        database = try await session.openDatabase(connections: Self.connections)
        try await database.ledger.checkSchema()
        source = try await database.ledger.source(
            kind: Source.library.kind,
            account: session.settings.account,
            clientID: nil
        )
        readiness = Readiness(database.ledger, session.logger)
        metrics = Metrics(database: database, source: source, isScheduled: session.settings.serve.schedule != nil)
    }

    /// Stays until it is told to stop.
    func serve(isForced: Bool) async throws -> Ending {
        if let schedule = settings.serve.schedule, !isForced { try await session.refuseShortLogin(schedule, http) }
        let bells = (turns: Bell(), schedule: Bell(), notices: Bell())
        let closing = StopSignal()
        let server = try listen(turns: bells.turns, closing)
        // Its threads wait for their connections' ends: closed with everything else, whatever ends the command.
        session.resources.add {
            closing.request()
            await server.stopped()
        }
        session.interruption.becomeGraceful()
        tell(server.port)
        let notifier = session.notifier(http)
        let stop = session.stop
        await withTaskGroup(of: Void.self) { group in
            group.addTask {
                await stop.wait()
                for bell in [bells.turns, bells.schedule, bells.notices] { bell.ring() }
            }
            group.addTask { await keeper(bells.turns, told: bells.notices).keep(stop) }
            if let schedule = settings.serve.schedule {
                let keeper = ScheduleKeeper(
                    ledger: database.ledger,
                    source: source,
                    schedule: schedule,
                    host: hostName(),
                    logger: session.logger,
                    bell: bells.schedule,
                    turns: bells.turns
                )
                group.addTask { await keeper.keep(stop) }
            }
            if let notifier {
                let keeper = NoticeKeeper(
                    notifier: notifier,
                    ledger: database.ledger,
                    source: source,
                    bell: bells.notices
                )
                group.addTask { await keeper.keep(stop) }
            }
        }
        return Ending(.interrupted, "Stopped.")
    }

    private func listen(turns: Bell, _ closing: StopSignal) throws -> HTTPServer {
        let (ledger, source, metrics, readiness, stop) = (database.ledger, source, metrics, readiness, session.stop)
        let routes = ServeRoutes(
            judge: { [gate] in await gate.judge($0) },
            logger: session.logger,
            ask: {
                // Nobody would take a turn of a ledger that was moved, or of another version.
                if let fault = await readiness.fault() { throw CommandFailure(.unreachable, fault) }
                let asked = try await ledger.askForTurn(source: source)
                turns.ring()
                return asked
            },
            unready: {
                if stop.isRequested { return "This process is about to end." }
                return await readiness.fault()
            },
            metrics: { try await metrics.text() },
            closing: closing
        )
        let address = settings.serve.listen
        do throws(HTTPServerError) {
            return try HTTPServer(
                address: address.host,
                port: address.port,
                connectionLimit: Self.callers,
                memory: Self.memory,
                lifetime: Self.lifetime
            ) { routes.receive($0) }
        } catch {
            throw CommandFailure(.usage, "serve \(error.description)")
        }
    }

    private func keeper(_ bell: Bell, told: Bell) -> TurnKeeper {
        var timing = TurnKeeper.Timing()
        // Behind its own end it may list what is left, and write its record.
        timing.limit = (work.maxRun ?? .zero) + .seconds(2 * 3600)
        return TurnKeeper(
            ledger: database.ledger,
            source: source,
            host: hostName(),
            logger: session.logger,
            timing: timing,
            bell: bell,
            told: told,
            // What this program cannot do, one that fits may.
            mayTake: { [readiness] in await readiness.fault() == nil }
        ) { await run($0) }
    }

    /// One run as `coldroll run` does it, with all that it opens; the login may be another than last time.
    private func run(_ stop: StopSignal) async -> TurnKeeper.Result {
        let resources = OpenResources()
        let own = Session(
            settings: settings,
            reporter: session.reporter,
            stop: stop,
            resources: resources,
            interruption: session.interruption
        )
        let result: TurnKeeper.Result
        do {
            let archive = try await open(own)
            let (ending, _) = try await ArchiverCalls.run(
                archive,
                try Pass(arguments, of: .library),
                work,
                timed: { metrics.note($0) },
                stop: stop,
                reporter: session.reporter
            )
            result = TurnKeeper.Result(status: ending.status, sentence: ending.sentence ?? "")
        } catch {
            result = TurnKeeper.Result(status: ExitStatus(of: error), sentence: sentence(of: error))
        }
        await resources.closeAll()
        session.reporter.endProgress()
        return result
    }

    /// Opens what a run needs; a stop ends that too, whatever does not answer.
    private func open(_ session: Session) async throws -> Archive {
        let opening = Task { try await session.openArchive(on: database) }
        let watch = Task {
            await session.stop.wait()
            opening.cancel()
        }
        defer { watch.cancel() }
        return try await opening.value
    }

    /// How a run works: what is not done within its `maxRun` is told, and tried again.
    private var work: WorkOptions { WorkOptions(arguments, settings, drain: true, longest: Self.longestRun) }

    /// Says where it listens and what it waits for.
    private func tell(_ port: UInt16) {
        let host = settings.serve.listen.host
        session.reporter.say("Listening on http://\(host):\(port)", ["port": .integer(Int64(port))])
        if let schedule = settings.serve.schedule {
            let zone = schedule.clock.name
            session.reporter.say("Runs by itself at '\(schedule.expression)', \(zone) time.")
        }
        guard !gate.isOpen else { return }
        let words = "Nobody can ask for a run: \(Gate.closed)"
        guard settings.serve.schedule == nil else { return session.reporter.say(words) }
        session.reporter.warn(
            "\(words) Nor is there a schedule (--schedule, COLDROLL_SCHEDULE): this process runs nothing but what others ask "
                + "for."
        )
    }
}
