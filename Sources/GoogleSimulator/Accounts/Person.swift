/// Somebody with a Google account.
package struct Person: Sendable, Equatable {
    package let name: String
    package let email: String
    /// Google's `sub`: the account's number, which outlives its address.
    package let subject: String
    /// Whether an app in Testing lists this person among its test users.
    package let isTestUser: Bool

    /// As the simulator announces it.
    var described: JSONValue {
        .members(
            ("name", .string(name)),
            ("email", .string(email)),
            ("sub", .string(subject)),
            ("test_user", .boolean(isTestUser))
        )
    }
}

/// One person's side of one client: consent, and with it every token, belongs to such a pair.
struct Holder: Sendable, Hashable {
    let clientID: String
    let subject: String
}
