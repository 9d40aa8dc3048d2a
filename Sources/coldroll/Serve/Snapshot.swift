/// Something that costs work to find out, found out now and then however often it is asked for.
actor Snapshot<Value: Sendable> {
    private let lives: Duration
    private let rest: Int
    private let make: @Sendable () async throws -> Value
    private var latest: (value: Value, ends: ContinuousClock.Instant)?
    private var making: Task<Value, any Error>?

    /// - Parameters:
    ///   - lives: how long a value is good.
    ///   - rest: it is good for so many times what it took to make, if that is longer: 20, and no more than a twentieth of the
    ///     time goes into it. 0 for what must not be old.
    ///   - make: finds it out; one call at a time.
    init(lives: Duration, rest: Int, make: @escaping @Sendable () async throws -> Value) {
        self.lives = lives
        self.rest = rest
        self.make = make
    }

    /// The value, as young as is worth it; what `make` throws is thrown to all that waited for it, and made again for the next.
    func value() async throws -> Value {
        if let latest, .now < latest.ends { return latest.value }
        if let making { return try await making.value }
        let task = Task { [make] in try await make() }
        making = task
        defer { making = nil }
        let asked = ContinuousClock.now
        let value = try await task.value
        latest = (value, .now + max(lives, asked.duration(to: .now) * rest))
        return value
    }
}
