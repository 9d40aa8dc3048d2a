package import CloudStorage
import FoundationEssentials
package import GoogleAuth

/// The logins in the state store, `credentials/<account>.json`: sealed with the fleet's key, replaced and never deleted.
package struct LoginStore: Sendable {
    let store: any ObjectStore
    package let account: String

    /// Where the logins are, as a person names it.
    package var place: String { store.url }

    package init(_ store: any ObjectStore, account: String) {
        self.store = store
        self.account = account
    }

    /// The object's name; whatever is in a label cannot lead out of the folder.
    package var name: String {
        let plain = account.utf8.map { byte -> String in
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "_"):
                String(UnicodeScalar(byte))
            default: "%" + (byte < 16 ? "0" : "") + String(byte, radix: 16, uppercase: true)
            }
        }
        return "credentials/\(plain.joined()).json"
    }

    /// What a person types where no login is kept that could name the OAuth client, with what FILE is.
    package static func firstLogin(account: String) -> String {
        let flag = account == "default" ? "" : " --account \(account)"
        return "'coldroll login --client FILE\(flag)' (FILE: the downloaded file of the OAuth client)"
    }

    private struct Sealed: Codable {
        let format: String
        /// Of the key.
        let key: String?
        /// nil after a logout.
        let login: String?
    }
    private static let format = "coldroll-login-1"
    private var context: String { "\(Self.format) \(account)" }

    /// What stands under the account's name.
    package enum Content: Sendable, Equatable {
        /// Nobody has ever logged in, or this is another state store than the one of the login.
        case nothing
        /// The owner has logged out.
        case loggedOut
        /// `generation` is that of the object: whoever forgets the login names it.
        case login(Login, generation: Int64)
    }

    /// The login that is kept; nil if there is none, or the owner has logged out.
    ///
    /// - Throws: as `look`.
    package func read(_ key: FleetKey?, keyPath: String) async throws -> Login? {
        guard case .login(let login, _) = try await look(key, keyPath: keyPath) else { return nil }
        return login
    }

    /// What is kept.
    ///
    /// - Throws: `AuthError` `.badCredentials` where it cannot be opened, with what to do; `StorageError`.
    package func look(_ key: FleetKey?, keyPath: String) async throws -> Content {
        guard let (bytes, generation) = try await store.read(name) else { return .nothing }
        guard let sealed = try? JSONDecoder().decode(Sealed.self, from: Data(bytes)), sealed.format == Self.format
        else {
            throw fault(
                "\(name) in \(store.url) is no login of this version's. Run \(Self.firstLogin(account: account))."
            )
        }
        guard let login = sealed.login else { return .loggedOut }
        guard let key else {
            throw fault(
                "The login of account \(account) is sealed, and this host has no key: copy \(keyPath) from the host where "
                    + "coldroll login was run, or name its place by COLDROLL_KEY_FILE."
            )
        }
        guard sealed.key == key.id else {
            throw fault(
                "The login of account \(account) was sealed with another key than the one in \(key.path): copy the key file "
                    + "of the host where coldroll login was run, or log in again here."
            )
        }
        guard let plain = key.unseal(login, context: context), let opened = Login(decoding: plain) else {
            throw fault("\(name) in \(store.url) was changed or is damaged. Run \(Self.firstLogin(account: account)).")
        }
        return .login(opened, generation: generation)
    }

    /// Keeps a login in place of the one before.
    package func write(_ login: Login, _ key: FleetKey) async throws {
        let sealed = key.seal(login.encoded(), context: context)
        _ = try await replace(Sealed(format: Self.format, key: key.id, login: sealed), nil)
    }

    /// Leaves a file without a login in it, in place of the one of this generation.
    ///
    /// - Returns: false where another login has come since: that one stays.
    package func forget(generation: Int64) async throws -> Bool {
        try await replace(Sealed(format: Self.format, key: nil, login: nil), generation)
    }

    private func replace(_ sealed: Sealed, _ generation: Int64?) async throws -> Bool {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys]
        let bytes = [UInt8](try encoder.encode(sealed)) + [0x0A]
        return try await store.replace(name, with: bytes, contentType: "application/json", ifGeneration: generation)
    }

    private func fault(_ message: String) -> AuthError { AuthError(code: .badCredentials, message: message) }
}
