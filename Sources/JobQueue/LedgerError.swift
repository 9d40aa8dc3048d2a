/// A ledger rule that a command ran into; sentences for a person.
package struct LedgerError: Error, Sendable, Equatable, CustomStringConvertible {
    /// What the caller does next.
    package enum Code: Sendable, Equatable {
        /// The ledger belongs to another archive.
        case foreignArchive
        /// The source was made by another OAuth client.
        case foreignClient
        /// The source belongs to another Google account.
        case foreignAccount
        /// Somebody else scans this source now.
        case scanBusy
        /// The scan's lease was lost: stop, write nothing more.
        case scanLost
        /// The database has lost pages of the scan that it had confirmed: list again from the place that `rewind` tells.
        case scanRewound
        /// Schema missing, older or newer than this binary.
        case schema
        /// The database's user may not make the schema: its owner is to allow it.
        case forbidden
        /// It was moved: use the database that the message names.
        case elsewhere
        /// Somebody works on it: stop them and repeat.
        case busy
        /// The database that it was to be moved to holds something, or is the same.
        case target
        /// The copy is whole, and the move is to be ended by the same call.
        case halfway
    }
    /// What the caller does next.
    package let code: Code
    /// What happened, and what to do about it.
    package let message: String

    package init(code: Code, message: String) {
        self.code = code
        self.message = message
    }

    package var description: String { message }
}
