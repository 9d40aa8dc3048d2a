/// `ifGenerationMatch` and its kin (Cloud Storage: request preconditions).
struct Preconditions: Sendable, Equatable {
    private var match: Int64?
    private var notMatch: Int64?
    private var metaMatch: Int64?
    private var metaNotMatch: Int64?

    init(_ query: QueryFields) throws(StorageRefusal) {
        match = try Self.number(query, "ifGenerationMatch")
        notMatch = try Self.number(query, "ifGenerationNotMatch")
        metaMatch = try Self.number(query, "ifMetagenerationMatch")
        metaNotMatch = try Self.number(query, "ifMetagenerationNotMatch")
    }

    private static func number(_ query: QueryFields, _ name: String) throws(StorageRefusal) -> Int64? {
        guard let text = query[name] else { return nil }
        guard let number = Int64(text) else { throw .invalid("Invalid value for \(name): \(text)") }
        return number
    }

    /// Refuses if they do not hold; a generation of 0 means that there is no object.
    func check(_ object: ObjectRecord?) throws(StorageRefusal) {
        let generation = object?.generation ?? 0
        let holds =
            (match.map { $0 == generation } ?? true) && (notMatch.map { $0 != generation } ?? true)
            && (metaMatch.map { object != nil && $0 == 1 } ?? true)
            && (metaNotMatch.map { object == nil || $0 != 1 } ?? true)
        if !holds { throw .condition() }
    }
}
