import CloudStorage
import Foundation
import GoogleAuth
import GoogleSimulator
import HTTPClient
import JobQueue
import Logging
import Postgres
import TestSupport

@testable import Archiver

/// A ledger with work in it, a simulated Google, and a state store between whose steps a test can act.
final class LoginBench: Sendable {
    let fixture: QueueFixture
    let simulator: Simulator
    let state: WatchedStore
    let store: LoginStore
    let key: FleetKey
    private let http = HTTPClient()
    private let folder: String

    init() async throws {
        folder = NSTemporaryDirectory() + "coldroll-login-" + UUID().uuidString
        simulator = try .start(SimulatorConfiguration())
        fixture = try await QueueFixture()
        try await fixture.record(2)
        let directory = try openStore("file://\(folder)/state", http: http, tokens: .anonymous, endpoint: "")
        try await directory.create()
        state = WatchedStore(directory)
        store = LoginStore(state, account: "default")
        key = try FleetKey.loadOrMake(folder + "/key")
    }

    deinit {
        http.shutdown()
        simulator.stop()
        try? FileManager.default.removeItem(atPath: folder)
    }

    var source: Int64 { fixture.source }
    var records: LoginRecords { records(fixture.ledger) }

    private func records(_ ledger: Ledger) -> LoginRecords {
        LoginRecords(ledger: ledger, store: store, key: key, keyPath: key.path)
    }

    /// A login of the library's owner, one that Google takes, or else one that it does not know.
    func login(isGood: Bool = true, secret: String? = nil) throws -> Login {
        struct File: Decodable { let client_id, client_secret, refresh_token: String }
        let bytes = try Data(contentsOf: URL(filePath: simulator.photosCredentialsFile))
        let file = try JSONDecoder().decode(File.self, from: bytes)
        return Login(
            client: OAuthClient(id: file.client_id, secret: secret ?? file.client_secret),
            refreshToken: isGood ? file.refresh_token : "dead",
            scopes: ["openid"],
            subject: "104",
            email: "ada@example.org",
            signedInAt: .now,
            endsAt: nil
        )
    }

    /// What `coldroll login` does with a login, up to the end.
    @discardableResult
    func keep(_ login: Login) async throws -> LoginRecords.Agreement {
        try await store.write(login, key)
        return try await records.agree(source: source)
    }

    /// What each host has that read `login` when it started.
    func host(
        _ login: Login,
        endpoint: String? = nil,
        ledger: Ledger? = nil,
        logger: Logger = .none
    ) -> TokenSource {
        FleetLogin(
            source: source,
            login: login,
            records: records(ledger ?? fixture.ledger),
            key: key,
            desk: LoginDesk(http: http, tokenEndpoint: endpoint ?? simulator.url),
            logger: logger
        ).tokens
    }

    /// How the ledger knows the login.
    func named() async throws -> SharedLogin? { try await fixture.ledger.login(source: source) }

    /// Whether the login paused the source.
    func isPaused() async throws -> Bool { try await fixture.ledger.isPausedByLogin(source: source) }

    /// The time until somebody may fetch again is over.
    func endPause() async throws {
        try await fixture.sql("UPDATE coldroll.login SET refresh_until = now() WHERE refresh_until IS NOT NULL")
    }
}
