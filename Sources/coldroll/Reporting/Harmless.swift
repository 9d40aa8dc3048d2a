/// The text with everything replaced that would move a cursor, ring, reverse the writing or break a line.
///
/// Filenames, and what a server says, come from outside; a terminal must not be steered by them.
func harmless(_ text: String) -> String {
    String(
        String.UnicodeScalarView(
            text.unicodeScalars.map { scalar in
                switch scalar.properties.generalCategory {
                case .control, .lineSeparator, .paragraphSeparator, .surrogate, .privateUse: "\u{FFFD}"
                // Zero-width joiners hold emoji together; other format characters (direction, tags) go.
                case .format: scalar == "\u{200D}" ? scalar : "\u{FFFD}"
                default: scalar
                }
            }
        )
    )
}
