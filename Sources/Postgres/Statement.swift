/// SQL text with a name for logs and errors.
package struct Statement: Sendable {
    /// Short and stable, for example `job.claim`.
    package let name: String
    /// SQL with `$1`, `$2`… where bound values go.
    package let sql: String

    package init(_ name: String, _ sql: String) {
        self.name = name
        self.sql = sql
    }
}
