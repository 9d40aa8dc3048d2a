import HTTPClient

extension Command {
    static let doctor = Command(
        name: "doctor",
        purpose: "check settings, database, clock, credentials, stores, quota and disk, and say what to do",
        details: [
            "Looks at everything that scan, work and run need, changes nothing, and goes on when something fails, also without a "
                + "database or without Google. Each line is ok, warning or FAILED, with the fix beneath it.",
            "The exit code is 0 if nothing failed, else that with which a run would end because of the first line that did. It "
                + "asks Google Photos for one page, which counts in the day's quota.",
        ],
        flags: [Flag("--json", .toggle, "one JSON document, for programs; docs/doctor.md lists its keys")],
        examples: [
            ("coldroll doctor", "on every host, before the first run and when something is wrong"),
            ("coldroll doctor --json", "for programs"),
        ],
        badSettings: { faults, arguments in
            let lines = faults.map { Diagnosis.failed(.settings, $0, fix: nil, .usage) }
            let others = Diagnosis.Check.allCases.dropFirst().map {
                Diagnosis.skipped($0, "Not checked: the settings must be right first.")
            }
            return DoctorReport(lines + others).tell(arguments)
        }
    ) { session, arguments in
        let http = session.openHTTP()
        return DoctorReport(try await Doctor(session: session, http: http).examine()).tell(arguments)
    }
}

extension DoctorReport {
    fileprivate func tell(_ arguments: Arguments) -> Ending {
        StandardStream.output.write(arguments.has("--json") ? json : text)
        return ending
    }
}

/// Looks at one thing after another; what fails keeps none of the others from being looked at.
struct Doctor: Sendable {
    let session: Session
    let http: HTTPClient

    /// - Throws: `CancellationError` only.
    func examine() async throws -> [Diagnosis] {
        var all = settings
        let database = try await attempt(.database) { try await openedDatabase() }
        all += database.lines
        let open = database.value
        all += try await attempt(.clock) { (try await clocks(open), ()) }.lines
        // Before the request below, which draws a whole batch until the command ends.
        let quota = try await attempt(.quota) { (try await quotas(open), ()) }.lines
        all += try await attempt(.photos) { (try await photos(open), ()) }.lines
        for use in [Diagnosis.Check.archive, .state] {
            all += try await attempt(use) { (try await store(use), ()) }.lines
        }
        all += quota + disks
        return all
    }

    private func attempt<Value>(
        _ check: Diagnosis.Check,
        _ body: () async throws -> ([Diagnosis], Value)
    ) async throws -> (lines: [Diagnosis], value: Value?) {
        do {
            let (lines, value) = try await body()
            return (lines, value)
        } catch {
            try Task.checkCancellation()
            return ([.failed(check, error)], nil)
        }
    }
}
