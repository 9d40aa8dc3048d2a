extension Command {
    static let listenFlag = Flag(
        "--listen",
        .address,
        "where to listen; port 0 is any that is free",
        fallback: "127.0.0.1:8080",
        variable: "COLDROLL_LISTEN_ADDRESS"
    )

    static let scheduleFlag = Flag(
        "--schedule",
        .schedule,
        "run by itself at these times, as cron reads them, in UTC unless TZ names another zone",
        fallback: "when called only",
        variable: "COLDROLL_SCHEDULE"
    )

    static let serve = Command(
        name: "serve",
        purpose: "stay, and run when called over HTTP or when a schedule says so",
        details: [
            "POST /run asks for a run and answers its number at once; one that waits or goes on is joined, on whichever host. "
                + "The caller shows a bearer token: an identity token of Google's (COLDROLL_SERVE_AUDIENCE and "
                + "COLDROLL_SERVE_ACCOUNT, for Cloud Scheduler), or the secret of COLDROLL_SERVE_SECRET_FILE.",
            "GET /healthz says that the process lives, /readyz that the database answers too, /metrics has numbers for "
                + "Prometheus: docs/serve.md.",
            "With --schedule one of all hosts with the same ledger runs when it is time. What was missed while none was there is "
                + "made up for once. A run that the network, the database or a quota ended is tried again after 15 minutes.",
            "SIGTERM or Ctrl-C gives back what is in hand, and leaves the run to another host; a second one does so at once.",
        ],
        flags: [
            Source.flag, listenFlag, scheduleFlag,
            Flag("--force", .toggle, "take a schedule that the login of an app in testing will not live to see"),
            Pass.orderFlag,
            Flag(
                "--max-wait",
                .span,
                "with work left to do, end a run after SPAN all the same; it is told, and tried again 15 minutes later",
                fallback: "1d"
            ),
            WorkOptions.slotsFlag, WorkOptions.motionFlag,
        ],
        examples: [
            ("coldroll serve --schedule '0 3 1 * *'", "on the first of each month at three, UTC"),
            ("coldroll serve --schedule '30 2 * * sun'", "each Sunday at half past two, by the clock of TZ"),
            ("coldroll serve --listen 0.0.0.0:8080", "reachable from other hosts: put TLS in front of it"),
        ],
        need: .everything,
        output: .events,
        interruption: .graceful
    ) { session, arguments in
        try await Serving(session, arguments).serve(isForced: arguments.has("--force"))
    }
}
