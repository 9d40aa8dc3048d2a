/// A session of Google's Picker: what a person picks in it can be listed and fetched until it expires.
package struct PickerSession: Sendable, Equatable {
    package let id: String
    /// The page to open in a browser, as the session's owner; nil where Google tells it no more.
    ///
    /// It lets nobody in who is not logged in as the owner, and is shown to the owner alone.
    package let link: String?
    /// Whether the person has pressed Done: what was picked can be listed.
    package let isPicked: Bool
    /// How long to wait between two questions.
    package let pollInterval: Duration
    /// How much longer to ask, zero for not any more; nil if Google says nothing.
    package let timeout: Duration?
    /// When it and its items cannot be reached any more, RFC 3339 in UTC; nil if Google does not say.
    package let expiresAt: String?

    package init(
        id: String,
        link: String? = nil,
        isPicked: Bool = false,
        pollInterval: Duration = .seconds(5),
        timeout: Duration? = nil,
        expiresAt: String? = nil
    ) {
        self.id = id
        self.link = link
        self.isPicked = isPicked
        self.pollInterval = pollInterval
        self.timeout = timeout
        self.expiresAt = expiresAt
    }
}
