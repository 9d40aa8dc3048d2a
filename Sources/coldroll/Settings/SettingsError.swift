/// Everything that is wrong with the command line and the settings, so that one start shows it all.
struct SettingsError: Error, Sendable, Equatable, CustomStringConvertible {
    /// Sentences; values of secrets are never in them.
    let faults: [String]

    var description: String {
        faults.count == 1 ? faults[0] : "\(faults.count) faults:\n" + faults.map { "  " + $0 }.joined(separator: "\n")
    }
}
