import HTTPServer
import Synchronization

/// What base URLs give (Google Photos APIs: access media items).
final class DownloadService: Sendable {
    /// What follows the `=` of a base URL.
    enum Suffix: Sendable, Equatable {
        case none
        case download
        case video
        case scaled
    }

    let library: PhotoLibrary
    let baseURLs: BaseURLs
    // How often each item was served with a changed byte, so that no two such downloads are alike.
    private let alterations = Mutex<[String: UInt8]>([:])

    init(library: PhotoLibrary, baseURLs: BaseURLs) {
        self.library = library
        self.baseURLs = baseURLs
    }

    /// Splits `/lr/<token>=d`, or `/ppa/<token>=d` of a picked item.
    static func split(_ path: String) -> (token: Substring, suffix: Suffix) {
        let name = path.dropFirst((path.hasPrefix("/ppa/") ? "/ppa/" : "/lr/").count)
        guard let mark = name.lastIndex(of: "=") else { return (name, .none) }
        let suffix: Suffix =
            switch name[name.index(after: mark)...] {
            case "d": .download
            case "dv": .video
            default: .scaled
            }
        return (name[..<mark], suffix)
    }

    /// The item of a base URL, dead or alive.
    func item(token: some StringProtocol) -> LibraryItem? {
        baseURLs.read(token).flatMap { library.item($0.ticket.reference) }
    }

    /// Answers a request for a base URL; `redirectOrigin` is what stands before the path on the host that serves videos.
    func serve(token: Substring, suffix: Suffix, redirectOrigin: String, strikes: Strikes) -> ServerAnswer {
        guard let (ticket, isAlive) = baseURLs.read(token), let item = library.item(ticket.reference) else {
            return .page(404, "The requested URL was not found on this server")
        }
        guard isAlive else { return .page(403, "Your client does not have permission to get URL") }
        switch suffix {
        case .none, .scaled: return send(.small, named: nil)
        case .download: return send(struck(ItemBytes.download(item), of: item, strikes), named: item.filename)
        case .video: break
        }
        guard ItemBytes.video(item) != nil, item.kind == .photo || item.videoStatus == "READY" else {
            return .page(404, "The requested URL was not found on this server")
        }
        let location =
            redirectOrigin + "/" + baseURLs.mint(ticket.reference, session: ticket.session, now: ticket.issued)
        return ServerAnswer(
            302,
            headers: [
                (name: "Location", value: location), (name: "Content-Type", value: "text/html; charset=UTF-8"),
            ]
        )
    }

    /// Answers a request on the host that serves videos; byte ranges are ignored there.
    func serveRedirected(token: Substring, strikes: Strikes) -> ServerAnswer {
        guard let (ticket, isAlive) = baseURLs.read(token), let item = library.item(ticket.reference),
            let bytes = ItemBytes.video(item)
        else { return .page(404, "The requested URL was not found on this server") }
        guard isAlive else { return .page(403, "Your client does not have permission to get URL") }
        return send(struck(bytes, of: item, strikes), named: item.filename)
    }

    private func send(_ bytes: ItemBytes, named name: String?) -> ServerAnswer {
        var headers = [(name: "Content-Type", value: bytes.contentType)]
        if let name {
            let safe = name.filter { $0 != "\"" && $0 != "\r" && $0 != "\n" && $0 != "\r\n" && $0 != "\\" }
            headers.append((name: "Content-Disposition", value: "attachment;filename=\"\(safe)\""))
        }
        headers.append((name: "Cache-Control", value: "private, max-age=86400, no-transform"))
        return ServerAnswer(200, headers: headers, body: bytes.body)
    }

    private func struck(_ bytes: ItemBytes, of item: LibraryItem, _ strikes: Strikes) -> ItemBytes {
        if strikes.has(.smaller) { return .small }
        if strikes.has(.wrongItem), let other = neighbour(of: item) {
            return item.kind == .video ? ItemBytes.video(other) ?? .download(other) : .download(other)
        }
        let bytes = strikes.first(.resized).map { bytes.resized(by: $0.factor) } ?? bytes
        guard let rule = strikes.first(.different) else { return bytes }
        let mask = alterations.withLock { counts in
            let next = counts[item.id, default: 0] % 255 + 1
            counts[item.id] = next
            return next
        }
        return bytes.altered(by: mask, at: rule.at ?? 0.5)
    }

    /// Another item of the same kind, if there is one near.
    private func neighbour(of item: LibraryItem) -> LibraryItem? {
        let near = library.places(after: nil, isOldestFirst: false, limit: 200)
        let others = near.lazy.compactMap { self.library.item($0.reference) }.filter { $0.id != item.id }
        return others.first { $0.kind == item.kind } ?? others.first
    }
}
