import GoogleAuth
import HTTPClient
import Synchronization

extension PhotosClient {
    /// Asks the Library API for the smallest page there is: shows whether it answers at all, whatever single items do.
    ///
    /// Counts as one API request.
    /// - Throws: as `list`.
    package func probeLibrary() async throws(PhotosError) {
        _ = try await answer(
            to: APICall(task: "list one item of the library", method: "GET", path: "/v1/mediaItems?pageSize=1")
        )
    }

    /// Asks the media servers for the head of one rendition, redirects followed: shows whether they answer at all.
    ///
    /// Counts as one media request. Any answer but a 5xx, a 408 or a 429 is one: a server that refuses works.
    /// - Throws: `.unavailable`, `.quota`, and what stands in the way of asking.
    package func probeMedia(_ baseURL: BaseURL, _ rendition: Rendition) async throws(PhotosError) {
        var address = WebAddress(baseURL, rendition)
        var headers = try await authorization()
        try await admission?(.media)
        for _ in 0..<Self.mostRedirects {
            guard let target = address, hosts.allow(target) else { return }
            let head: HTTPHead
            do {
                counters.media.add(1, ordering: .relaxed)
                head = try await http.send(HTTPRequest("HEAD", target.url, headers: headers)).head
            } catch {
                throw PhotosError(error, doing: "ask for the head of a download")
            }
            guard (300...399).contains(head.status) else {
                let error = PhotosError(mediaRefusal: head, from: target.host)
                switch error.code {
                case .unavailable, .quota: throw error
                default: return
                }
            }
            headers = []
            address = head.header("Location").flatMap { target.resolving($0) }
        }
    }
}
