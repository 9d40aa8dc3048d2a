import GoogleAuth
import HTTPClient

extension GCSObjectStore {
    /// Sends a request whose body can be sent again, until the service decides.
    func repeated(_ request: HTTPRequest, subject: String) async throws -> HTTPResponse {
        var attempts = Attempts()
        while true {
            switch try await once(request, subject: subject, attempts: &attempts) {
            case .answer(let response): return response
            case .fault(let fault): try await attempts.pause(after: fault)
            }
        }
    }

    /// Sends a request once, with a token.
    ///
    /// A token that is refused is replaced, once per operation; for a body that is consumed as it is sent, the caller asks the session
    /// what arrived before it goes on.
    func once(
        _ request: HTTPRequest,
        subject: String,
        attempts: inout Attempts
    ) async throws -> Reply {
        let token: [HTTPField]
        do throws(AuthError) {
            token = try await tokens.headers()
        } catch {
            let code: StorageError.Code =
                switch error.code {
                case .unavailable, .untrusted: .unavailable(retryAfter: nil)
                case .loginRequired, .badCredentials: .denied
                }
            throw StorageError(code: code, message: error.message)
        }
        var request = request
        request.headers += token
        let response: HTTPResponse
        do throws(HTTPError) {
            response = try await http.send(request)
        } catch {
            return .fault(try await fault(error, subject: subject))
        }
        switch response.status {
        case 401 where !attempts.refreshedToken && !token.isEmpty:
            attempts.refreshedToken = true
            await tokens.refused(token)
            return .fault(Fault(message: "\(subject): the token was refused.", atOnce: true))
        case 408, 429, 500...599:
            return .fault(
                Fault(
                    message: "\(subject): Cloud Storage answered \(response.status).",
                    retryAfter: response.head.retryAfter
                )
            )
        case 403 where Refusal(response).isRateLimit:
            return .fault(
                Fault(
                    message: "\(subject): Cloud Storage asks for fewer requests.",
                    retryAfter: response.head.retryAfter
                )
            )
        default:
            return .answer(response)
        }
    }

    private func fault(_ error: HTTPError, subject: String) async throws -> Fault {
        switch error.code {
        case .cannotConnect, .cut, .stalled: return Fault(message: "\(subject): \(error.message)")
        case .cancelled:
            try Task.checkCancellation()
            throw StorageError(code: .unavailable(retryAfter: nil), message: "\(subject): \(error.message)")
        case .bodyFailed:
            try Task.checkCancellation()
            throw StorageError(code: .sourceFailed, message: "\(subject): \(error.message)")
        case .untrusted:
            throw StorageError(code: .unavailable(retryAfter: nil), message: "\(subject): \(error.advice)")
        case .tooLarge, .badURL: throw StorageError(code: .malformed, message: "\(subject): \(error.message)")
        }
    }
}

/// Waits on a buffer, and says in this module's words that the download half failed.
func fromSource<Value>(
    _ subject: String,
    _ body: () async throws(HTTPError) -> Value
) async throws -> Value {
    do throws(HTTPError) {
        return try await body()
    } catch {
        try Task.checkCancellation()
        throw StorageError(code: .sourceFailed, message: "\(subject): \(error.message)")
    }
}
