/// A bearer token and the two moments that matter, on the clock that no one sets.
package struct AccessToken: Sendable {
    /// Never printed.
    package let value: String
    /// From here on a new one is fetched.
    let refreshAt: ContinuousClock.Instant
    /// From here on whoever wants to send something waits for the new one: what is sent must reach Google in time.
    let waitAt: ContinuousClock.Instant
    /// From here on Google refuses it.
    package let expiresAt: ContinuousClock.Instant

    /// The `lifetime` (`expires_in`) counts from `requested`, when the request was sent: it cannot have begun earlier.
    ///
    /// It is refreshed 5 minutes before its end, or a fifth of its life if that is less; a fifth of that time is waited for.
    package init(value: String, requested: ContinuousClock.Instant, lifetime: Duration) {
        self.value = value
        self.expiresAt = requested + lifetime
        self.refreshAt = requested + lifetime - Self.margin(lifetime)
        self.waitAt = requested + lifetime - Self.margin(lifetime) / 5
    }

    /// How long before its end a token of this lifetime is due for another.
    package static func margin(_ lifetime: Duration) -> Duration { min(.seconds(300), lifetime / 5) }
}
