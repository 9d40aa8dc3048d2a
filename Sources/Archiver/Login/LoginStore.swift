package import CloudStorage
import FoundationEssentials
package import GoogleAuth

/// The logins in the state store, `credentials/<account>.json`: sealed with the fleet's key, replaced and never deleted.
package struct LoginStore: Sendable {
    let store: any ObjectStore
    let account: String

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

    private struct Sealed: Codable {
        let format: String
        /// Of the key.
        let key: String?
        /// nil after a logout.
        let login: String?
    }
    private static let format = "coldroll-login-1"
    private var context: String { "\(Self.format) \(account)" }

    /// The login that is kept; nil if there is none, or the owner has logged out.
    ///
    /// - Throws: `AuthError` `.badCredentials` where it cannot be opened, with what to do; `StorageError`.
    package func read(_ key: FleetKey?, keyPath: String) async throws -> Login? {
        guard let bytes = try await store.read(name)?.bytes else { return nil }
        guard let sealed = try? JSONDecoder().decode(Sealed.self, from: Data(bytes)), sealed.format == Self.format
        else {
            throw fault("\(name) in \(store.url) is no login of this version's. Run 'coldroll login' again.")
        }
        guard let login = sealed.login else { return nil }
        guard let key else {
            throw fault(
                "The login of account \(account) is sealed, and this host has no key: copy \(keyPath) from the host where "
                    + "'coldroll login' was run, or name its place by COLDROLL_KEY_FILE."
            )
        }
        guard sealed.key == key.id else {
            throw fault(
                "The login of account \(account) was sealed with another key than the one in \(key.path): copy the key file "
                    + "of the host where 'coldroll login' was run, or log in again here."
            )
        }
        guard let plain = key.unseal(login, context: context), let opened = Login(decoding: plain) else {
            throw fault("\(name) in \(store.url) was changed or is damaged. Run 'coldroll login' again.")
        }
        return opened
    }

    /// Keeps a login in place of the one before.
    package func write(_ login: Login, _ key: FleetKey) async throws {
        try await replace(Sealed(format: Self.format, key: key.id, login: key.seal(login.encoded(), context: context)))
    }

    /// Leaves a file without a login in it.
    package func forget() async throws {
        try await replace(Sealed(format: Self.format, key: nil, login: nil))
    }

    private func replace(_ sealed: Sealed) async throws {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys]
        let bytes = [UInt8](try encoder.encode(sealed)) + [0x0A]
        _ = try await store.replace(name, with: bytes, contentType: "application/json", ifGeneration: nil)
    }

    private func fault(_ message: String) -> AuthError { AuthError(code: .badCredentials, message: message) }
}
