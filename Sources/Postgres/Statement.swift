/// SQL text with a name for logs and errors.
package struct Statement: Sendable {
    /// Short and stable, for example `job.claim`.
    package let name: String
    /// SQL with `$1`, `$2`… where bound values go.
    package let sql: String
    /// Whether a connection has the server keep it parsed and planned, where no pooler stands between.
    ///
    /// For what is run again and again, and whose plan is right for whatever values. Its name must be its own.
    package let isKept: Bool

    package init(_ name: String, _ sql: String, isKept: Bool = false) {
        self.name = name
        self.sql = sql
        self.isKept = isKept
    }
}
