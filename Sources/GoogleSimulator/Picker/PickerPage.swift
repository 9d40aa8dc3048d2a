import HTTPServer

/// Where people pick: what `pickerUri` leads to.
struct PickerPage: Sendable {
    let library: PhotoLibrary
    let sessions: PickerSessions

    // More rows than this are of no use to a person; "all" picks beyond them.
    private static let rows = 500

    /// Answers `GET` and `POST /picker/{session}`, also with `/autoclose`, which closes the tab at the end.
    func answer(_ call: Call, form: [UInt8]) -> ServerAnswer {
        let parts = call.path.split(separator: "/").dropFirst().map(String.init)
        guard let id = parts.first, parts.count == 1 || parts.count == 2 && parts[1] == "autoclose" else {
            return .page(404, "The requested URL was not found on this server")
        }
        guard let session = try? sessions.get(id), session.picked == nil else { return Self.dead }
        guard call.method == "POST" else { return page(session, complaint: nil) }
        let fields = QueryFields(String(decoding: form, as: UTF8.self))
        let all = places(session.room).map(\.reference)
        let ticked = fields.all("item").compactMap { Int32($0) }.filter { library.item($0) != nil }
        do {
            try sessions.pick(id, fields["all"] == nil ? ticked : all)
        } catch .invalid(let message) {
            return page(session, complaint: message)
        } catch {
            return Self.dead
        }
        return Self.html(
            200,
            """
            <title>Done</title>
            <p id="finished">Done. Go back to the app that sent you here.
            \(parts.count == 2 ? "<script>window.close()</script>" : "")

            """
        )
    }

    private func places(_ limit: Int) -> [PhotoLibrary.Place] {
        library.places(after: nil, isOldestFirst: false, limit: limit)
    }

    private func page(_ session: PickerSession, complaint: String?) -> ServerAnswer {
        let rows = places(Self.rows).compactMap { place in
            library.item(place.reference).map { item in
                "<li><label><input type=\"checkbox\" name=\"item\" value=\"\(place.reference)\"> "
                    + "\(Self.escaped(item.filename)) (\(item.creation.rfc3339.prefix(10)))</label>"
            }
        }
        let more = library.count > rows.count ? "<p>The newest \(rows.count) of \(library.count) items." : ""
        return Self.html(
            complaint == nil ? 200 : 400,
            """
            <title>Select photos and videos</title>
            <h1>Select up to \(session.room) photos and videos</h1>
            \(complaint.map { "<p id=\"complaint\">\(Self.escaped($0))" } ?? "")
            <form method="post">
            <p><button id="done">Done</button> <button id="all" name="all" value="1">Everything, newest first</button>
            \(more)
            <ul>
            \(rows.joined(separator: "\n"))
            </ul>
            </form>

            """
        )
    }

    /// The page of a session that is over: finished, expired, deleted or never there.
    private static let dead = html(
        404,
        """
        <title>This link no longer works</title>
        <p id="dead">This link no longer works. Go back to the app and start again.

        """
    )

    private static func html(_ status: Int, _ body: String) -> ServerAnswer {
        ServerAnswer(
            status,
            headers: [
                (name: "Content-Type", value: "text/html; charset=UTF-8"), (name: "Cache-Control", value: "no-store"),
                // The page cannot be put into a frame (Picker API guide: sessions).
                (name: "X-Frame-Options", value: "DENY"),
            ],
            body: .bytes(Array("<!DOCTYPE html>\n<html lang=en>\n<meta charset=utf-8>\n\(body)".utf8))
        )
    }

    private static func escaped(_ text: String) -> String {
        text.map { character in
            switch character {
            case "&": "&amp;"
            case "<": "&lt;"
            case ">": "&gt;"
            case "\"": "&quot;"
            default: String(character)
            }
        }
        .joined()
    }
}
