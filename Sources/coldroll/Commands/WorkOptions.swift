/// What the flags of `work` and `run` say.
struct WorkOptions: Sendable, Equatable {
    /// When a still's clip is asked for.
    enum Motion: String, Sendable, CaseIterable {
        /// Where the still's metadata or name says that there is one.
        case auto
        /// For every still.
        case always
        case never
    }

    /// Whether to end when no job of the source is left.
    let drain: Bool
    /// How long to wait at most, at a stretch, for jobs that are parked, scheduled or running elsewhere; nil is for ever.
    let maxWait: Duration?
    /// How long all of it may take; nil is for ever.
    let maxRun: Duration?
    let slots: SlotCount
    let motion: Motion

    /// - Parameters:
    ///   - arguments: the command's.
    ///   - settings: for what no flag says.
    ///   - drain: see there.
    ///   - longest: how long all of it may take where no flag says: then `--max-wait` limits that too. Nil: it limits waits.
    init(_ arguments: Arguments, _ settings: Settings, drain: Bool, longest: Duration? = nil) {
        self.drain = drain
        maxWait = arguments.value("--max-wait").flatMap(Span.init)?.duration ?? longest
        maxRun = longest == nil ? nil : maxWait
        slots = settings.slots
        motion = arguments.value("--motion").flatMap(Motion.init) ?? .auto
    }

    static let slotsFlag = Flag(
        "--slots",
        .countOrAuto(SlotCount.range),
        "transfers at once",
        fallback: "auto",
        variable: "COLDROLL_SLOTS"
    )
    static let motionFlag = Flag(
        "--motion",
        .choice(Motion.allCases.map(\.rawValue)),
        "fetch the clip of a motion photo: where the photo says that it has one, for every photo, or not at all",
        fallback: "auto"
    )
    static let maxWaitFlag = Flag(
        "--max-wait",
        .span,
        "end once nothing could be done for SPAN, although there is work left (exit 5)",
        fallback: "no limit"
    )
}
