/// Why a caller's identity token does not let him in.
package struct IdentityError: Error, Sendable, Equatable, CustomStringConvertible {
    /// The part that decides what the caller is answered.
    package enum Code: Sendable, Equatable {
        /// It is no token of Google's that is good now: malformed, of another algorithm, key or issuer, or not of this time.
        case invalid
        /// It is Google's, and for another audience or of another account.
        case forbidden
        /// Google's keys cannot be had now: nobody can tell.
        case unavailable
    }

    package let code: Code
    /// A sentence for this side's log; nothing of the token is in it.
    package let message: String

    package init(_ code: Code, _ message: String) {
        self.code = code
        self.message = message
    }

    package var description: String { message }
}
