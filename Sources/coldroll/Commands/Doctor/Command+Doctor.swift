import HTTPClient

extension Command {
    static let doctor = Command(
        name: "doctor",
        purpose: "check settings, database, clock, credentials, stores, quota and disk, and say what to do",
        details: [
            "Looks at what scan, work, run and serve need, and at whether ledger, archive, source and login belong together; goes "
                + "on when something fails, also without a database or without Google. Each line is ok, warning or FAILED, with "
                + "the fix beneath it.",
            "It changes nothing, but that it asks Google Photos for one page, which counts in the day's quota, and starts the "
                + "private PostgreSQL for as long as it looks. The exit code is 0 if nothing failed, else that with which run or "
                + "serve would end because of the first line that did.",
        ],
        flags: [
            Source.flag, Flag("--json", .toggle, "one JSON document, for programs; docs/doctor.md lists its keys"),
        ],
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
        let report = typable(TypableCommands(arguments))
        StandardStream.output.write(arguments.has("--json") ? report.json : report.text)
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
        let ledger = database.lines.contains { $0.verdict == .failed } ? nil : open
        all += try await attempt(.clock) { (try await clocks(open), ()) }.lines
        let photos = try await attempt(.photos) {
            do {
                return (try await self.photos(ledger), false)
            } catch let error as UnreadableLogin {
                return ([failure(.photos, error)], true)
            }
        }
        var stores: [Diagnosis] = []
        let foreign = try await foreignArchive(open)
        for use in [Diagnosis.Check.archive, .state] {
            if let foreign {
                // What is missing in stores that the ledger never had is nothing to be made.
                let setting = use == .archive ? "COLDROLL_ARCHIVE" : "COLDROLL_STATE"
                stores.append(
                    .skipped(
                        use,
                        "Not checked: the ledger belongs to \(foreign), and \(setting) must go with it first."
                    )
                )
                continue
            }
            stores += try await attempt(use) { (try await store(use, ledger), ()) }.lines
        }
        // Told once, of what it is about.
        let isStores = photos.value == true && stores.contains { $0.check == .state && $0.verdict == .failed }
        all +=
            isStores
            ? [.skipped(.photos, "Not checked: the login is kept in the state store, which must be right first.")]
            : photos.lines
        all += await machine()
        all += stores
        let areThere = foreign == nil && !stores.contains { $0.verdict == .failed }
        all += try await attempt(.ledger) { (try await belonging(areThere ? ledger : nil), ()) }.lines
        all += try await attempt(.quota) { (try await quotas(ledger), ()) }.lines
        return all + disks(stores: foreign == nil)
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
            return ([failure(check, error)], nil)
        }
    }
}
