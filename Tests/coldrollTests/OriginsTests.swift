import Testing

@testable import coldroll

@Suite struct OriginsTests {
    private func sentences(
        _ environment: [String: String],
        file: (path: String, values: [String: String])? = nil,
        hasLedger: Bool = false
    ) throws -> String {
        let settings = try Settings(
            environment: environment.merging(["HOME": "/home/ada"]) { $1 },
            file: file?.values ?? [:],
            isRoot: false
        )
        return Origins(settings, file: file?.path, hasLedger: hasLedger).sentences
    }

    @Test func `whoever forgets the settings file sees that none was read, and that a private ledger comes of it`()
        throws
    {
        #expect(
            try sentences([:])
                == "No settings file was read (--env-file FILE names one); the environment sets nothing of coldroll's. The ledger is "
                + "a private PostgreSQL in /home/ada/.local/share/coldroll, which is not there yet. Photos go to "
                + "file:///home/ada/.local/share/coldroll/archive."
        )
    }

    @Test func `a file is named, and the variables that are set without one`() throws {
        let file = (
            path: "/etc/coldroll.env",
            values: ["COLDROLL_HOME": "/var/lib/coldroll", "COLDROLL_ARCHIVE": "gs://my-archive"]
        )
        #expect(
            try sentences([:], file: file, hasLedger: true)
                == "Settings are those of /etc/coldroll.env; the environment sets nothing of coldroll's. The ledger is a private PostgreSQL in "
                + "/var/lib/coldroll. Photos go to gs://my-archive."
        )
        // Set to nothing is not set.
        let both = try sentences(
            ["COLDROLL_ARCHIVE": "gs://another", "COLDROLL_HOME": "", "COLDROLL_SOURCE": "library"],
            file: file
        )
        #expect(
            both.hasPrefix(
                "Settings are those of /etc/coldroll.env, but for COLDROLL_ARCHIVE: the environment sets it too, and wins. "
                    + "Beside them it sets COLDROLL_SOURCE. The ledger"
            ),
            "\(both)"
        )
        #expect(both.contains("Photos go to gs://another."), "\(both)")
        let besides = try sentences(["COLDROLL_SOURCE": "library"], file: file)
        #expect(besides.contains(", and of the environment, which sets COLDROLL_SOURCE. The"), "\(besides)")
        let text = try sentences(["COLDROLL_SOURCE": "library", "COLDROLL_ACCOUNT": "ada"])
        #expect(text.contains("the environment sets COLDROLL_ACCOUNT, COLDROLL_SOURCE."), "\(text)")
    }

    @Test(arguments: [
        ("postgresql://ada:hunter2@db.example/coldroll", "(postgresql://ada@db.example/coldroll)"),
        ("host=db.example user=ada password=hunter2", "(host=db.example user=ada)"),
        ("postgresql://ada@db.example/coldroll?sslpassword=hunter2", "of COLDROLL_DATABASE_URL."),
    ])
    func `the database is named without any password`(url: String, words: String) throws {
        let text = try sentences(["COLDROLL_DATABASE_URL": url])
        #expect(text.contains("The ledger is in the database of COLDROLL_DATABASE_URL"), "\(text)")
        #expect(text.contains(words) && !text.contains("hunter2"), "\(text)")
    }
}
