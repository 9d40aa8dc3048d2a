/// What a command takes besides flags.
enum Operands: Sendable, Equatable {
    case none
    /// Exactly one part's number.
    case part
    /// One or more parts' numbers, or none where this flag is given instead.
    case partsOr(flag: String)
    /// Exactly one lane's number.
    case lane

    /// How the usage line shows them; empty for none.
    var usage: String {
        switch self {
        case .none: ""
        case .part: "PART"
        case .partsOr(let flag): "PART… | \(flag) …"
        case .lane: "LANE"
        }
    }

    /// What is wrong with these, as a sentence; nil if nothing is.
    func complaint(about words: [String], flags: [String: String]) -> String? {
        switch self {
        case .none:
            return words.first.map { "unexpected argument '\(harmless($0))'" }
        case .part:
            guard words.count == 1 else { return "expected one part's number (the column part of 'coldroll failures')" }
            return Self.complaintAboutParts(words)
        case .partsOr(let flag):
            if flags[flag] != nil {
                return words.isEmpty ? nil : "give part numbers or \(flag), not both"
            }
            guard !words.isEmpty else {
                return "expected part numbers (the column part of 'coldroll failures') or \(flag)"
            }
            return Self.complaintAboutParts(words)
        case .lane:
            guard words.count == 1 else { return "expected one lane's number ('coldroll status' lists the lanes)" }
            return (Int64(words[0]) ?? 0) >= 1 ? nil : "not a lane's number: '\(harmless(words[0]))'"
        }
    }

    private static func complaintAboutParts(_ words: [String]) -> String? {
        let wrong = words.filter { (Int64($0) ?? 0) < 1 }.map { "'\(harmless($0))'" }
        return wrong.isEmpty ? nil : "not a part's number: \(wrong.joined(separator: ", "))"
    }
}
