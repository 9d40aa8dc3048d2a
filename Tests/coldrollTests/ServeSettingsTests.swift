import Testing

@testable import coldroll

@Suite struct ServeSettingsTests {
    private func settings(
        _ environment: [String: String],
        listen: String? = nil,
        schedule: String? = nil
    ) throws -> Settings {
        try Settings(
            environment: ["HOME": "/home/ada"].merging(environment) { $1 },
            listen: listen,
            schedule: schedule,
            isRoot: false,
            isReadable: { _ in true }
        )
    }

    private func faults(_ environment: [String: String]) -> [String] {
        do {
            _ = try settings(environment)
            return []
        } catch {
            return (error as? SettingsError)?.faults ?? ["\(error)"]
        }
    }

    @Test func `it listens on loopback unless it is told otherwise`() throws {
        func address(_ environment: [String: String], _ flag: String? = nil) throws -> String {
            let listen = try settings(environment, listen: flag).serve.listen
            return "\(listen.host):\(listen.port)"
        }
        #expect(try address([:]) == "127.0.0.1:8080")
        // A PORT of somebody else's opens nothing to the network; Cloud Run's does.
        #expect(try address(["PORT": "9000"]) == "127.0.0.1:8080")
        #expect(try address(["PORT": "9000", "K_SERVICE": "archive"]) == "0.0.0.0:9000")
        #expect(
            try address(["PORT": "9000", "K_SERVICE": "a", "COLDROLL_LISTEN_ADDRESS": "10.0.0.1:80"]) == "10.0.0.1:80"
        )
        #expect(try address(["COLDROLL_LISTEN_ADDRESS": "10.0.0.1:80"], "localhost:0") == "127.0.0.1:0")
    }

    @Test(arguments: [
        "8080", ":8080", "127.0.0.1", "127.0.0.1:", "127.0.0.1:65536", "127.0.0.1:-1", "127.0.0:1", "127.0.0.256:1",
        "1.2.3.4.5:1", "host:1", "[::1]:80", "127.0.0.1:80:80", "127.0.0.1:+1", " 127.0.0.1:1", "",
    ])
    func `what is no address is refused`(_ text: String) {
        #expect(ListenAddress(text) == nil)
    }

    @Test func `each fault of what serve is told is a sentence, without secrets`() {
        #expect(
            faults(["COLDROLL_LISTEN_ADDRESS": "8080"]) == [
                "COLDROLL_LISTEN_ADDRESS is '8080'; expected an IPv4 address and a port, such as 127.0.0.1:8080"
            ]
        )
        #expect(
            faults(["COLDROLL_SCHEDULE": "monthly"]).first?.hasPrefix("COLDROLL_SCHEDULE is 'monthly'; expected five")
                == true
        )
        #expect(faults(["COLDROLL_SCHEDULE": "0 3 1 * *", "TZ": "Mars/Olympus"]) == [WallClock.complaint])
        #expect(faults(["TZ": "Mars/Olympus"]) == [], "nothing here asks for the time")
        #expect(faults(["COLDROLL_SERVE_AUDIENCE": "x"]).first?.contains("without COLDROLL_SERVE_ACCOUNT") == true)
        #expect(faults(["COLDROLL_SERVE_ACCOUNT": "a@b"]).first?.contains("without COLDROLL_SERVE_AUDIENCE") == true)
        #expect(faults(["COLDROLL_SERVE_AUDIENCE": "x", "COLDROLL_SERVE_ACCOUNT": "ab"]).count == 1)
        #expect(faults(["COLDROLL_SERVE_SECRET_FILE": "secret"]).first?.contains("absolute path") == true)
        for url in [
            "http://hooks.example/SECRET", "ftp://127.0.0.1/SECRET", "SECRET", "https://u:SECRET@h/", "https:///SECRET",
        ] {
            let fault = faults(["COLDROLL_NOTIFY_URL": url])
            #expect(fault.count == 1 && !fault[0].contains("SECRET"), "\(url)")
        }
        for url in ["https://hooks.example/a?b=c", "http://127.0.0.1:9/x", "http://localhost/x"] {
            #expect(faults(["COLDROLL_NOTIFY_URL": url]) == [])
        }
    }

    @Test func `the flag of the schedule wins, and the zone is that of TZ`() throws {
        let settings = try settings(
            ["COLDROLL_SCHEDULE": "0 0 * * *", "TZ": "Europe/Helsinki"],
            schedule: "0  3 1 * *"
        )
        #expect(settings.serve.schedule?.expression == "0 3 1 * *")
        #expect(settings.serve.schedule?.clock.name == "Europe/Helsinki")
        #expect(try self.settings([:]).serve.schedule == nil)
    }

    @Test func `a run of serve has the time that its help names`() throws {
        let flag = try #require(Command.serve.flags.first { $0.name == WorkOptions.maxWaitFlag.name })
        #expect(flag.fallback.flatMap(Span.init)?.duration == Serving.longestRun)
    }
}
