/// One line of `coldroll doctor`; the JSON keys are the properties' names, documented in `docs/doctor.md`.
struct Diagnosis: Sendable, Equatable, Encodable {
    enum Verdict: String, Sendable, Encodable {
        case ok
        /// It works; a person should look at it.
        case warning
        /// Something will not work.
        case failed
        /// Nothing to look at, or it cannot be looked at because something else failed.
        case skipped
    }

    /// What is looked at, the same for several lines about one thing.
    enum Check: String, Sendable, Encodable, CaseIterable {
        case settings, database, clock, photos, archive, state, ledger, quota, disk
    }

    let check: Check
    let verdict: Verdict
    /// A sentence, never with a secret in it.
    let message: String
    /// What to do about it; nil where the message says it, or nothing is to be done.
    var fix: String?
    /// What run or serve would end with because of it; `done` unless it failed.
    var status = ExitStatus.done

    enum CodingKeys: String, CodingKey { case check, verdict, message, fix }

    static func ok(_ check: Check, _ message: String) -> Diagnosis {
        Diagnosis(check: check, verdict: .ok, message: message)
    }

    static func warning(_ check: Check, _ message: String, fix: String?) -> Diagnosis {
        Diagnosis(check: check, verdict: .warning, message: message, fix: fix)
    }

    static func failed(_ check: Check, _ message: String, fix: String?, _ status: ExitStatus) -> Diagnosis {
        Diagnosis(check: check, verdict: .failed, message: message, fix: fix, status: status)
    }

    /// An error's own sentence says what to do.
    static func failed(_ check: Check, _ error: any Error) -> Diagnosis {
        failed(check, sentence(of: error), fix: nil, ExitStatus(of: error))
    }

    static func skipped(_ check: Check, _ message: String) -> Diagnosis {
        Diagnosis(check: check, verdict: .skipped, message: message)
    }
}

/// Everything that `coldroll doctor` found.
struct DoctorReport: Sendable, Equatable, Encodable {
    let host: String
    let version: String
    /// The exit code of the command.
    let code: Int32
    let checks: [Diagnosis]

    init(_ checks: [Diagnosis], host: String = hostName(), version: String = coldrollVersion) {
        self.checks = checks
        self.host = host
        self.version = version
        code = (checks.first { $0.verdict == .failed }?.status ?? .done).code
    }

    /// The same with commands that can be typed as they stand.
    func typable(_ typable: TypableCommands) -> DoctorReport {
        let lines = checks.map { line in
            Diagnosis(
                check: line.check,
                verdict: line.verdict,
                message: typable(line.message),
                fix: line.fix.map { typable($0) },
                status: line.status
            )
        }
        return DoctorReport(lines, host: host, version: version)
    }

    var ending: Ending { Ending(ExitStatus(code: code)) }

    /// One JSON document on one line.
    var json: String { encoded(self) + "\n" }

    /// For a person: a line for each check, and beneath it what to do.
    var text: String {
        let width = Diagnosis.Check.allCases.map(\.rawValue.count).max() ?? 0
        var lines: [String] = []
        for check in checks {
            let word =
                switch check.verdict {
                case .ok: "ok     "
                case .warning: "warning"
                case .failed: "FAILED "
                case .skipped: "-      "
                }
            let name = check.check.rawValue
            let head = "\(word)  \(name)\(String(repeating: " ", count: width - name.count))  "
            let indent = String(repeating: " ", count: head.count)
            let body = check.message.split(separator: "\n").map { harmless(String($0)) }
            lines.append(head + body.joined(separator: "\n" + indent))
            let label = check.verdict == .ok ? "Better: " : "Fix: "
            if let fix = check.fix { lines.append(indent + label + harmless(fix)) }
        }
        let failures = checks.count { $0.verdict == .failed }
        let warnings = checks.count { $0.verdict == .warning }
        lines.append(
            failures > 0
                ? "\(Quantity.counted(Int64(failures), "check")) FAILED."
                : warnings > 0 ? "Nothing failed; see \(Quantity.counted(Int64(warnings), "warning"))." : "All is well."
        )
        return lines.joined(separator: "\n") + "\n"
    }
}
