import GoogleAuth
import HTTPClient
import Synchronization

/// One request to the API: what it is for, and how its refusal is to be read.
struct APICall {
    /// Items asked for on a page: the most that the API gives.
    static let pageSize = 100

    /// Completes the sentence "Google Photos could not …"; may name an item, never a token.
    let task: String
    let method: String
    /// From `/v1` on, with its query.
    let path: String
    var body: [UInt8]?
    /// Whether a page token is among the parameters, so that it may be what is wrong with them.
    var hasPageToken = false
    /// Whether one item is asked for, so that a refusal may be about that item.
    var isAboutOneItem = false
    /// What it is about, where the Picker API is asked.
    var picker: PickerTask?
}

extension PhotosClient {
    /// Makes a call and returns the body of a 2xx.
    func answer(to call: APICall) async throws(PhotosError) -> [UInt8] {
        let headers = try await authorization()
        let first = try await send(call, headers)
        guard first.status == 401 else { return try Self.body(of: first, to: call) }
        await tokens.refused(headers)
        return try Self.body(of: try await send(call, try await authorization()), to: call)
    }

    private func send(_ call: APICall, _ headers: [HTTPField]) async throws(PhotosError) -> HTTPResponse {
        var fields = headers + [HTTPField("Accept", "application/json")]
        var body = HTTPRequestBody.none
        if let bytes = call.body {
            fields.append(HTTPField("Content-Type", "application/json"))
            body = .bytes(bytes)
        }
        try await admission?(.api)
        counters.api.add(1, ordering: .relaxed)
        do {
            let request = HTTPRequest(call.method, endpoint + call.path, headers: fields, body: body)
            return try await http.send(request, limit: JSONLimits.bytes)
        } catch {
            throw PhotosError(error, doing: call.task)
        }
    }

    private static func body(of response: HTTPResponse, to call: APICall) throws(PhotosError) -> [UInt8] {
        guard (200...299).contains(response.status) else { throw PhotosError(refusal: response, of: call) }
        return response.body
    }
}
