import HTTPClient

/// Asks for tokens, and tries again where Google says that this helps.
struct TokenEndpoint: Sendable {
    let grant: Grant
    let http: HTTPClient

    /// Three requests at most, half a second to two seconds apart, or as far as `Retry-After` says up to 30 s.
    ///
    /// `before` is whether it ever gave a token: then silence is an outage, and not a machine without credentials.
    func fetch(before: Bool) async -> Result<AccessToken, AuthError> {
        var last = AuthError(code: .unavailable, message: "No token yet.")
        var clockError = Duration.zero
        for attempt in 0..<3 {
            let requested = ContinuousClock.now
            let request: HTTPRequest
            do throws(AuthError) { request = try grant.request(clockError: clockError) } catch {
                return .failure(error)
            }
            var wait = Duration.milliseconds(500 << attempt) * Double.random(in: 0.7...1.3)
            do throws(HTTPError) {
                let response = try await send(request)
                switch TokenAnswer(response, grant: grant) {
                case .token(let value, let lifetime):
                    return .success(AccessToken(value: value, requested: requested, lifetime: lifetime))
                case .refusal(let error):
                    // Google takes no assertion that is dated hours away. A machine whose clock is wrong asks once more by
                    // the clock of the server that refused it.
                    guard case .serviceAccount = grant, clockError == .zero, let off = response.head.clockError,
                        abs(off.components.seconds) > 60
                    else { return .failure(error) }
                    (last, clockError, wait) = (error, off, .zero)
                case .passing(let error):
                    last = error
                    wait = max(wait, response.head.retryAfter ?? .zero)
                    if wait > .seconds(30) { return .failure(error) }
                }
            } catch {
                last = unreachable(error, before: before)
                if error.code == .badURL || error.code == .untrusted { return .failure(last) }
            }
            if attempt < 2 { try? await Task.sleep(for: wait) }
        }
        return .failure(last)
    }

    /// The metadata server answers at once or is not there, so it gets less patience than connecting does.
    private func send(_ request: HTTPRequest) async throws(HTTPError) -> HTTPResponse {
        guard case .metadataServer(let server) = grant else { return try await http.send(request, limit: 1 << 20) }
        let sending = Task { () async -> Result<HTTPResponse, HTTPError> in
            do throws(HTTPError) { return .success(try await http.send(request, limit: 1 << 20)) } catch {
                return .failure(error)
            }
        }
        let deadline = Task {
            try await Task.sleep(for: server.patience)
            sending.cancel()
        }
        let result = await sending.value
        deadline.cancel()
        return try result.get()
    }

    private func unreachable(_ error: HTTPError, before: Bool) -> AuthError {
        if case .metadataServer = grant, !before {
            return AuthError(
                code: .badCredentials,
                message: """
                    There are no Google credentials for Cloud Storage: set GOOGLE_APPLICATION_CREDENTIALS to a key file, or \
                    run gcloud auth application-default login (no metadata server answered either: \(error.message))
                    """
            )
        }
        return AuthError(
            code: AuthError.Code(error.code),
            message: "No access token for \(grant.subject): \(error.advice)"
        )
    }
}
