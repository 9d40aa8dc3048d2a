/// What a command takes besides flags.
enum Operands: Sendable, Equatable {
    case none
    /// Exactly one part's number.
    case part
    /// One or more parts' numbers, or none where this flag is given instead.
    case partsOr(flag: String)
    /// Exactly one lane's number.
    case lane
    /// Exactly one kind of source that this version archives.
    case source
    /// Where a ledger is to go: exactly one libpq URI, or the word `private`.
    case destination

    /// How the usage line shows them; empty for none.
    var usage: String {
        switch self {
        case .none: ""
        case .part: "PART"
        case .partsOr(let flag): "PART… | \(flag) …"
        case .lane: "LANE"
        case .source: "library | picker"
        case .destination: "URL | private"
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
        case .source:
            guard words.count == 1, ["library", "picker"].contains(words[0]) else {
                return "expected one source: library or picker ('coldroll status' lists them)"
            }
            return nil
        case .destination:
            guard words.count == 1 else {
                return "expected one destination: postgresql://user@host/database, or the word private"
            }
            return Self.complaintAboutDestination(words[0])
        }
    }

    /// The words themselves are in no complaint: there may be a password among them.
    private static func complaintAboutDestination(_ word: String) -> String? {
        if word == "private" { return nil }
        guard isConninfo(word) else {
            return "the destination is no libpq URI; expected postgresql://user@host/database, or the word private"
        }
        guard !Conninfo(word).holdsSecret else {
            return "the destination holds a password, which every user of this machine can read in the list of "
                + "processes: leave it out, and put it into the environment as PGPASSWORD, or into the file that "
                + "PGPASSFILE names (~/.pgpass where it names none)"
        }
        return nil
    }

    private static func complaintAboutParts(_ words: [String]) -> String? {
        let wrong = words.filter { (Int64($0) ?? 0) < 1 }.map { "'\(harmless($0))'" }
        return wrong.isEmpty ? nil : "not a part's number: \(wrong.joined(separator: ", "))"
    }
}
