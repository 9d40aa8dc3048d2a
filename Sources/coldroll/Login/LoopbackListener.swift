import GoogleAuth
import HTTPServer

/// The address on this machine that Google's consent page sends the browser back to (RFC 8252, section 7.3).
final class LoopbackListener: Sendable {
    let port: UInt16
    private let server: HTTPServer

    /// Listens on 127.0.0.1 and hands each query that comes to `judge`, which says what it was.
    ///
    /// - Parameters:
    ///   - port: 0 for any that is free.
    ///   - judge: gets the query, still percent-encoded; called on the connection's own thread.
    /// - Throws: `CommandFailure` where the port is taken.
    init(port: UInt16, judge: @escaping @Sendable (String) -> Consent.Answer) throws(CommandFailure) {
        do throws(HTTPServerError) {
            // A browser opens some connections ahead; more than these are nobody's browser.
            server = try HTTPServer(port: port, connectionLimit: 16) { request in
                .answer(Self.answer(request, judge))
            }
        } catch {
            throw CommandFailure(.usage, "The login \(error.description)")
        }
        self.port = server.port
    }

    /// Longest time that a browser takes to read a page of a few hundred bytes from its own machine.
    private static let patience = Duration.seconds(5)

    /// Closes the port, after what has come was answered: the person who looks at the browser is to see how the login ended.
    func stop() async { await server.stopped(answering: Self.patience) }

    private static func answer(
        _ request: ServerRequest,
        _ judge: (String) -> Consent.Answer
    ) -> ServerAnswer {
        guard ["GET", "HEAD"].contains(request.method) else { return page(405, "This address answers a browser only.") }
        // A browser asks for its icon by itself.
        guard !request.query.isEmpty else {
            return page(404, "There is nothing here: the login goes on in the other tab.")
        }
        switch judge(request.query) {
        case .code:
            return page(200, "coldroll has what it needs. Go back to the terminal: it says how the login ended.")
        case .refused: return page(200, "The login was not granted. Go back to the terminal: it says why.")
        case .foreign:
            return page(
                400,
                "This is not the answer to the login that is going on. Use the link that the terminal shows."
            )
        }
    }

    private static func page(_ status: Int, _ sentence: String) -> ServerAnswer {
        let html = """
            <!DOCTYPE html>
            <html lang="en"><head><meta charset="utf-8"><title>coldroll</title></head>
            <body style="font-family: sans-serif; margin: 3em"><h1>coldroll</h1><p>\(sentence)</p></body></html>

            """
        return ServerAnswer(
            status,
            headers: [
                (name: "Content-Type", value: "text/html; charset=utf-8"), (name: "Cache-Control", value: "no-store"),
                // The end of the connection is announced: a browser that kept it would run into its end with the next request.
                (name: "Connection", value: "close"),
                // Nothing is loaded, and no other site learns the address with the code in it.
                (name: "Content-Security-Policy", value: "default-src 'none'; style-src 'unsafe-inline'"),
                (name: "Referrer-Policy", value: "no-referrer"),
            ],
            body: .bytes(Array(html.utf8))
        )
    }
}
