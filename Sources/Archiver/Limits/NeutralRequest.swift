import CloudStorage
import GoogleAuth
import GooglePhotos
import HTTPClient
import JobQueue

/// Requests that show whether a service works, without depending on the part that made somebody doubt it.
struct NeutralRequest: Sendable {
    let photos: PhotosClient
    let items: any ItemSource
    let archive: any ObjectStore
    let ledger: Ledger
    let account: String
    /// Base URLs that are known in this process: they cost no request.
    let baseURLs: BaseURLCache

    /// Sends one; takes as long as the service takes.
    func callAsFunction(_ service: Service) async -> Breaker.Answer {
        switch service {
        case .library: await library()
        case .media: await media()
        case .storage: await storage()
        }
    }

    private func library() async -> Breaker.Answer {
        do {
            try await items.probe()
            return .answers
        } catch {
            return Self.answer(error)
        }
    }

    /// What the media servers said for items of one kind.
    private struct Poll {
        var hasAnswer = false
        var isUnasked = false
        var silent: [Breaker.Answer] = []
    }

    /// Asks for items that are stored already, of each kind until one is answered or two are not; where these say nothing,
    /// for items of the queue.
    ///
    /// No single item decides: it may be gone from Google, or be one that never works. Two of one kind that were fetched
    /// before and are not now are an outage: the servers that send videos fail without the others.
    private func media() async -> Breaker.Answer {
        guard let items = try? await ledger.neutralItems(kind: items.kind, account: account) else { return .notAsked }
        let stored = await polls(items.filter(\.isStored))
        if let away = stored.first(where: { !$0.hasAnswer && $0.silent.count > 1 }) { return away.silent[0] }
        if stored.contains(where: \.hasAnswer) { return .answers }
        let queued = await polls(items.filter { !$0.isStored })
        if queued.contains(where: \.hasAnswer) { return .answers }
        let silent = (stored + queued).flatMap(\.silent)
        // A part alone in the world cannot be told from its service.
        if silent.count > 1 { return silent[0] }
        return (stored + queued).contains(where: \.isUnasked) ? .notAsked : .unknown
    }

    private func polls(_ items: [Ledger.NeutralItem]) async -> [Poll] {
        await withTaskGroup(of: Poll.self) { group in
            for (kind, items) in Dictionary(grouping: items, by: \.kind) {
                group.addTask { await poll(items, kind.rendition) }
            }
            return await group.reduce(into: []) { $0.append($1) }
        }
    }

    private func poll(_ items: [Ledger.NeutralItem], _ rendition: Rendition) async -> Poll {
        var poll = Poll()
        for item in items {
            do {
                guard let url = try await address(of: item.sourceItem) else { continue }
                do {
                    try await photos.probeMedia(url, rendition)
                    poll.hasAnswer = true
                } catch {
                    let answer = Self.answer(error)
                    if case .silent = answer { poll.silent.append(answer) }
                    if answer == .answers { poll.hasAnswer = true }
                    if answer == .notAsked { poll.isUnasked = true }
                }
                if poll.hasAnswer || poll.silent.count > 1 { break }
            } catch {
                // Without the API nobody else has an address either. A refusal is about this item.
                let answer = (error as? PhotosError).map(Self.answer) ?? .notAsked
                if answer == .notAsked { poll.isUnasked = true }
                guard answer == .answers else { return poll }
            }
        }
        return poll
    }

    /// Known for most of an hour, so that an outage of the media servers costs hardly any request to the API.
    private func address(of item: String) async throws -> BaseURL? {
        if let known = baseURLs.item(item)?.baseURL { return known }
        let found = try await items.item(item)
        baseURLs.offer([found], isWanted: true)
        return found.baseURL
    }

    private func storage() async -> Breaker.Answer {
        do {
            try await archive.probe()
            return .answers
        } catch let error as StorageError {
            if case .unavailable = error.code { return .silent(error.message) }
            return .answers
        } catch {
            return .unknown
        }
    }

    /// A refusal is an answer; a quota says that the service is there, but nothing about how it does.
    private static func answer(_ error: PhotosError) -> Breaker.Answer {
        switch error.code {
        case .unavailable, .auth(.unavailable), .transport(.cut), .transport(.stalled): .silent(error.message)
        case .quota, .dailyQuota, .budgetSpent: .notAsked
        case .transport, .auth: .unknown
        default: .answers
        }
    }
}
