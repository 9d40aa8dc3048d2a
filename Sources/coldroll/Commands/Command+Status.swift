import Foundation
import JobQueue
import Postgres

extension Command {
    static let status = Command(
        name: "status",
        purpose: "tell what is stored, what waits, how fast it goes and who works",
        details: [
            "Asks the database only, from any host. 'stored' is the sum of original files and of Google's download "
                + "renditions; 'found' is the sum of every place where a part can be. The sums are kept while "
                + "parts come and go, so that a large ledger answers at once; --exact counts them, part by part, says where a kept "
                + "sum was wrong, and corrects it. 'scan' is the newest scan of each source; "
                + "LISTING says what keeps a listing from being complete.",
            "The exit code is 0 if the ledger could be asked; what 'work --drain' would end with is 'verdict.code' of --json.",
        ],
        flags: [
            Flag(
                "--watch",
                .toggle,
                "print it anew every 2 seconds, less often where the sums take long, until interrupted"
            ),
            Flag("--json", .toggle, "one JSON object a line, for programs; docs/status.md lists its keys"),
            Flag("--exact", .toggle, "count every part; half a minute for ten million"),
        ],
        examples: [
            ("coldroll status", "once"),
            ("coldroll status --watch", "until Ctrl-C"),
            ("coldroll status --json", "for programs"),
        ]
    ) { session, arguments in
        let database = try await session.openLedger()
        var screen = StatusScreen(
            asJSON: arguments.has("--json"),
            redraws: arguments.has("--watch") && StandardStream.output.isTerminal,
            typable: session.reporter.typable
        )
        var asked = ContinuousClock.now
        let report = try await StatusReport(database, exact: arguments.has("--exact"))
        let isRead = StandardStream.output.write(screen.text(for: report))
        // Whoever read it is gone: there is nothing to watch for.
        guard arguments.has("--watch"), isRead else { return .done }
        while (try? await Task.sleep(for: Pacing.pause(after: asked.duration(to: .now)))) != nil {
            asked = .now
            do {
                // It may have moved meanwhile: what it left behind stands still.
                try await database.ledger.checkStanding()
                let report = try await StatusReport(database, exact: arguments.has("--exact"))
                guard StandardStream.output.write(screen.text(for: report)) else { return .done }
            } catch let error as PostgresError where error.isTransient {
                session.reporter.warn(error.description)
            }
        }
        return Ending(.interrupted)
    }

    static let failures = Command(
        name: "failures",
        purpose: "list the parts that failed, with their reasons: those given up, and those that will be tried again",
        details: [
            "A dead part waits for a decision: 'coldroll retry PART', 'coldroll accept PART' where Google's copy is smaller "
                + "than reported or ends oddly each time, or 'coldroll skip PART --reason TEXT'."
        ],
        flags: [Flag("--json", .toggle, "one JSON object a line, for programs; docs/status.md lists its keys")],
        examples: [("coldroll failures", "all of them")]
    ) { session, arguments in
        let database = try await session.openLedger()
        let failures = try await database.pool.run(StatusStatements.failures).map(FailedPart.init)
        if arguments.has("--json") {
            StandardStream.output.write(failures.map { encoded($0) + "\n" }.joined())
        } else {
            StandardStream.output.write(
                failures.isEmpty
                    ? "No part failed.\n"
                    : session.reporter.typable(failures.map(\.text).joined() + FailedPart.decisions(failures))
            )
        }
        return .done
    }
}
