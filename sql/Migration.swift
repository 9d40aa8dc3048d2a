/// One forward step of the schema.
package struct Migration: Sendable {
    /// From 1, without gaps.
    package let version: Int
    package let name: String
    package let sql: String
    /// Every step in order.
    package static let all: [Migration] = []
}
