/// A partial response's `fields`: `items(name,size),nextPageToken` (Cloud Storage: partial responses).
struct FieldMask: Sendable {
    private var members: [String: FieldMask] = [:]
    private var isEverything = false

    init(_ text: String) {
        var rest = Substring(text)
        self = Self.list(&rest)
    }

    private init() {}

    private static func list(_ text: inout Substring) -> FieldMask {
        var mask = FieldMask()
        while let first = text.first, first != ")" {
            let name = String(text.prefix { !",()/".contains($0) })
            text = text.dropFirst(name.count)
            var inner = FieldMask()
            inner.isEverything = true
            if text.first == "(" {
                text = text.dropFirst()
                inner = list(&text)
                text = text.dropFirst()
            } else if text.first == "/" {
                text = text.dropFirst()
                inner = single(&text)
            }
            if name == "*" { mask.isEverything = true } else { mask.members[name] = inner }
            if text.first == "," { text = text.dropFirst() }
        }
        return mask
    }

    private static func single(_ text: inout Substring) -> FieldMask {
        let name = String(text.prefix { !",()/".contains($0) })
        text = text.dropFirst(name.count)
        var mask = FieldMask()
        var inner = FieldMask()
        inner.isEverything = true
        if text.first == "/" {
            text = text.dropFirst()
            inner = single(&text)
        } else if text.first == "(" {
            text = text.dropFirst()
            inner = list(&text)
            text = text.dropFirst()
        }
        if name == "*" { mask.isEverything = true } else { mask.members[name] = inner }
        return mask
    }

    /// What the mask lets through.
    func applied(to value: JSONValue) -> JSONValue {
        if isEverything { return value }
        switch value {
        case .array(let elements): return .array(elements.map(applied))
        case .object(let fields):
            return .object(
                fields.compactMap { field in
                    members[field.name].map { JSONValue.Member(name: field.name, value: $0.applied(to: field.value)) }
                }
            )
        case .null, .boolean, .integer, .double, .string: return value
        }
    }
}
