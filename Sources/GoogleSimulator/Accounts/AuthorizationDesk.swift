import Synchronization

/// What a code stands for until it is exchanged.
struct AuthorizationCode: Sendable {
    let request: AuthorizationRequest
    let person: Person
    let scopes: Set<String>
    let givesRefreshToken: Bool
    fileprivate var expires = Timestamp(microseconds: 0)
    fileprivate var isUsed = false
    fileprivate var isReused = false

    init(request: AuthorizationRequest, person: Person, scopes: Set<String>, givesRefreshToken: Bool) {
        self.request = request
        self.person = person
        self.scopes = scopes
        self.givesRefreshToken = givesRefreshToken
    }

    var holder: Holder { Holder(clientID: request.client.id, subject: person.subject) }
}

/// Authorizations under way: pages that wait for a person, and codes that wait for their client.
final class AuthorizationDesk: Sendable {
    /// A page that was shown.
    struct Page: Sendable {
        let request: AuthorizationRequest
        /// Whether the warning of an unverified app is still to be read.
        var isWarning: Bool
    }

    /// What an exchange got.
    enum Redemption {
        case granted(AuthorizationCode)
        /// The code was exchanged before.
        case reused
        case refused(OAuthFailure)
    }

    private struct State {
        var pages: [String: Page] = [:]
        var codes: [String: AuthorizationCode] = [:]
    }

    // More than anybody leaves open at once.
    private static let pageLimit = 10_000

    private let codeLifetimeSeconds: Double
    private let state = Mutex(State())

    init(codeLifetimeSeconds: Double) { self.codeLifetimeSeconds = codeLifetimeSeconds }

    /// Remembers a page by the text that its form sends back.
    func open(_ page: Page) -> String {
        let ticket = randomText(bytes: 24)
        state.withLock { state in
            if state.pages.count >= Self.pageLimit { state.pages = [:] }
            state.pages[ticket] = page
        }
        return ticket
    }

    /// The page, if it still waits.
    func page(_ ticket: String) -> Page? { state.withLock { $0.pages[ticket] } }

    /// The person has read the warning; nil if no warning waits.
    func passWarning(_ ticket: String) -> AuthorizationRequest? {
        state.withLock { state in
            guard let page = state.pages[ticket], page.isWarning else { return nil }
            state.pages[ticket]?.isWarning = false
            return page.request
        }
    }

    /// The person has decided: nobody decides twice.
    func close(_ ticket: String) -> Page? { state.withLock { $0.pages.removeValue(forKey: ticket) } }

    /// A new code, which lives for some minutes.
    func issue(_ code: AuthorizationCode) -> String {
        let text = "4/0A" + randomText(bytes: 54)
        var code = code
        code.expires = Timestamp.now.adding(seconds: codeLifetimeSeconds)
        state.withLock { [code] state in
            state.codes = state.codes.filter { $0.value.expires > .now }
            state.codes[text] = code
        }
        return text
    }

    /// Whether a text could be a code at all.
    static func isWellFormed(_ text: String) -> Bool {
        text.hasPrefix("4/0A") && bytes(base64URL: text.dropFirst(4))?.count == 54
    }

    /// Whether somebody came with a code after it was taken.
    func isReused(_ text: String) -> Bool { state.withLock { $0.codes[text]?.isReused ?? false } }

    /// Takes a code unless it is unknown, over, or somebody objects; it can be taken once.
    func redeem(_ text: String, objection: (AuthorizationCode) -> OAuthFailure?) -> Redemption {
        state.withLock { state in
            guard let code = state.codes[text], code.expires > .now else {
                return .refused(.badRequest("invalid_grant"))
            }
            if code.isUsed {
                state.codes[text]?.isReused = true
                return .reused
            }
            if let failure = objection(code) { return .refused(failure) }
            state.codes[text]?.isUsed = true
            return .granted(code)
        }
    }
}
