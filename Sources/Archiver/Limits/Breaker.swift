import JobQueue
import Logging
import Postgres
import Synchronization

/// Outages of a service as a whole, as this process sees them and as all processes share them.
///
/// Opens when a neutral request fails; then nothing is begun, and one process of all tries the service now and then.
/// Where others have answers, only this process is cut off: it alone stops, and tries by itself.
final class Breaker: Sendable {
    /// What a neutral request brought.
    enum Answer: Sendable, Equatable {
        /// The service answers, if only to refuse.
        case answers
        /// It does not; a sentence.
        case silent(String)
        /// It was asked, and what it said about the items tells nothing.
        case unknown
        /// It could not be asked now: a quota is used up, or the database is away.
        case notAsked
    }

    private struct Opening {
        let since: ContinuousClock.Instant
        /// Since when all processes count it as away, as far as this one knows; nil: only this one does.
        var shared: ContinuousClock.Instant?
        /// When this process tries it next, if only this one is cut off.
        var nextProbe: ContinuousClock.Instant
    }

    private struct Probe {
        let began: ContinuousClock.Instant
        /// nil while it is under way.
        var answer: Answer?
    }

    private struct State {
        var open: [Service: Opening] = [:]
        /// When the youngest request that was answered began.
        var sound: [Service: ContinuousClock.Instant] = [:]
        var noted: [Service: ContinuousClock.Instant] = [:]
        var probes: [Service: Probe] = [:]
        /// Tries in a row of a service that is away by which nothing could be learnt.
        var unknown: [Service: Int] = [:]
        var lastTurn: ContinuousClock.Instant?
    }

    private let state = Mutex(State())
    private let queue: JobQueue
    private let places: [Service: String]
    private let logger: Logger
    private let probe: @Sendable (Service) async -> Answer
    /// Names this process where probes are handed out.
    private let process = Int64.random(in: 1...Int64.max)

    /// How long a neutral request may take: shorter than the pause between two of them.
    private static let probeLimit = Duration.seconds(10)
    /// Tries in vain after which a breaker closes, so that transfers show what tries cannot.
    ///
    /// Otherwise one that opened would stay open for ever where everything that could be asked for is gone from Google.
    private static let unknownLimit = 4
    /// How often the shared state is looked at.
    private static let turn = Duration.seconds(2)

    /// - Parameters:
    ///   - queue: where processes meet.
    ///   - places: which project or archive each service means here.
    ///   - logger: told when a breaker opens and closes.
    ///   - probe: sends a neutral request.
    init(
        queue: JobQueue,
        places: [Service: String],
        logger: Logger,
        probe: @escaping @Sendable (Service) async -> Answer
    ) {
        self.queue = queue
        self.places = places
        self.logger = logger
        self.probe = probe
    }

    /// Whether the service counts as away, for all or for this process.
    func isOpen(_ service: Service) -> Bool { state.withLock { $0.open[service] != nil } }

    /// Whether any service does: a transfer needs all of them.
    var isOpen: Bool { state.withLock { !$0.open.isEmpty } }

    /// Whether only this process is cut off: what it has claimed is better done by others.
    var isCutOff: Bool { state.withLock { $0.open.values.contains { $0.shared == nil } } }

    /// A request that was sent at `began` was answered.
    func sound(_ service: Service, began: ContinuousClock.Instant) {
        let isBack = state.withLock { state in
            state.sound[service] = max(state.sound[service] ?? began, began)
            guard let opening = state.open[service], opening.since < began else { return false }
            state.open[service] = nil
            state.noted[service] = nil
            state.unknown[service] = nil
            return true
        }
        if isBack { logger.log(.info, "service is back", ["service": .string(name(service))]) }
    }

    /// Whether a request that was sent after `instant` was answered.
    func wasSound(_ service: Service, after instant: ContinuousClock.Instant) -> Bool {
        state.withLock { $0.sound[service].map { $0 > instant } ?? false }
    }

    /// Sends a neutral request after a failure at `failed`, one for all that fail at the same time; opens if it fails.
    ///
    /// A cancelled task gets `unknown` at once; the request goes on for the others.
    func ask(_ service: Service, after failed: ContinuousClock.Instant) async -> Answer {
        while !Task.isCancelled {
            let answer = state.withLock { state -> Answer? in
                guard let probe = state.probes[service] else {
                    start(service, &state)
                    return nil
                }
                guard let answer = probe.answer else { return nil }
                if probe.began >= failed { return answer }
                start(service, &state)
                return nil
            }
            if let answer { return answer }
            // Cancellation is seen above.
            try? await Task.sleep(for: .milliseconds(20))
        }
        return .unknown
    }

    private func start(_ service: Service, _ state: inout State) {
        let began = ContinuousClock.now
        state.probes[service] = Probe(began: began)
        Task {
            let answer = await tried(service, began: began)
            self.state.withLock { $0.probes[service]?.answer = answer }
        }
    }

    /// One neutral request, and what follows from it.
    private func tried(_ service: Service, began: ContinuousClock.Instant) async -> Answer {
        let answer = await withTaskGroup(of: Answer.self) { group in
            group.addTask { await self.probe(service) }
            group.addTask {
                // Cancelled as soon as there is an answer.
                try? await Task.sleep(for: Self.probeLimit)
                return .silent("no answer within \(Self.probeLimit.components.seconds) seconds")
            }
            let first = await group.next() ?? .unknown
            group.cancelAll()
            return first
        }
        switch answer {
        case .answers:
            sound(service, began: began)
            await note(service, began: began)
        case .silent(let reason): await open(service, reason)
        case .notAsked: break
        case .unknown:
            let isVain = state.withLock { state in
                guard state.open[service] != nil else { return false }
                state.unknown[service, default: 0] += 1
                guard state.unknown[service, default: 0] >= Self.unknownLimit else { return false }
                state.open[service] = nil
                state.unknown[service] = nil
                return true
            }
            guard isVain else { break }
            logger.log(
                .warning,
                "nothing tells whether the service is back: going on",
                ["service": .string(name(service))]
            )
            // The others see it at their next look, should the database be away now.
            try? await queue.closeBreaker(service, place: places[service] ?? service.rawValue)
        }
        return answer
    }

    private func open(_ service: Service, _ reason: String) async {
        // At once here, before the database has said what it means for the others.
        let isNew = state.withLock { state in
            let isNew = state.open[service] == nil
            var opening = state.open[service] ?? Opening(since: .now, nextProbe: .now)
            opening.nextProbe = .now + queue.timing.probe
            state.open[service] = opening
            state.unknown[service] = nil
            return isNew
        }
        let place = places[service] ?? service.rawValue
        var isShared = false
        do {
            isShared = try await queue.reportOutage(service, place: place, worker: process, reason: reason)
        } catch {
            logger.log(.debug, "an outage could not be shared", ["error": .string("\(error)")])
        }
        state.withLock { state in
            if isShared, state.open[service]?.shared == nil { state.open[service]?.shared = .now }
            if !isShared { state.open[service]?.shared = nil }
            // Others had answers a moment ago: asked again soon, since that may have been before the outage.
            if !isShared, isNew { state.open[service]?.nextProbe = .now + queue.timing.soundInterval }
        }
        guard isNew else { return }
        let message: StaticString = isShared ? "service is away: waiting for it" : "service is away for this process"
        logger.log(.warning, message, ["service": .string(name(service)), "error": .string(reason)])
    }

    // MARK: Keeping in step with the other processes

    /// Keeps in step until cancelled; several callers in one process do no harm.
    func run() async {
        while !Task.isCancelled {
            let isDue = state.withLock { state in
                if let last = state.lastTurn, last.duration(to: .now) < Self.turn { return false }
                state.lastTurn = .now
                return true
            }
            if isDue {
                do {
                    try await step()
                } catch {
                    logger.log(.debug, "outages are not known", ["error": .string("\(error)")])
                }
            }
            // Cancellation is seen above.
            try? await Task.sleep(for: Self.turn / 4)
        }
    }

    private func step() async throws(PostgresError) {
        for service in Service.allCases {
            guard let began = state.withLock({ $0.sound[service] }), !isOpen(service) else { continue }
            let isNews = state.withLock { state in
                state.noted[service].map { $0 < began && $0.duration(to: .now) >= queue.timing.soundInterval } ?? true
            }
            if isNews { await note(service, began: began) }
        }
        let asked = ContinuousClock.now
        let shared = try await queue.openBreakers().filter { places[$0.service] == $0.place }
        follow(Set(shared.map(\.service)), asked: asked)
        for service in Service.allCases {
            guard let opening = state.withLock({ $0.open[service] }) else { continue }
            // Addresses of media come from the library.
            if service == .media, isOpen(.library) { continue }
            let place = places[service] ?? service.rawValue
            let isMine =
                opening.shared != nil
                ? try await queue.mayProbe(service, place: place, worker: process) : opening.nextProbe <= .now
            guard isMine else { continue }
            state.withLock { $0.open[service]?.nextProbe = .now + queue.timing.probe }
            _ = await ask(service, after: .now)
        }
    }

    /// Takes over what the others know.
    private func follow(_ shared: Set<Service>, asked: ContinuousClock.Instant) {
        let news = state.withLock { state in
            var news: [(service: Service, isOpen: Bool)] = []
            for service in Service.allCases {
                let known = state.open[service]
                if shared.contains(service) {
                    if known == nil { news.append((service, true)) }
                    if known == nil, state.sound[service].map({ $0 > asked }) ?? false { continue }
                    var opening = known ?? Opening(since: asked, nextProbe: asked)
                    opening.shared = opening.shared ?? asked
                    state.open[service] = opening
                } else if let known, let shared = known.shared, shared < asked {
                    state.open[service] = nil
                    news.append((service, false))
                }
            }
            return news
        }
        for (service, isOpen) in news {
            logger.log(
                isOpen ? .warning : .info,
                isOpen ? "service is away: waiting for it" : "service is back",
                ["service": .string(name(service))]
            )
        }
    }

    /// As a person calls it: the Picker's API stands where the library's does.
    private func name(_ service: Service) -> String {
        OpenBreaker.pickerProject(places[service] ?? "") == nil ? service.rawValue : "picker"
    }

    private func note(_ service: Service, began: ContinuousClock.Instant) async {
        state.withLock { $0.noted[service] = .now }
        // Noted again with the next answer, should the database be away now.
        try? await queue.noteSound(
            service,
            place: places[service] ?? service.rawValue,
            age: began.duration(to: .now)
        )
    }
}
