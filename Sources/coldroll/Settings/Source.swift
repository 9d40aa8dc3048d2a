/// Which of Google's three ways in is archived.
enum Source: Sendable, Equatable {
    case library
    case picker
    case takeout(path: String)

    /// nil for anything but `library`, `picker` and `takeout:PATH`.
    init?(_ text: String) {
        switch text {
        case "library": self = .library
        case "picker": self = .picker
        default:
            guard text.hasPrefix("takeout:"), text.count > 8 else { return nil }
            self = .takeout(path: String(text.dropFirst(8)))
        }
    }

    /// The word in the ledger.
    var kind: String {
        switch self {
        case .library: "library"
        case .picker: "picker"
        case .takeout: "takeout"
        }
    }

    /// What somebody reads who has not chosen yet.
    static let explanation = """
        COLDROLL_SOURCE is not set. It says what to archive:
          library       photos and videos that your OAuth client uploaded itself; since 31 March 2025 Google's Library API \
        shows a client nothing else
          picker        photos and videos that a person picks in Google's Picker, 2000 at a time
          takeout:PATH  a Google Takeout export: the whole library, with the original bytes
        This version archives library and picker. --source says the same for one command.
        """

    /// Of the commands that need one.
    static let flag = Flag(
        "--source",
        .choice(["library", "picker"]),
        "what to archive: what your OAuth client uploaded, or what you pick by hand",
        variable: "COLDROLL_SOURCE"
    )
}
