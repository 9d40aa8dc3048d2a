/// Why scan, work or run ended early; a sentence for the owner.
package struct ArchiverError: Error, Sendable, Equatable, CustomStringConvertible {
    /// What it means for the command's exit code.
    package enum Code: Sendable, Equatable {
        /// The ledger does not belong to this archive (exit 2): nothing was stored.
        case foreignLedger
        /// The source showed nothing, ever, or far less than before (exit 2).
        case nothingFound
        /// The bucket or directory is not there, or its disk was unmounted (exit 1).
        case noArchive
        /// Credentials, scopes or permissions (exit 3).
        case credentials
        /// Google refuses the owner's login for good (exit 3): a worker that stays waits for the next one instead.
        case login
        /// A service or the database stayed away (exit 4).
        case unavailable
        /// The disk or bucket takes no more (exit 4).
        case noSpace
        /// It had waited for as long as it was told to (exit 5): what is left is done by the next one.
        case outOfTime
        /// Nobody picked anything in time (exit 5): the next one asks again.
        case notPicked
        /// A person or the system stopped it (exit 130).
        case interrupted
    }
    package let code: Code
    package let message: String
    package init(code: Code, message: String) {
        self.code = code
        self.message = message
    }
    package var description: String { message }
}
