import HTTPServer

/// One request on its way through the simulator: what it asks, as what it counts.
struct Call: Sendable {
    let request: ServerRequest
    let query: QueryFields
    /// Scheme and host as the client has them, which answers that hold addresses repeat.
    let origin: String

    /// An `origin` of nil takes the host that the client named.
    init(_ request: ServerRequest, scheme: String = "http", origin: String? = nil) {
        self.request = request
        query = QueryFields(request.query)
        self.origin = origin ?? "\(scheme)://\(request.header("host") ?? "localhost")"
    }

    var method: String { request.method }
    var path: String { request.path }

    func header(_ name: String) -> String? { request.header(name) }
}

extension ServerAnswer {
    /// A JSON document, as all of Google's APIs send it.
    static func json(
        _ status: Int,
        _ value: JSONValue,
        headers: [(name: String, value: String)] = []
    ) -> ServerAnswer {
        let type = (name: "Content-Type", value: "application/json; charset=UTF-8")
        return ServerAnswer(status, headers: [type] + headers, body: .bytes(value.bytes))
    }

    /// Plain text, as the upload front end sends its own refusals.
    static func text(_ status: Int, _ text: String) -> ServerAnswer {
        ServerAnswer(
            status,
            headers: [(name: "Content-Type", value: "text/plain; charset=utf-8")],
            body: .bytes(Array(text.utf8))
        )
    }

    /// One of Google's error pages.
    static func page(_ status: Int, _ title: String) -> ServerAnswer {
        let html = """
            <!DOCTYPE html>
            <html lang=en>
              <meta charset=utf-8>
              <title>Error \(status) (\(title))!!1</title>
              <p><b>\(status).</b> <ins>That’s an error.</ins>
              <p>\(title). <ins>That’s all we know.</ins>

            """
        return ServerAnswer(
            status,
            headers: [(name: "Content-Type", value: "text/html; charset=UTF-8")],
            body: .bytes(Array(html.utf8))
        )
    }

    /// google.rpc.Status, as the Photos APIs refuse.
    static func refusal(_ status: Int, _ name: String, _ message: String) -> ServerAnswer {
        let error = JSONValue.members(
            ("code", .integer(Int64(status))),
            ("message", .string(message)),
            ("status", .string(name))
        )
        return .json(status, .members(("error", error)))
    }
}
