import Logging

/// What every command is given.
struct Session: Sendable {
    let settings: Settings
    let reporter: Reporter
    let stop: StopSignal
    let resources: OpenResources
    let interruption: InterruptionPolicy

    var logger: Logger { reporter.logger }
}
