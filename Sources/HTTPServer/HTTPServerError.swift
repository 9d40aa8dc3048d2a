/// Why a server could not start.
package struct HTTPServerError: Error, Sendable, Equatable, CustomStringConvertible {
    /// The address and port that were asked for.
    package let place: String
    /// What the operating system or libmicrohttpd said.
    package let reason: String

    package var description: String {
        "cannot listen on \(place): \(reason); choose another port or address"
    }
}
