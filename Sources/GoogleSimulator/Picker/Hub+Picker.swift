import HTTPServer

extension Hub {
    /// Whether a request is for the Picker API: by its host, or, where all services share one, by what only it has.
    func isForPicker(_ request: ServerRequest) -> Bool {
        guard request.path.hasPrefix("/v1/") else { return false }
        if let host = request.header("host"), host.hasPrefix("photoslibrary.") || host.hasPrefix("photospicker.") {
            return host.hasPrefix("photospicker.")
        }
        let isList = request.path == "/v1/mediaItems" && QueryFields(request.query)["sessionId"] != nil
        return isList || request.path == "/v1/sessions" || request.path.hasPrefix("/v1/sessions/")
    }

    func receivePicker(_ call: Call) -> Reception {
        let latency = configuration.photosLatency
        let isGoogle = configuration.usesGoogleNames
        if pickerQuota.isExceeded() {
            return meter("overQuota", [], call, latency: latency) { _ in .answer { MinuteQuota.refusal } }
        }
        let service = PickerService(
            library: library,
            sessions: pickerSessions,
            baseURLs: baseURLs,
            pageTokens: pageTokens,
            quirks: configuration.quirks,
            baseURLOrigin: isGoogle ? "https://lh3.googleusercontent.com" : call.origin,
            pageOrigin: isGoogle ? "https://photos.google.com" : call.origin
        )
        let name = percentDecoded(call.path.dropFirst("/v1/".count)) ?? ""
        let id = name.hasPrefix("sessions/") ? String(name.dropFirst("sessions/".count)) : ""
        switch (call.method, name) {
        case ("POST", "sessions"):
            return meter("pickerCreate", [], call, latency: latency) { _ in
                .collect { self.refusal(call, scope: Scopes.picker) ?? service.create(call.query, $0) }
            }
        case ("GET", "mediaItems"):
            return meter("pickerList", [], call, latency: latency) { strikes in
                .answer { self.refusal(call, scope: Scopes.picker) ?? service.list(call.query, strikes) }
            }
        case ("GET", _) where !id.isEmpty:
            return meter("pickerGet", [id], call, latency: latency) { _ in
                .answer { self.refusal(call, scope: Scopes.picker) ?? service.get(id) }
            }
        case ("DELETE", _) where !id.isEmpty:
            return meter("pickerDelete", [id], call, latency: latency) { _ in
                .answer { self.refusal(call, scope: Scopes.picker) ?? service.delete(id) }
            }
        default:
            return meter("other", [], call, latency: latency) { _ in
                .answer { .page(404, "The requested URL was not found on this server") }
            }
        }
    }

    /// The page where people pick, which is no API: it counts against no quota.
    func receivePickerPage(_ call: Call) -> Reception {
        let page = PickerPage(library: library, sessions: pickerSessions)
        guard ["GET", "HEAD", "POST"].contains(call.method) else {
            return meter("other", [], call, latency: 0) { _ in .answer { .page(405, "Method Not Allowed") } }
        }
        return meter("pickPage", [], call, latency: configuration.photosLatency) { _ in
            .collect { page.answer(call, form: $0) }
        }
    }

    /// What keeps a call from a picked item's bytes: they need the token, which those of the Library API do not.
    func pickedRefusal(_ call: Call, _ ticket: BaseURLTicket) -> ServerAnswer? {
        guard let header = call.header("authorization") else {
            return .page(403, "Your client does not have permission to get URL")
        }
        guard let grant = accounts.desk.grant(authorization: header) else { return .page(401, "Unauthorized") }
        guard grant.scopes.contains(Scopes.picker), pickerSessions.isAlive(number: ticket.session) else {
            return .page(403, "Your client does not have permission to get URL")
        }
        return nil
    }
}
