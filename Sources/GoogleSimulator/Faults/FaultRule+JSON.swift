/// A rule that cannot be read.
package struct FaultRuleError: Error, Sendable, Equatable, CustomStringConvertible {
    package let description: String
}

extension FaultRule {
    /// Reads `{"on":"download","do":"status","status":503,"rate":0.03}`; a name it does not know is an error, not a no-op.
    ///
    /// - Throws: `FaultRuleError` that names the member; the caller corrects the rule.
    init(json: JSONValue) throws(FaultRuleError) {
        guard let fields = json.fields else { throw FaultRuleError(description: "a fault rule is a JSON object") }
        guard let on = json["on"]?.text else {
            throw FaultRuleError(description: "a fault rule needs \"on\", the name of an operation")
        }
        guard let word = json["do"]?.text, let action = Action(rawValue: word) else {
            let known = Action.allCases.map(\.rawValue).joined(separator: ", ")
            throw FaultRuleError(description: "a fault rule needs \"do\", one of: \(known)")
        }
        self.init(on: on, action)
        for field in fields where field.name != "on" && field.name != "do" {
            guard take(field.name, field.value) else {
                throw FaultRuleError(description: "a fault rule has no member \"\(field.name)\" of such a value")
            }
        }
    }

    private mutating func take(_ name: String, _ value: JSONValue) -> Bool {
        switch name {
        case "rate": rate = value.number
        case "nth":
            nth = (value.elements ?? [value]).compactMap { $0.whole.map { Int($0) } }
            return !nth.isEmpty
        case "times": times = value.whole.map { Int($0) }
        case "after":
            guard let number = value.whole else { return false }
            after = Int(number)
        case "match": match = value.text
        case "for_seconds": forSeconds = value.number
        case "status":
            guard let number = value.whole, (200...599).contains(number) else { return false }
            status = Int(number)
        case "retry_after": retryAfter = value.whole.map { Int($0) }
        case "body": body = value.text
        case "content_type": contentType = value.text
        case "ms":
            guard let number = value.number else { return false }
            milliseconds = number
        case "at":
            guard let number = value.number, (0...1).contains(number) else { return false }
            at = number
        case "seconds":
            guard let number = value.number else { return false }
            seconds = number
        case "factor":
            guard let number = value.number, number > 0, number <= 4 else { return false }
            factor = number
        default: return false
        }
        return true
    }

    /// Reads an array of rules from a text.
    ///
    /// - Throws: `FaultRuleError` that names what is wrong; the caller corrects the rules.
    package static func rules(jsonText: String) throws(FaultRuleError) -> [FaultRule] {
        try rules(json: JSONValue.parse(Array(jsonText.utf8)) ?? .null)
    }

    /// Reads an array of rules.
    static func rules(json: JSONValue) throws(FaultRuleError) -> [FaultRule] {
        guard let elements = json.elements else {
            throw FaultRuleError(description: "send a JSON array of fault rules")
        }
        var rules: [FaultRule] = []
        for element in elements { rules.append(try FaultRule(json: element)) }
        return rules
    }
}
