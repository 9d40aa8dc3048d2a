import FoundationEssentials

/// The owner's OAuth client, as Google's console hands it out: `client_secret_….json`.
package struct OAuthClient: Sendable, Equatable {
    /// Public: it stands in every link to the consent page.
    package let id: String
    /// Never printed.
    package let secret: String
    /// Where the consent page may send the browser back to, for a client of type "Web application"; empty for a desktop app,
    /// which may choose any port of the loopback address (RFC 8252, section 7.3).
    package let redirects: [String]

    package init(id: String, secret: String, redirects: [String] = []) {
        self.id = id
        self.secret = secret
        self.redirects = redirects
    }

    private struct Content: Decodable {
        struct Client: Decodable {
            let client_id: String?
            let client_secret: String?
            let auth_uri: String?
            let redirect_uris: [String]?
        }
        let installed: Client?
        let web: Client?
        let type: String?
    }

    /// - Parameters:
    ///   - bytes: the file's content.
    ///   - name: its path, for errors.
    /// - Throws: `.badCredentials` with what is wrong and where the right file is to be had.
    package init(_ bytes: [UInt8], name: String) throws(AuthError) {
        guard let content = try? JSONDecoder().decode(Content.self, from: Data(bytes)) else {
            throw Self.fault("\(name) is not complete JSON")
        }
        guard let client = content.installed ?? content.web else {
            if content.type == "service_account" {
                throw Self.fault(
                    "\(name) is the key of a service account, and Google Photos knows no service accounts"
                )
            }
            if content.type == "authorized_user" {
                throw Self.fault("\(name) is a login already: COLDROLL_PHOTOS_CREDENTIALS can name it")
            }
            throw Self.fault("\(name) is no OAuth client: it has neither \"installed\" nor \"web\" in it")
        }
        let fields = [("client_id", client.client_id), ("client_secret", client.client_secret)]
        let missing = fields.filter { $0.1?.isEmpty ?? true }.map(\.0)
        guard missing.isEmpty, let id = client.client_id, let secret = client.client_secret else {
            throw Self.fault("\(name) is incomplete, it lacks \(missing.joined(separator: ", "))")
        }
        // A secret must go to Google only, wherever a file that was slipped in would send it.
        guard client.auth_uri.map({ $0.hasPrefix("https://accounts.google.com/") }) ?? true else {
            throw Self.fault("\(name) is not a client of Google's: its auth_uri leads elsewhere")
        }
        self.init(id: id, secret: secret, redirects: content.installed == nil ? client.redirect_uris ?? [] : [])
        if content.installed == nil, loopback == nil {
            throw Self.fault(
                "\(name) is a client of type \"Web application\" without a redirect address on this machine; add "
                    + "http://127.0.0.1:8085/ to its authorised redirect URIs, or make one of type \"Desktop app\""
            )
        }
    }

    /// The address and port that the consent page sends the browser back to, for a web client; nil for a desktop app.
    package var loopback: (redirect: String, port: UInt16)? {
        for redirect in redirects {
            for host in ["127.0.0.1", "localhost"] where redirect.hasPrefix("http://\(host):") {
                let rest = redirect.dropFirst("http://\(host):".count)
                let digits = rest.prefix { $0.isNumber }
                // Behind the port only a path: before an @ all of this would be somebody's name at another host.
                let path = rest.dropFirst(digits.count)
                let isPath = path.isEmpty || (path.hasPrefix("/") && path.utf8.allSatisfy { $0 > 32 && $0 < 127 })
                if let port = UInt16(digits), port > 0, isPath { return (redirect, port) }
            }
        }
        return nil
    }

    private static func fault(_ what: String) -> AuthError {
        AuthError(
            code: .badCredentials,
            message:
                "\(what). The right one is the file that the Google Cloud console lets you download (Google Auth Platform, "
                + "Clients, type Desktop app)."
        )
    }
}
