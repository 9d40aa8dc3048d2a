import GoogleAuth
package import HTTPClient
import Synchronization

extension PhotosClient {
    /// Google needs one redirect; more than this is a circle.
    static let mostRedirects = 5

    /// Starts the download of one rendition; returns with the head of a 200, redirects followed without the token.
    ///
    /// What came is for the caller to judge, by its bytes: Google answers 200 with a page at times.
    ///
    /// - Parameters:
    ///   - baseURL: younger than an hour.
    ///   - rendition: which suffix to use; a suffix that the base URL has is replaced.
    ///   - buffer: fills from now on; ends, or fails with the network's error. After a throw it is only good for `abandon`.
    /// - Returns: the head of the last answer.
    /// - Throws: `.baseURLExpired` for a fresh base URL and another try; `.foreignHost` before anything is sent to a host
    ///   that is not Google's; see `PhotosError.Code` for the rest. No text contains the base URL.
    package func download(
        _ baseURL: BaseURL,
        _ rendition: Rendition,
        into buffer: BodyBuffer
    ) async throws(PhotosError) -> HTTPHead {
        do {
            return try await follow(WebAddress(baseURL, rendition), into: buffer)
        } catch {
            buffer.abandon()
            throw error
        }
    }

    private func follow(_ start: WebAddress?, into buffer: BodyBuffer) async throws(PhotosError) -> HTTPHead {
        var address = try checked(start, "A base URL")
        var token = try await authorization()
        var mayRefresh = true
        var redirects = 0
        while true {
            if redirects == 0 { try await admission?(.media) }
            let response = try await fetch(address, redirects == 0 ? token : [], into: buffer)
            switch response.status {
            case 200:
                return response.head
            case 301, 302, 303, 307, 308:
                redirects += 1
                address = try target(of: response.head, from: address, redirects)
            case 401 where redirects == 0 && mayRefresh:
                mayRefresh = false
                await tokens.refused(token)
                token = try await authorization()
            case 401 where redirects == 0:
                throw PhotosError(
                    code: .unauthenticated,
                    message: "\(address.host) refused the access token, and a fresh one too."
                )
            default:
                throw PhotosError(mediaRefusal: response.head, from: address.host)
            }
        }
    }

    private func fetch(
        _ address: WebAddress,
        _ headers: [HTTPField],
        into buffer: BodyBuffer
    ) async throws(PhotosError) -> HTTPResponse {
        counters.media.add(1, ordering: .relaxed)
        do {
            let request = HTTPRequest("GET", address.url, headers: headers)
            return try await http.download(request, into: buffer, leavingItOpen: true)
        } catch {
            throw PhotosError(error, doing: "download")
        }
    }

    private func target(of head: HTTPHead, from address: WebAddress, _ redirects: Int) throws(PhotosError) -> WebAddress
    {
        guard redirects <= Self.mostRedirects else {
            throw PhotosError(
                code: .malformed,
                message: "\(address.host) redirects a download more than \(Self.mostRedirects) times."
            )
        }
        guard let location = head.header("Location"), let next = address.resolving(location) else {
            throw PhotosError(
                code: .malformed,
                message: "\(address.host) answered \(head.status) without an address to go on to."
            )
        }
        // Google sends those whose base URL or session is over to its login page.
        if next.host == "accounts.google.com" {
            throw PhotosError(
                code: .baseURLExpired,
                message: "\(address.host) asks for a login instead of sending a photo or video."
            )
        }
        return try checked(next, "A redirect from \(address.host)")
    }

    private func checked(_ address: WebAddress?, _ what: String) throws(PhotosError) -> WebAddress {
        guard let address else {
            throw PhotosError(code: .foreignHost, message: "\(what) is no address that can be used; nothing was sent.")
        }
        guard hosts.allow(address) else {
            throw PhotosError(
                code: .foreignHost,
                message: "\(what) points to \(address.origin), which is not Google's; "
                    + "nothing was sent there."
            )
        }
        return address
    }
}
