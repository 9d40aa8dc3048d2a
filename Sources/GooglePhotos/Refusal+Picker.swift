import HTTPClient

/// What a call of the Picker API is about, which decides what its refusal means.
enum PickerTask {
    /// A session that is to be made.
    case creation
    /// A session that there is.
    case session
    /// What was picked in a session.
    case items
}

extension PhotosError {
    /// Google's name of the error decides, not the number: `INVALID_ARGUMENT` and `FAILED_PRECONDITION` are 400 both.
    ///
    /// (Picker API reference: sessions.create, sessions.get, sessions.delete, mediaItems.list.)
    static func pickerCode(
        of head: HTTPHead,
        _ refusal: WireRefusal?,
        _ task: PickerTask,
        hasPageToken: Bool
    ) -> Code {
        switch refusal?.status {
        case "UNAUTHENTICATED": .unauthenticated
        case "PERMISSION_DENIED":
            task == .creation || refusal?.isAboutClient != false ? .insufficientScopes : .sessionOver
        case "NOT_FOUND": task == .creation ? .rejected(status: head.status) : .sessionOver
        case "FAILED_PRECONDITION":
            switch task {
            case .creation: .noAccount
            case .items: .notPicked
            case .session: .rejected(status: head.status)
            }
        case "INVALID_ARGUMENT": hasPageToken ? .badPageToken : .rejected(status: head.status)
        case "RESOURCE_EXHAUSTED": .quota(retryAfter: quotaPause(head))
        case "ABORTED", "CANCELLED", "DATA_LOSS", "DEADLINE_EXCEEDED", "INTERNAL", "UNAVAILABLE", "UNKNOWN":
            passing(head.status, head) ?? .unavailable(retryAfter: nil)
        default: unnamed(head)
        }
    }

    /// A refusal in words that are not Google's, a proxy's perhaps: it says nothing of a session.
    private static func unnamed(_ head: HTTPHead) -> Code {
        switch head.status {
        case 401: .unauthenticated
        case 429: .quota(retryAfter: quotaPause(head))
        case let status: passing(status, head) ?? .malformed
        }
    }

    /// What a refusal of the Picker says, with what to do about it.
    static func explained(_ said: String, _ code: Code) -> String {
        switch code {
        case .insufficientScopes:
            said
                + " Enable the Google Photos Picker API in the project of your OAuth client, then run 'coldroll login' and tick "
                + "every box: it needs the scope https://www.googleapis.com/auth/photospicker.mediaitems.readonly."
        case .noAccount:
            said
                + " The Google account that is logged in has no Google Photos to pick from: open https://photos.google.com "
                + "with it once, or run 'coldroll login' with another account."
        default: said
        }
    }
}

extension WireRefusal {
    /// Whether a `PERMISSION_DENIED` is about the login or the project, rather than about one session.
    ///
    /// Reasons: google/api/error_reason.proto.
    fileprivate var isAboutClient: Bool {
        let words = message?.lowercased() ?? ""
        let prefixes = ["ACCESS_TOKEN_", "API_KEY_", "BILLING_", "CONSUMER_", "SERVICE_", "USER_PROJECT_", "ORG_"]
        return reasons.contains { reason in prefixes.contains { reason.hasPrefix($0) } }
            || ["scope", "disabled", "has not been used"].contains { words.contains($0) }
    }
}
