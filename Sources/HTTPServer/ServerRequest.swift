/// The head of one request, as it stood on the wire.
package struct ServerRequest: Sendable {
    /// In capitals, as HTTP has it.
    package let method: String
    /// Still percent-encoded, so that an encoded slash in an object name can be told from a path's own.
    package let path: String
    /// What follows the question mark, still percent-encoded; empty if nothing does.
    package let query: String
    /// In order of arrival, names as sent.
    package let headers: [(name: String, value: String)]

    package init(method: String, path: String, query: String, headers: [(name: String, value: String)]) {
        self.method = method
        self.path = path
        self.query = query
        self.headers = headers
    }

    /// First value of a field, by case-insensitive name.
    package func header(_ name: String) -> String? {
        let wanted = name.lowercased()
        return headers.first { $0.name.lowercased() == wanted }?.value
    }

    /// The length that the client promised; nil for a chunked body and for none.
    package var contentLength: Int64? { header("content-length").flatMap { Int64($0) } }
}
