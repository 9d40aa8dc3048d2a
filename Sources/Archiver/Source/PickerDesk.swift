/// The person who picks, as far as a source that is a Picker needs one.
package struct PickerDesk: Sendable {
    /// The page in which the person picks.
    package struct Invitation: Sendable, Equatable {
        /// For the owner's browser, and nobody else's eyes.
        package let link: String
        /// Most items of one session.
        package let mostItems: Int
        /// How long anybody waits for it; nil: until the session expires.
        package let patience: Duration?
        /// Whether an earlier process has shown the same link.
        package let isResumed: Bool
    }

    /// Shows an invitation.
    package let invite: @Sendable (Invitation) async -> Void
    /// Says that the wait is over, whether or not the person has picked.
    package let waitEnds: @Sendable () -> Void
    /// Says that all was listed, and is looked through again for about so long before it is believed.
    package let looksAgain: @Sendable (_ duration: Duration) async -> Void
    /// Asks whether the person wants to pick more, until the answer comes or the closure says that nobody waits for it.
    package let wantsMore: @Sendable (_ isAwaited: @Sendable () -> Bool) async -> Bool

    package init(
        invite: @escaping @Sendable (Invitation) async -> Void,
        waitEnds: @escaping @Sendable () -> Void,
        looksAgain: @escaping @Sendable (_ duration: Duration) async -> Void,
        wantsMore: @escaping @Sendable (_ isAwaited: @Sendable () -> Bool) async -> Bool
    ) {
        self.invite = invite
        self.waitEnds = waitEnds
        self.looksAgain = looksAgain
        self.wantsMore = wantsMore
    }
}
