import FoundationEssentials
import HTTPClient

/// The keys that Google signs identity tokens with, fetched when they are needed and kept as long as Google says.
///
/// Whoever sends tokens with invented key ids makes no more than one request a minute.
actor IdentityKeys {
    /// Seconds that keys are kept, whatever Google says.
    private static let lives = 60.0...86_400.0
    /// Seconds after a fetch in which a key that is not known is not looked for again.
    private static let pause = 60.0
    /// The same after a fetch that failed.
    private static let pauseAfterFailure = 5.0
    private static let patience = Duration.seconds(10)

    private struct Kept {
        let keys: [String: VerifyingKey]
        let ends: Double
    }

    private let http: HTTPClient
    private let url: String
    /// Seconds that never go back.
    private let clock: @Sendable () -> Double
    private var kept: Kept?
    private var nextFetch = -Double.infinity
    private var lastFailure: IdentityError?
    private var fetching: Task<Void, Never>?

    init(http: HTTPClient, url: String, clock: @escaping @Sendable () -> Double) {
        self.http = http
        self.url = url
        self.clock = clock
    }

    /// The key of this id; nil if Google has none.
    ///
    /// - Throws: `.unavailable` where the keys cannot be fetched.
    func key(_ id: String) async throws(IdentityError) -> VerifyingKey? {
        if let found = fresh?[id] { return found }
        if fetching == nil, clock() < nextFetch {
            if let lastFailure { throw lastFailure }
            return nil
        }
        await fetch()
        if let found = fresh?[id] { return found }
        if let lastFailure { throw lastFailure }
        return nil
    }

    private var fresh: [String: VerifyingKey]? {
        guard let kept, clock() < kept.ends else { return nil }
        return kept.keys
    }

    /// One at a time: whoever comes meanwhile waits for the same answer.
    private func fetch() async {
        if let fetching { return await fetching.value }
        let task = Task { await ask() }
        fetching = task
        await task.value
    }

    private func ask() async {
        let asked = clock()
        defer { fetching = nil }
        switch await answer() {
        case .success(let response):
            guard let keys = Self.keys(response.body), !keys.isEmpty else {
                return fail("Google's keys for identity tokens cannot be read.")
            }
            lastFailure = nil
            kept = Kept(keys: keys, ends: asked + Self.life(response.head))
            nextFetch = asked + Self.pause
        case .failure(let error): fail("Google's keys for identity tokens cannot be fetched: \(error.message)")
        }
    }

    private func fail(_ message: String) {
        lastFailure = IdentityError(.unavailable, message)
        nextFetch = clock() + Self.pauseAfterFailure
    }

    private func answer() async -> Result<HTTPResponse, HTTPError> {
        var request = HTTPRequest("GET", url)
        request.stallTimeout = Self.patience
        let sending = Task { [request] () async -> Result<HTTPResponse, HTTPError> in
            do throws(HTTPError) {
                let response = try await http.send(request, limit: 256 << 10)
                guard response.status == 200 else {
                    return .failure(HTTPError(code: .cut, message: "the answer was \(response.status)."))
                }
                return .success(response)
            } catch {
                return .failure(error)
            }
        }
        let deadline = Task {
            try await Task.sleep(for: Self.patience)
            sending.cancel()
        }
        defer { deadline.cancel() }
        return await sending.value
    }

    /// How long an answer is good: `max-age` less the time that it stood in caches (RFC 9111, section 4.2).
    private static func life(_ head: HTTPHead) -> Double {
        let words = (head.header("Cache-Control") ?? "").lowercased().split { $0 == "," || $0 == " " }
        let age = head.header("Age").flatMap(Double.init) ?? 0
        let most = words.first { $0.hasPrefix("max-age=") }.flatMap { Double($0.dropFirst("max-age=".count)) } ?? 0
        let left = most - max(0, age)
        return left.isFinite ? min(max(left, lives.lowerBound), lives.upperBound) : lives.lowerBound
    }

    /// The RSA keys for signatures of a JSON Web Key Set (RFC 7517), by id; nil if it is none.
    private static func keys(_ body: [UInt8]) -> [String: VerifyingKey]? {
        struct Set: Decodable {
            struct Key: Decodable {
                let kty: String?
                let use: String?
                let alg: String?
                let kid: String?
                let n: String?
                let e: String?
            }
            let keys: [Key]
        }
        guard let set = try? JSONDecoder().decode(Set.self, from: Data(body)) else { return nil }
        var keys: [String: VerifyingKey] = [:]
        for key in set.keys.prefix(100)
        where key.kty == "RSA" && (key.use ?? "sig") == "sig" && (key.alg ?? "RS256") == "RS256" {
            guard let id = key.kid, let modulus = key.n.flatMap({ bytes(base64URL: $0) }),
                let exponent = key.e.flatMap({ bytes(base64URL: $0) }),
                let made = VerifyingKey(modulus: modulus, exponent: exponent)
            else { continue }
            keys[id] = made
        }
        return keys
    }
}
