extension JSONValue {
    /// The same object with another value for a name; nil takes the member away, a new name stands last.
    func setting(_ name: String, to value: JSONValue?) -> JSONValue {
        let members = fields ?? []
        guard let value else { return .object(members.filter { $0.name != name }) }
        let member = Member(name: name, value: value)
        guard let index = members.firstIndex(where: { $0.name == name }) else { return .object(members + [member]) }
        var changed = members
        changed[index] = member
        return .object(changed)
    }

    /// A time in seconds or microseconds as Google's APIs write all of them.
    static func time(_ time: Timestamp) -> JSONValue { .string(time.rfc3339) }

    /// A 64-bit number, which Google's APIs write as a string.
    static func int64(_ number: Int64) -> JSONValue { .string(String(number)) }
}
