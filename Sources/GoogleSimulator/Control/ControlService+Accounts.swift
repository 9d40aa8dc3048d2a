import Synchronization
import HTTPServer
import Synchronization

extension ControlService {
    /// Takes back what clients were allowed: of one person (`account`), of one client (`client`), or all.
    func revokeLogins(_ bytes: [UInt8]) -> ServerAnswer {
        let identities = hub.accounts.identities
        let wanted = JSONValue.parse(bytes)
        let people = identities.people.filter { person in
            wanted?["account"]?.text.map { [person.email, person.subject].contains($0) } ?? true
        }
        let clients = identities.clients.filter { client in wanted?["client"]?.text.map { $0 == client.id } ?? true }
        if people.isEmpty || clients.isEmpty { return unknown() }
        for person in people {
            for client in clients { hub.accounts.revoke(Holder(clientID: client.id, subject: person.subject)) }
        }
        return .json(200, .object([]))
    }

    /// How long logins live that begin from now on: `{"seconds":2}`, or null for ever.
    func setRefreshLifetime(_ bytes: [UInt8]) -> ServerAnswer {
        let seconds = JSONValue.parse(bytes)?["seconds"]
        if seconds != .null, seconds?.number == nil {
            return .refusal(400, "INVALID_ARGUMENT", "send {\"seconds\":NUMBER}, or null for logins without an end")
        }
        hub.accounts.refreshTokens.setLifetime(seconds: seconds?.number)
        return .json(200, .object([]))
    }

    /// Another key signs ID tokens from now on.
    func rotateIdentityKey(_: [UInt8]) -> ServerAnswer {
        do throws(KeyError) {
            try hub.accounts.keys.rotate()
            return .json(200, .object([]))
        } catch {
            return .refusal(500, "INTERNAL", error.description)
        }
    }

    /// The ID token with which Cloud Scheduler calls: `{"audience":URL,"account":EMAIL}`, bad in one way with `"fault"`.
    func mintIdentityToken(_ bytes: [UInt8]) -> ServerAnswer {
        do {
            let token = try hub.identityToken(JSONValue.parse(bytes) ?? .null)
            return .json(200, .members(("token", .string(token))))
        } catch {
            return .refusal(400, "INVALID_ARGUMENT", "\(error)")
        }
    }

    /// Whose the library is: `account`, and the client that is said to have added its items (`client`, or the one as before).
    func setLibraryOwner(_ bytes: [UInt8]) -> ServerAnswer {
        let identities = hub.accounts.identities
        let wanted = JSONValue.parse(bytes)
        let client = wanted?["client"]?.text ?? hub.libraryOwner.withLock { $0.clientID }
        guard let person = wanted?["account"]?.text.flatMap(identities.person), identities.client(client) != nil else {
            return unknown()
        }
        hub.libraryOwner.withLock { $0 = Holder(clientID: client, subject: person.subject) }
        return .json(200, .object([]))
    }

    private func unknown() -> ServerAnswer {
        .refusal(400, "INVALID_ARGUMENT", "there is no such account or client")
    }
}
