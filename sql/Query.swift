/// A question that an owner asks the ledger, as psql runs it: `sql/queries`.
package struct Query: Sendable {
    /// Name of the file without its ending.
    package let name: String
    /// The file, psql's own commands included.
    package let sql: String

    private init(_ name: String, _ file: [UInt8]) {
        self.name = name
        self.sql = String(decoding: file, as: UTF8.self)
    }

    /// In the order in which one asks.
    package static let all: [Query] = [
        Query("running", PackageResources.running_sql),
        Query("slow", PackageResources.slow_sql),
        Query("failures", PackageResources.failures_sql),
        Query("retries", PackageResources.retries_sql),
        Query("throughput", PackageResources.throughput_sql),
        Query("eta", PackageResources.eta_sql),
        Query("stuck", PackageResources.stuck_sql),
        Query("biggest", PackageResources.biggest_sql),
        Query("runs", PackageResources.runs_sql),
        Query("acknowledged", PackageResources.acknowledged_sql),
        Query("tables", PackageResources.tables_sql),
        Query("story", PackageResources.story_sql),
    ]
}
