/// Tells pages, JSON, XML and plain text from data, in UTF-8, UTF-16, UTF-32 and single-byte encodings.
///
/// The tags and control bytes are those of the WHATWG's "MIME Sniffing" standard, sections 5 and 7.1.
enum TextSniffer {
    private static let pageStarts: [[UInt8]] = [
        "<!doctype html", "<html", "<head", "<script", "<iframe", "<h1", "<div", "<font", "<table", "<a", "<style",
        "<title", "<b", "<body", "<br", "<p", "<meta", "<center", "<pre", "<link",
    ].map { Array($0.utf8) }

    /// The kind if these bytes are text, which may end in mid-character; nil if they are not.
    static func kind(of prefix: [UInt8]) -> MediaKind? {
        let text = PlainText(prefix)
        let start = text.lowercased.drop(while: PlainText.isSpace)
        if isPage(start) { return .html }
        if start.starts(with: "<?xml".utf8) { return mentionsPage(start) ? .html : .xml }
        guard text.isReadable else { return nil }
        if mentionsPage(start) { return .html }
        switch start.first {
        case UInt8(ascii: "<"): return .xml
        case UInt8(ascii: "{"), UInt8(ascii: "["): return .json
        default: return .text
        }
    }

    /// Whether a tag of HTML, or a comment, comes first.
    private static func isPage(_ start: ArraySlice<UInt8>) -> Bool {
        if start.starts(with: "<!--".utf8) { return !contains("<svg", in: start) }
        return pageStarts.contains { tag in
            guard start.starts(with: tag) else { return false }
            let next = start.dropFirst(tag.count).first ?? UInt8(ascii: ">")
            return PlainText.isSpace(next) || next == UInt8(ascii: ">") || next == UInt8(ascii: "/")
        }
    }

    private static func mentionsPage(_ start: ArraySlice<UInt8>) -> Bool {
        contains("<html", in: start) || contains("<!doctype html", in: start) || contains("<body", in: start)
    }

    private static func contains(_ word: StaticString, in bytes: ArraySlice<UInt8>) -> Bool {
        let pattern = word.withUTF8Buffer { Array($0) }
        var rest = bytes
        while let hit = rest.firstIndex(of: pattern[0]) {
            rest = rest[hit...]
            if rest.starts(with: pattern) { return true }
            rest = rest.dropFirst()
        }
        return false
    }
}
