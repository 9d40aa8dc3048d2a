import Logging

/// What every command is given.
struct Session: Sendable {
    let settings: Settings
    let reporter: Reporter
    let stop: StopSignal
    let resources: OpenResources

    var logger: Logger { reporter.logger }
}
