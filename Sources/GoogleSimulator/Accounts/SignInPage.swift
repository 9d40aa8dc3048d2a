import HTTPServer

/// The pages that people see: plain forms, for browsers with and without scripts.
enum SignInPage {
    /// Nothing may keep, frame or pass on these pages and redirects.
    static let headers = [
        (name: "Cache-Control", value: "no-cache, no-store, max-age=0, must-revalidate"),
        (name: "X-Frame-Options", value: "DENY"), (name: "Referrer-Policy", value: "no-referrer"),
    ]

    /// Before the consent page of an app in Testing.
    static func warning(ticket: String) -> ServerAnswer {
        page(
            200,
            "Google hasn’t verified this app",
            """
            <p>You’ve been given access to an app that’s currently being tested. You should only continue if you know the
            developer that invited you.</p>
            <form method="post" action="/signin/oauth/warning" id="warning">
            <input type="hidden" name="ticket" value="\(escaped(ticket))">
            <button type="submit" id="continue">Continue</button>
            </form>
            """
        )
    }

    /// Who, and what for; nothing is ticked in advance, unless there is only one thing to tick and nothing else is asked.
    static func consent(
        _ request: AuthorizationRequest,
        ticket: String,
        people: [Person],
        isAgain: Bool
    ) -> ServerAnswer {
        let app = escaped(request.client.name)
        let hinted = people.first { [$0.email, $0.subject].contains(request.loginHint) } ?? people.first
        let choices = people.enumerated().map { index, person in
            """
            <p><input type="radio" name="account" id="account-\(index + 1)" value="\(escaped(person.email))"\
            \(person == hinted ? " checked" : "")>
            <label for="account-\(index + 1)">\(escaped(person.name)) (\(escaped(person.email)))</label></p>
            """
        }
        let boxes = request.scopes.enumerated().map { index, scope in
            let words = escaped(Scopes.description(scope) ?? scope)
            if Scopes.isSignIn(scope) { return "<p id=\"scope-\(index + 1)\">\(words)</p>" }
            return """
                <p><input type="checkbox" name="scope" id="scope-\(index + 1)" value="\(escaped(scope))"\
                \(request.scopes.count == 1 ? " checked" : "")>
                <label for="scope-\(index + 1)">\(words). <code>\(escaped(scope))</code></label></p>
                """
        }
        let again = "<p id=\"notice\" role=\"alert\">\(app) needs at least one of these to go on, or cancel.</p>\n"
        return page(
            200,
            "\(app) wants access to your Google Account",
            """
            \(isAgain ? again : "")<form method="post" action="/signin/oauth/consent" id="consent">
            <input type="hidden" name="ticket" value="\(escaped(ticket))">
            <fieldset id="accounts"><legend>Choose an account</legend>
            \(choices.joined(separator: "\n"))
            </fieldset>
            <fieldset id="scopes"><legend>Select what \(app) can access</legend>
            \(boxes.joined(separator: "\n"))
            </fieldset>
            <button type="submit" id="continue" name="action" value="continue">Continue</button>
            <button type="submit" id="cancel" name="action" value="cancel">Cancel</button>
            </form>
            """
        )
    }

    /// What a person sees where a client asks wrongly, or may not ask.
    static func refusal(_ refusal: AuthorizationRefusal) -> ServerAnswer {
        page(
            refusal.status,
            "Access blocked: Authorization Error",
            """
            <p id="message">\(escaped(refusal.message))</p>
            <p id="error">Error \(refusal.status): \(escaped(refusal.error))</p>
            """
        )
    }

    private static func page(_ status: Int, _ title: String, _ body: String) -> ServerAnswer {
        let html = """
            <!DOCTYPE html>
            <html lang="en">
            <head><meta charset="utf-8"><title>\(title)</title></head>
            <body>
            <h1>\(title)</h1>
            \(body)
            </body>
            </html>

            """
        let type = (name: "Content-Type", value: "text/html; charset=UTF-8")
        return ServerAnswer(status, headers: [type] + headers, body: .bytes(Array(html.utf8)))
    }

    private static func escaped(_ text: String) -> String {
        // Scalars, since a quote with an accent on it still ends an attribute.
        text.unicodeScalars.reduce(into: "") { escaped, scalar in
            switch scalar {
            case "&": escaped += "&amp;"
            case "<": escaped += "&lt;"
            case ">": escaped += "&gt;"
            case "\"": escaped += "&quot;"
            case "'": escaped += "&#39;"
            default: escaped.unicodeScalars.append(scalar)
            }
        }
    }
}
