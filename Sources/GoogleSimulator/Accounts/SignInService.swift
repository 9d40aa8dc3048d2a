import HTTPServer

/// Where people say what a client may do (Google Identity: OAuth 2.0 for desktop apps; granular permissions).
struct SignInService: Sendable {
    let accounts: AccountBook

    private var people: [Person] { accounts.identities.people }

    /// Answers `GET /o/oauth2/v2/auth`: a page, an error page, or a redirect where nothing is left to ask.
    func authorize(_ query: QueryFields) -> ServerAnswer {
        let request: AuthorizationRequest
        do throws(AuthorizationRefusal) {
            request = try AuthorizationRequest(query, clients: accounts.identities.clients)
        } catch {
            return refusal(error)
        }
        if request.challenge == nil { count("requests_without_pkce") }
        let hinted = request.loginHint.flatMap { accounts.identities.person($0) }
        let isSettled = hinted.map { person in
            accounts.consents.cover(
                Holder(clientID: request.client.id, subject: person.subject),
                scopes: request.wanted,
                isOffline: request.isOffline
            )
        }
        if request.prompts.isSubset(of: ["none"]), let hinted, isSettled ?? false {
            return approve(request, person: hinted, scopes: request.wanted)
        }
        if request.prompts.contains("none") { return redirect(request, [("error", "interaction_required")]) }
        if request.client.isTesting {
            count("warning_pages")
            let ticket = accounts.authorizations.open(.init(request: request, isWarning: true))
            return SignInPage.warning(ticket: ticket)
        }
        return consentPage(request, accounts.authorizations.open(.init(request: request, isWarning: false)))
    }

    /// Answers `POST /signin/oauth/warning`: on to the consent page.
    func proceed(form: [UInt8]) -> ServerAnswer {
        let fields = QueryFields(String(decoding: form, as: UTF8.self))
        guard let ticket = fields["ticket"], let request = accounts.authorizations.passWarning(ticket) else {
            return lost()
        }
        return consentPage(request, ticket)
    }

    /// Answers `POST /signin/oauth/consent`: back to the client, with a code or without.
    func decide(form: [UInt8]) -> ServerAnswer {
        let fields = QueryFields(String(decoding: form, as: UTF8.self))
        guard let ticket = fields["ticket"], let page = accounts.authorizations.page(ticket), !page.isWarning else {
            return lost()
        }
        let request = page.request
        switch fields["action"] {
        case "continue": break
        case "cancel":
            guard accounts.authorizations.close(ticket) != nil else { return lost() }
            count("cancelled")
            return redirect(request, [("error", "access_denied")])
        default: return lost()
        }
        guard let person = people.first(where: { $0.email == fields["account"] }) else { return lost() }
        guard !request.client.isTesting || person.isTestUser else {
            return refusal(
                AuthorizationRefusal(
                    status: 403,
                    error: "access_denied",
                    message: "\(request.client.name) has not completed the Google verification process. The app is "
                        + "currently being tested, and can only be accessed by developer-approved testers."
                )
            )
        }
        let ticked = fields.all("scope")
        guard ticked.allSatisfy({ request.scopes.contains($0) }) else { return lost() }
        let scopes = Scopes.granted(ticked + request.scopes.filter(Scopes.isSignIn))
        if scopes.isEmpty { return consentPage(request, ticket, isAgain: true) }
        guard accounts.authorizations.close(ticket) != nil else { return lost() }
        return approve(request, person: person, scopes: scopes)
    }

    private func approve(_ request: AuthorizationRequest, person: Person, scopes: Set<String>) -> ServerAnswer {
        let holder = Holder(clientID: request.client.id, subject: person.subject)
        let granted = request.includesGranted ? scopes.union(accounts.consents.scopes(holder)) : scopes
        let isFirst = accounts.consents.record(holder, scopes: granted, isOffline: request.isOffline)
        let code = accounts.authorizations.issue(
            AuthorizationCode(
                request: request,
                person: person,
                scopes: granted,
                givesRefreshToken: request.isOffline && (isFirst || request.prompts.contains("consent"))
            )
        )
        count("codes")
        var fields = [("code", code), ("scope", Self.names(granted, request).joined(separator: " "))]
        // What Google adds for who signs in with it: clients ignore what they do not know (RFC 6749, section 4.1.2).
        if granted.contains(Scopes.openID) { fields += [("authuser", "0"), ("prompt", "consent")] }
        return redirect(request, fields)
    }

    /// Granted scopes as the redirect names them: in the order of the request, short names beside the long ones.
    private static func names(_ granted: Set<String>, _ request: AuthorizationRequest) -> [String] {
        var names: [String] = []
        for scope in request.scopes where granted.contains(Scopes.canonical(scope)) {
            for name in [scope, Scopes.canonical(scope)] where !names.contains(name) { names.append(name) }
        }
        return names + granted.subtracting(names).sorted()
    }

    /// Sends the browser back to the client, with its own `state` and, in Google's way, in the form of an HTML form.
    private func redirect(_ request: AuthorizationRequest, _ fields: [(String, String)]) -> ServerAnswer {
        let all = (request.state.map { [("state", $0)] } ?? []) + fields
        let query = all.map { name, value in
            name + "="
                + value.split(separator: " ", omittingEmptySubsequences: false)
                .map { percentEncoded(String($0)) }
                .joined(separator: "+")
        }
        let separator = request.redirectURI.contains("?") ? "&" : "?"
        let location = request.redirectURI + separator + query.joined(separator: "&")
        return ServerAnswer(302, headers: [(name: "Location", value: location)] + SignInPage.headers)
    }

    private func consentPage(
        _ request: AuthorizationRequest,
        _ ticket: String,
        isAgain: Bool = false
    ) -> ServerAnswer {
        count("consent_pages")
        return SignInPage.consent(request, ticket: ticket, people: people, isAgain: isAgain)
    }

    private func refusal(_ refusal: AuthorizationRefusal) -> ServerAnswer {
        count("error_pages")
        return SignInPage.refusal(refusal)
    }

    /// A form that no page of ours sends, or whose page was answered before.
    private func lost() -> ServerAnswer {
        refusal(.invalid("This page is no longer valid: go back to the app and start again."))
    }

    private func count(_ event: String) { accounts.board.count(oauth: event) }
}
