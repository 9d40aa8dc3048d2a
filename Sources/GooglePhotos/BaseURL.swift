/// A base URL: secret, short-lived, never stored, logged or printed.
///
/// Google lets one live for 60 minutes (Photos APIs: "Access media items"); users saw some die after 30 to 40.
package struct BaseURL: Sendable, Equatable, CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
    package let url: String
    /// When the request that brought it was sent, by the monotonic clock: its age is never underestimated.
    package let received: ContinuousClock.Instant

    package init(_ url: String, received: ContinuousClock.Instant = .now) {
        self.url = url
        self.received = received
    }

    package var description: String { "a base URL" }
    package var debugDescription: String { description }
    /// Without children, so that `dump` and the text of a failed expectation do not show the URL.
    package var customMirror: Mirror { Mirror(self, children: []) }
}
