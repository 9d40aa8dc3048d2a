/// How `status` shows one report after another.
struct StatusScreen: Sendable {
    let asJSON: Bool
    /// Whether a report is drawn over the one before.
    let redraws: Bool
    let typable: TypableCommands
    /// Columns of the terminal; only asked where lines are drawn over.
    var columns: @Sendable () -> Int = { StandardStream.output.columns }
    /// Lines of the report that stands on the screen.
    private var height = 0

    init(asJSON: Bool, redraws: Bool, typable: TypableCommands = TypableCommands(nil)) {
        self.asJSON = asJSON
        self.redraws = redraws
        self.typable = typable
    }

    /// What to write to show this report.
    mutating func text(for report: StatusReport) -> String {
        if asJSON { return report.json + "\n" }
        let text = typable(report.text)
        guard redraws else { return text }
        // A line that wraps would be two on the screen: it is cut, and the cursor finds back to the first.
        let lines = text.split(separator: "\n").map { $0.prefix(max(1, columns() - 1)) + "\u{1B}[K\n" }
        defer { height = lines.count }
        return (height > 0 ? "\r\u{1B}[\(height)A" : "") + lines.joined() + "\u{1B}[J"
    }
}
