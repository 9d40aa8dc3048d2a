/// Writes metrics in Prometheus' text format (exposition formats, version 0.0.4).
struct MetricsText {
    typealias Labels = [(name: String, value: String)]

    private(set) var text = ""

    /// A number that goes up and down; nothing is written where there are no samples.
    mutating func gauge(_ name: String, _ help: String, _ samples: [(labels: Labels, value: Double)]) {
        guard !samples.isEmpty else { return }
        head(name, "gauge", help)
        for sample in samples { line(name, sample.labels, sample.value) }
    }

    mutating func gauge(_ name: String, _ help: String, _ value: Double) { gauge(name, help, [([], value)]) }

    mutating func histogram(_ name: String, _ help: String, _ series: [(labels: Labels, value: Histogram)]) {
        guard !series.isEmpty else { return }
        head(name, "histogram", help)
        for (labels, histogram) in series {
            for (bound, count) in zip(histogram.bounds, histogram.counts) {
                line(name + "_bucket", labels + [("le", Self.number(bound))], Double(count))
            }
            line(name + "_bucket", labels + [("le", "+Inf")], Double(histogram.count))
            line(name + "_sum", labels, histogram.sum)
            line(name + "_count", labels, Double(histogram.count))
        }
    }

    private mutating func head(_ name: String, _ type: String, _ help: String) {
        text += "# HELP \(name) \(help.replacing("\\", with: "\\\\").replacing("\n", with: "\\n"))\n"
        text += "# TYPE \(name) \(type)\n"
    }

    private mutating func line(_ name: String, _ labels: Labels, _ value: Double) {
        let words = labels.map { "\($0.name)=\"\(Self.escaped($0.value))\"" }
        text += name + (words.isEmpty ? "" : "{\(words.joined(separator: ","))}") + " \(Self.number(value))\n"
    }

    private static func escaped(_ value: String) -> String {
        harmless(value.replacing("\n", with: "\u{FFFD}")).replacing("\\", with: "\\\\").replacing("\"", with: "\\\"")
    }

    private static func number(_ value: Double) -> String {
        if value.isNaN { return "NaN" }
        if value.isInfinite { return value > 0 ? "+Inf" : "-Inf" }
        return Int64(exactly: value).map(String.init) ?? String(value)
    }
}
