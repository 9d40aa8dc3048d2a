package import FoundationEssentials

/// A person's login: what is kept, sealed, in the state store.
///
/// The JSON is an `authorized_user` file of Google's tools with what coldroll adds: unsealed, it serves them as well.
package struct Login: Sendable, Equatable, Codable {
    /// Fresh with each login.
    package let id: String
    package let clientID: String
    package let clientSecret: String
    package let refreshToken: String
    /// What was granted.
    package let scopes: [String]
    /// Google's number of the account (`sub`); it never changes, as an address may.
    package let subject: String
    /// The account's address, to name it to its owner.
    package let email: String?
    package let signedInAt: Date
    /// When Google will refuse it; nil where Google names no end.
    package let endsAt: Date?

    private let type: String

    /// Seconds of a login whose end Google names; what is longer is a mistake, and no date that calendars know.
    static let longestLife = 10 * 365 * 86_400.0

    enum CodingKeys: String, CodingKey {
        case id, scopes, subject, email, type
        case clientID = "client_id"
        case clientSecret = "client_secret"
        case refreshToken = "refresh_token"
        case signedInAt = "signed_in_at"
        case endsAt = "ends_at"
    }

    package init(
        client: OAuthClient,
        refreshToken: String,
        scopes: [String],
        subject: String,
        email: String?,
        signedInAt: Date,
        endsAt: Date?
    ) {
        id = UUID().uuidString.lowercased()
        clientID = client.id
        clientSecret = client.secret
        self.refreshToken = refreshToken
        self.scopes = scopes
        self.subject = subject
        self.email = email
        self.signedInAt = signedInAt
        self.endsAt = endsAt
        type = "authorized_user"
    }

    /// The client that it was made with, to log in again.
    package var client: OAuthClient { OAuthClient(id: clientID, secret: clientSecret) }

    /// JSON with a secret in it: to be sealed.
    package func encoded() -> [UInt8] {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys]
        encoder.dateEncodingStrategy = .iso8601
        // `try!` cannot fail because nothing but texts and dates is encoded.
        return [UInt8](try! encoder.encode(self))
    }

    /// nil if it is none.
    package init?(decoding bytes: [UInt8]) {
        let decoder = JSONDecoder()
        decoder.dateDecodingStrategy = .iso8601
        guard let login = try? decoder.decode(Login.self, from: Data(bytes)) else { return nil }
        self = login
    }
}
