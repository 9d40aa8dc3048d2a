import HTTPServer

extension Strikes {
    /// The answer of a `status` rule.
    static func refusal(_ rule: FaultRule) -> ServerAnswer {
        var answer: ServerAnswer
        if let body = rule.body {
            let type = (name: "Content-Type", value: rule.contentType ?? "text/plain; charset=utf-8")
            answer = ServerAnswer(rule.status, headers: [type], body: .bytes(Array(body.utf8)))
        } else {
            answer = .refusal(rule.status, statusName(rule.status), "The service is unable to do this at the moment.")
        }
        if let seconds = rule.retryAfter { answer.headers.append((name: "Retry-After", value: String(seconds))) }
        return answer
    }

    /// What is left of an answer after the rules that change answers.
    func applied(to original: ServerAnswer) -> ServerAnswer {
        var answer = original
        if let rule = first(.html) {
            let page = ServerAnswer.page(200, "Sign in")
            answer = page
            if let type = rule.contentType { answer.headers = [(name: "Content-Type", value: type)] }
        }
        if has(.empty) { answer.body = .bytes([]) }
        if has(.noLength) { answer.framing = .untilClose }
        if has(.chunked) { answer.framing = .chunked }
        if let rule = first(.cut) {
            answer.fault = .cut(after: Int64(Double(answer.body.count) * (rule.at ?? 0.5)))
        } else if let rule = first(.stall) {
            answer.fault = .stall(after: Int64(Double(answer.body.count) * (rule.at ?? 0.5)), seconds: rule.seconds)
        }
        if has(.loseAnswer) { answer.fault = .closeWithoutAnswer }
        if has(.reset) { answer.fault = .reset }
        return answer
    }
}

/// google.rpc.Code's name for an HTTP status.
private func statusName(_ status: Int) -> String {
    switch status {
    case 400: "INVALID_ARGUMENT"
    case 401: "UNAUTHENTICATED"
    case 403: "PERMISSION_DENIED"
    case 404: "NOT_FOUND"
    case 409: "ABORTED"
    case 429: "RESOURCE_EXHAUSTED"
    case 500: "INTERNAL"
    case 503: "UNAVAILABLE"
    case 504: "DEADLINE_EXCEEDED"
    default: "UNKNOWN"
    }
}
