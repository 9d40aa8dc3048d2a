extension Command {
    static let scan = Command(
        name: "scan",
        purpose: "find what is in the library, or let a person pick, and queue what the ledger does not know",
        details: [
            "Reads the whole list of the source, page by page, and records items, parts and jobs. A scan that was broken "
                + "off goes on where it stood. Known items cost nothing.",
            "With --since or --until only photos taken in that range are listed: new uploads of older photos stay unseen, "
                + "so this does not count as a full scan.",
            "A full scan that misses more of the known items than deletions explain (more than half; a hundred and more "
                + "than a tenth; ten that are no younger than all that it saw; or ten where a page came empty) is suspicious: what "
                + "it found is stored, and the exit code is 2 until a scan sees them, or you say that you deleted them.",
            "With --source picker it shows the link and the QR code of a page of Google's, and lists what you pick there. At a "
                + "terminal it asks whether you want to pick more, since a page takes 2,000 photos and videos at most; without "
                + "one the link is in the log. A scan that was broken off goes on with the same page. What was picked can be "
                + "fetched until the picking session expires, so let a worker follow soon.",
        ],
        flags: [Source.flag] + DayRange.flags + [Pass.orderFlag, Pass.acceptsGapsFlag],
        examples: [
            ("coldroll scan", "one full pass"),
            ("coldroll scan --since 2024-01-01", "photos taken since then"),
            ("coldroll scan --accept-gaps", "after you deleted much of the library from Google"),
            ("coldroll scan --source picker", "pick photos and videos by hand"),
        ],
        need: .everything,
        output: .events,
        interruption: .graceful
    ) { session, arguments in
        let pass = try Pass(arguments, of: session.settings.source)
        let archive = try await session.openArchive()
        return try await ArchiverCalls.scan(archive, pass, stop: session.stop, reporter: session.reporter)
    }

    static let work = Command(
        name: "work",
        purpose: "download and store what is queued, until stopped",
        details: [
            "Any number of workers on any number of hosts may work at once. SIGTERM or Ctrl-C finishes or gives back what "
                + "is in hand; a second one gives it back at once.",
            "With --drain it waits for parts that are scheduled, and for those in a lane that is paused or parked: it says so, and "
                + "ends once the lane is open ('coldroll resume', or the end of the pause) and empty, or with 5 after --max-wait.",
        ],
        flags: [
            Source.flag,
            Flag("--drain", .toggle, "end when no job of the source is left, running and scheduled ones included"),
            WorkOptions.maxWaitFlag, WorkOptions.slotsFlag, WorkOptions.motionFlag,
        ],
        examples: [
            ("coldroll work", "a worker that stays"),
            ("coldroll work --drain --max-wait 2h", "until all is done, or nothing could be done for two hours"),
            ("coldroll work --slots 16", "sixteen transfers at once"),
        ],
        need: .everything,
        output: .events,
        interruption: .graceful
    ) { session, arguments in
        let options = WorkOptions(arguments, session.settings, drain: arguments.has("--drain"))
        let archive = try await session.openArchive()
        return try await ArchiverCalls.work(archive, options, stop: session.stop, reporter: session.reporter)
    }

    static let run = Command(
        name: "run",
        purpose: "scan, work until all is done, record the run: for cron and systemd",
        details: [
            "A run that ends well writes its date to the state store. Runs of several hosts join. The exit code says "
                + "whether everything found is stored.",
            "An archive's bucket in which photos could be lost or seen by others is refused, as by 'coldroll setup', before "
                + "anything is stored, as long as the credentials may look at it (storage.buckets.get).",
            "With --source picker it archives what you pick in Google's page: see 'coldroll scan --help'. When nobody picks "
                + "in time it archives what was picked before, and ends with 5. One that was broken off while it worked is gone on "
                + "with before a new page is shown.",
        ],
        flags: [Source.flag] + DayRange.flags + [
            Pass.orderFlag, Pass.acceptsGapsFlag, WorkOptions.maxWaitFlag, WorkOptions.slotsFlag,
            WorkOptions.motionFlag,
        ],
        examples: [
            ("coldroll run", "the whole library"),
            ("coldroll run --source picker", "pick photos and videos by hand"),
            ("coldroll run --env-file /etc/coldroll.env", "with settings from a file"),
        ],
        need: .everything,
        output: .events,
        interruption: .graceful
    ) { session, arguments in
        let pass = try Pass(arguments, of: session.settings.source)
        let options = WorkOptions(arguments, session.settings, drain: true)
        return try await session.telling { opened in
            let archive = try await session.openArchive()
            opened(archive)
            return try await ArchiverCalls.run(archive, pass, options, stop: session.stop, reporter: session.reporter)
        }
    }
}
