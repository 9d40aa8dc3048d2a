/// Why a simulator could not start.
package struct SimulatorError: Error, Sendable, CustomStringConvertible {
    package let description: String
}
