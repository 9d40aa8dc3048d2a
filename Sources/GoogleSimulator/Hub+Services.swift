import HTTPServer
import Synchronization

extension Hub {
    func receiveStorage(_ route: StorageRoute, _ call: Call) -> Reception {
        let isUpload =
            switch route {
            case .uploadData, .uploadMultipart, .uploadMedia: true
            default: false
            }
        return meter(
            route.operation,
            storage.subjects(route, call),
            call,
            latency: configuration.storageLatency,
            isUpload: isUpload
        ) { storage.work(route, call, strikes: $0) }
    }

    func receiveBaseURL(_ call: Call) -> Reception {
        let (token, suffix) = DownloadService.split(call.path)
        let operation =
            switch suffix {
            case .download: "download"
            case .video: "downloadVideo"
            case .none, .scaled: "thumbnail"
            }
        let subjects = downloads.item(token: token).map { [$0.id, $0.filename, $0.pickerID] } ?? []
        let redirect = redirectOrigin(call)
        let isPicked = call.path.hasPrefix("/ppa/")
        if isPicked ? pickerMediaQuota.isExceeded() : quotas.exceeds(.media) {
            return meter("overQuota", subjects, call, latency: configuration.photosLatency) { _ in
                .answer { DailyQuotas.mediaRefusal }
            }
        }
        return meter(operation, subjects, call, latency: configuration.photosLatency) { strikes in
            guard call.method == "GET" || call.method == "HEAD" else {
                return .answer { .page(405, "Method Not Allowed") }
            }
            return .answer {
                if let ticket = self.baseURLs.read(token)?.ticket {
                    // Each API's addresses work under its own path only.
                    guard (ticket.session != 0) == isPicked else {
                        return .page(404, "The requested URL was not found on this server")
                    }
                    if isPicked, let refusal = self.pickedRefusal(call, ticket) { return refusal }
                }
                return self.downloads.serve(token: token, suffix: suffix, redirectOrigin: redirect, strikes: strikes)
            }
        }
    }

    func receiveRedirected(_ call: Call) -> Reception {
        if call.header("authorization") != nil { board.sawAuthorizationOnRedirect() }
        let token = call.path.dropFirst()
        let subjects = downloads.item(token: token).map { [$0.id, $0.filename] } ?? []
        return meter("redirectTarget", subjects, call, latency: configuration.photosLatency) { strikes in
            .answer { self.downloads.serveRedirected(token: token, strikes: strikes) }
        }
    }

    /// The host of videos: another name and port than everything else.
    private func redirectOrigin(_ call: Call) -> String {
        if configuration.usesGoogleNames { return "https://video-downloads.googleusercontent.com" }
        let port = ports.withLock { $0.videos }
        guard configuration.address == "0.0.0.0" else { return "\(scheme)://\(configuration.address):\(port)" }
        let host = (call.header("host") ?? "localhost").split(separator: ":").first ?? "localhost"
        return "\(scheme)://\(host):\(port)"
    }

    func receiveLibrary(_ call: Call) -> Reception {
        let name = percentDecoded(call.path.dropFirst("/v1/".count)) ?? ""
        let latency = configuration.photosLatency
        if quotas.exceeds(.api) {
            return meter("overQuota", [], call, latency: latency) { _ in .answer { DailyQuotas.apiRefusal } }
        }
        switch (call.method, name) {
        case ("GET", "mediaItems"):
            return meter("list", [], call, latency: latency) { strikes in
                .answer { self.inLibrary(call) { $0.list(call.query, strikes) } }
            }
        case ("POST", "mediaItems:search"):
            return meter("search", [], call, latency: latency) { strikes in
                .collect { bytes in self.inLibrary(call) { $0.search(bytes, strikes) } }
            }
        case ("GET", "mediaItems:batchGet"):
            let ids = call.query.all("mediaItemIds")
            return meter("batchGet", ids, call, latency: latency) { strikes in
                .answer { self.inLibrary(call) { $0.batchGet(call.query, strikes) } }
            }
        case ("GET", _) where name.hasPrefix("mediaItems/"):
            let id = String(name.dropFirst("mediaItems/".count))
            return meter("get", [id], call, latency: latency) { strikes in
                .answer { self.inLibrary(call) { $0.get(id, strikes) } }
            }
        default:
            return meter("other", [], call, latency: latency) { _ in
                .answer { .page(404, "The requested URL was not found on this server") }
            }
        }
    }

    /// Lets the Library API answer from what the token's owner and client may see, if it is a token for it at all.
    private func inLibrary(_ call: Call, _ answer: (LibraryService) -> ServerAnswer) -> ServerAnswer {
        if let refusal = refusal(call, scope: Scopes.libraryRead) { return refusal }
        let holder = call.header("authorization").flatMap { accounts.desk.grant(authorization: $0) }?.holder
        return answer(
            LibraryService(
                library: holder == libraryOwner.withLock { $0 } ? library : nobodysLibrary,
                baseURLs: baseURLs,
                pageTokens: pageTokens,
                quirks: configuration.quirks,
                baseURLOrigin: call.origin
            )
        )
    }

    /// What keeps a call from one of the Photos APIs: no token, a dead one, or one without its scope.
    func refusal(_ call: Call, scope: String) -> ServerAnswer? {
        guard let header = call.header("authorization"), let grant = accounts.desk.grant(authorization: header) else {
            let hint =
                "Request had invalid authentication credentials. Expected OAuth 2 access token, login cookie or other "
                + "valid authentication credential. See https://developers.google.com/identity/sign-in/web/devconsole-project."
            return .refusal(401, "UNAUTHENTICATED", hint)
        }
        guard grant.scopes.contains(scope) else {
            return .refusal(403, "PERMISSION_DENIED", "Request had insufficient authentication scopes.")
        }
        return nil
    }
}
