import Foundation

/// The program: signals first, then one command, then its exit status.
@main
enum Coldroll {
    static func main() async {
        CoreDumps.forbid()
        let stop = StopSignal()
        let interruption = InterruptionPolicy(stop: stop)
        SignalWatch.start { interruption.signalled($0) }
        let status = await run(
            Array(CommandLine.arguments.dropFirst()),
            ProcessInfo.processInfo.environment,
            stop,
            interruption
        )
        // Not exit: its handlers take OpenSSL down while the network's thread still closes its connections, and one run in
        // some hundreds then ended with a signal instead of its status. Output has no buffer, and all else is closed.
        _exit(status.code)
    }

    private static func run(
        _ words: [String],
        _ environment: [String: String],
        _ stop: StopSignal,
        _ interruption: InterruptionPolicy
    ) async -> ExitStatus {
        switch Invocation(words) {
        case .overview: StandardStream.output.write(Usage.overview())
        case .help(let command): StandardStream.output.write(Usage.text(for: command))
        case .version: StandardStream.output.write("coldroll \(coldrollVersion)\n")
        case .unknown(let sentence):
            Reporter.standard(.answer, environment: environment).fail(sentence)
            return .usage
        case .run(let command, let arguments):
            let reporter = Reporter.standard(
                command.output,
                environment: environment,
                typable: TypableCommands(arguments)
            )
            return await run(command, arguments, environment, reporter, stop, interruption)
        }
        return .done
    }

    private static func run(
        _ command: Command,
        _ arguments: Arguments,
        _ environment: [String: String],
        _ reporter: Reporter,
        _ stop: StopSignal,
        _ interruption: InterruptionPolicy
    ) async -> ExitStatus {
        let resources = OpenResources()
        interruption.begin(command.interruption)
        if command.interruption == .graceful {
            interruption.onFirstSignal { isGraceful in
                reporter.say(
                    isGraceful
                        ? "Stopping: what is in hand is finished or given back. Interrupt it once more to give all back at once."
                        : "Stopping."
                )
            }
        }
        let work = Task<Ending, any Error> {
            let settings: Settings
            do {
                settings = try readSettings(command, arguments, environment)
            } catch let error as SettingsError {
                // A command line that cannot be read says nothing of what is to be explained, or how.
                guard arguments.faults.isEmpty, let explain = command.badSettings else { throw error }
                return explain(error.faults, arguments)
            }
            return try await command.run(
                Session(
                    settings: settings,
                    reporter: reporter,
                    stop: stop,
                    resources: resources,
                    interruption: interruption
                ),
                arguments
            )
        }
        interruption.onCancel { work.cancel() }
        let result = await work.result
        await resources.closeAll()
        reporter.endProgress()
        switch result {
        case .success(let ending):
            if let sentence = ending.sentence {
                ending.status == .done ? reporter.say(sentence) : reporter.fail(sentence)
            }
            return ending.status
        // What fails while a command is being cancelled fails because of that.
        case .failure where interruption.hasCancelled:
            reporter.fail(sentence(of: CancellationError()))
            return .interrupted
        case .failure(let error):
            reporter.fail(sentence(of: error))
            // Whoever insisted on an end got it, whatever it was that did not answer meanwhile.
            return stop.hard ? .interrupted : ExitStatus(of: error)
        }
    }

    /// Reads the settings; faults of the command line and of the settings are told together.
    private static func readSettings(
        _ command: Command,
        _ arguments: Arguments,
        _ environment: [String: String]
    ) throws -> Settings {
        var faults = arguments.faults
        var file: [String: String] = [:]
        if let path = arguments.value("--env-file") {
            if let text = try? String(contentsOfFile: path, encoding: .utf8) {
                let lines = EnvironmentFile(text)
                file = lines.values
                faults += lines.faults.map { "\(harmless(path)) \($0)" }
            } else {
                faults.append("--env-file is '\(harmless(path))', \(whyUnreadable(path, kind: "text file"))")
            }
        }
        do throws(SettingsError) {
            let settings = try Settings(
                environment: environment,
                file: file,
                slots: arguments.value("--slots"),
                source: arguments.value(Source.flag.name),
                listen: arguments.value(Command.listenFlag.name),
                schedule: arguments.value(Command.scheduleFlag.name),
                need: command.need,
                isRoot: geteuid() == 0
            )
            guard faults.isEmpty else { throw SettingsError(faults: faults) }
            return settings
        } catch {
            throw error.faults == faults ? error : SettingsError(faults: faults + error.faults)
        }
    }
}
