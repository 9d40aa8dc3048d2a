import CloudStorage
import GoogleAuth
import GooglePhotos
import HTTPClient
import JobQueue

/// Requests that show whether a service works, without depending on the part that made somebody doubt it.
struct NeutralRequest: Sendable {
    let photos: PhotosClient
    let archive: any ObjectStore
    let ledger: Ledger
    let kind: String
    let account: String

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
            try await photos.probeLibrary()
            return .answers
        } catch {
            return Self.answer(error)
        }
    }

    /// Asks for items that are stored already; before anything is, for two others of the queue, of which one must answer.
    private func media() async -> Breaker.Answer {
        guard let items = try? await ledger.neutralItems(kind: kind, account: account) else { return .unknown }
        let isProven = items.contains { $0.isStored }
        let asked = items.filter { $0.isStored == isProven }
        // A part alone in the world cannot be told from its service.
        guard isProven || asked.count > 1 else { return .unknown }
        do {
            var answers: [Breaker.Answer] = []
            for (item, result) in zip(asked, try await photos.batchGet(asked.map(\.sourceItem))) {
                guard let url = try? result.get().baseURL else { continue }
                do {
                    try await photos.probeMedia(url, item.kind.rendition)
                    answers.append(.answers)
                } catch {
                    answers.append(Self.answer(error))
                }
            }
            let silent = answers.first { if case .silent = $0 { true } else { false } }
            if isProven, let silent { return silent }
            return answers.contains(.answers) ? .answers : silent ?? .unknown
        } catch {
            return Self.answer(error)
        }
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
        case .transport, .quota, .dailyQuota, .budgetSpent, .auth: .unknown
        default: .answers
        }
    }
}
