/// What a person does with the picker, done by a test.
struct PickerSetup: Sendable {
    let library: PhotoLibrary
    let sessions: PickerSessions

    /// Picks and presses Done: `{"session":…}` (the newest open one if not said) and what: `"all":true`, `"count":n` with
    /// `"from":n` (newest first, from 0), `"ids":[…]` or `"filenames":[…]` of the library.
    ///
    /// - Throws: `SimulatorError` with a sentence that names what is wrong.
    func pick(_ wanted: JSONValue) throws(SimulatorError) {
        guard let session = try open(wanted) else {
            throw SimulatorError(description: "no session is open in which something could be picked")
        }
        let items = try items(wanted, room: session.room)
        do { try sessions.pick(session.id, items) } catch {
            throw SimulatorError(description: "session \(session.id): \(error)")
        }
    }

    private func open(_ wanted: JSONValue) throws(SimulatorError) -> PickerSession? {
        guard let id = wanted["session"]?.text else { return sessions.open }
        do { return try sessions.get(id) } catch {
            throw SimulatorError(description: "session \(id): \(error)")
        }
    }

    private func items(_ wanted: JSONValue, room: Int) throws(SimulatorError) -> [Int32] {
        let everything = library.places(after: nil, isOldestFirst: false, limit: library.count).map(\.reference)
        if wanted["all"]?.flag == true { return Array(everything.prefix(room)) }
        if let count = wanted["count"]?.whole {
            let found = everything.dropFirst(Int(wanted["from"]?.whole ?? 0)).prefix(Int(count))
            if found.count < Int(count) {
                throw SimulatorError(description: "the library has only \(everything.count) items")
            }
            return Array(found)
        }
        if let ids = wanted["ids"]?.elements {
            return try ids.map { id throws(SimulatorError) in
                guard let reference = id.text.flatMap(library.reference) else {
                    throw SimulatorError(description: "the library has no item \(id.text ?? "of such an id")")
                }
                return reference
            }
        }
        let names = Set((wanted["filenames"]?.elements ?? []).compactMap(\.text))
        return everything.filter { names.contains(library.item($0)?.filename ?? "") }
    }

    /// `{"session":…, "expire":true}` ends access to a session; `{"account":false}` says that the person has no Google
    /// Photos account.
    ///
    /// - Throws: `SimulatorError` with a sentence that names what is wrong.
    func set(_ wanted: JSONValue) throws(SimulatorError) {
        if let exists = wanted["account"]?.flag { sessions.setAccount(exists) }
        guard let id = wanted["session"]?.text, wanted["expire"]?.flag == true else { return }
        do { try sessions.expire(id) } catch {
            throw SimulatorError(description: "there is no session \(id)")
        }
    }

    /// Every session that has not been deleted.
    var all: JSONValue {
        .array(
            sessions.everything.map { session in
                .members(
                    ("id", .string(session.id)),
                    ("expireTime", .time(session.expires)),
                    ("expired", .boolean(session.isExpired)),
                    ("maxItemCount", .integer(Int64(session.room))),
                    ("picked", session.picked.map { .integer(Int64($0.count)) } ?? .null)
                )
            }
        )
    }
}
