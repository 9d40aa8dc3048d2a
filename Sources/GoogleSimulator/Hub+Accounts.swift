import HTTPServer

extension Hub {
    func receiveAccount(_ route: AccountRoute, _ call: Call) -> Reception {
        let host = (call.header("host") ?? "").split(separator: ":").first
        if configuration.usesGoogleNames, host.map(String.init) != route.host {
            return meter("other", [], call, latency: 0) { _ in
                .answer { .page(404, "The requested URL was not found on this server") }
            }
        }
        guard call.method == route.method else {
            return meter("other", [], call, latency: 0) { _ in .answer { .page(405, "Method Not Allowed") } }
        }
        let tokens = TokenService(accounts: accounts)
        let signIn = SignInService(accounts: accounts)
        let latency = route == .token ? configuration.photosLatency : 0
        return meter(route.rawValue, [], call, latency: latency) { _ in
            switch route {
            case .authorize: .answer { signIn.authorize(call.query) }
            case .warning: .collect { signIn.proceed(form: $0) }
            case .consent: .collect { signIn.decide(form: $0) }
            case .token:
                .collect { form in
                    tokens.token(form: form, authorization: call.header("authorization"), origin: call.origin)
                }
            case .revoke: .collect { tokens.revoke(form: $0, query: call.query) }
            case .tokenInfo: .answer { tokens.inspect(call.query) }
            case .certs: .answer { tokens.certificates() }
            }
        }
    }
    /// The ID token with which Cloud Scheduler calls an `audience` in the name of an `account`, spoiled if `fault` says how.
    ///
    /// The account is the simulated project's own unless it is named; the faults are those of `IdentityFault`.
    ///
    /// - Throws: a sentence that names what is wrong; the caller corrects what it asked for.
    func identityToken(_ wanted: JSONValue) throws -> String {
        guard let audience = wanted["audience"]?.text, !audience.isEmpty else {
            throw SimulatorError(description: "an identity token needs an \"audience\"")
        }
        var fault: IdentityFault?
        if let word = wanted["fault"]?.text {
            fault = IdentityFault(rawValue: word)
            guard fault != nil else {
                let known = IdentityFault.allCases.map(\.rawValue).joined(separator: ", ")
                throw SimulatorError(
                    description: "no identity token is wrong in the way \"\(word)\", but in these: \(known)"
                )
            }
        }
        let identities = accounts.identities
        let account = identities.serviceAccount(wanted["account"]?.text ?? identities.serviceAccountEmail)
        return try IdentityTokens(keys: accounts.keys).make(for: audience, account: account, fault: fault)
    }
}
