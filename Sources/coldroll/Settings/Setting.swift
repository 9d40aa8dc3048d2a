/// One environment variable that coldroll reads; `docs/configuration.md` has the same table, and a test compares them.
struct Setting: Sendable, Equatable {
    let name: String
    /// One phrase, with unit and range where there are any.
    let meaning: String
    /// What holds when it is not set.
    let fallback: String

    init(_ name: String, _ meaning: String, fallback: String) {
        self.name = name
        self.meaning = meaning
        self.fallback = fallback
    }

    static let all: [Setting] = [
        Setting(
            "COLDROLL_DATABASE_URL",
            "libpq URI of the PostgreSQL database that holds the queue and the ledger",
            fallback: "a private PostgreSQL in COLDROLL_HOME"
        ),
        Setting(
            "COLDROLL_LISTEN_URL",
            "direct libpq URI for LISTEN and psql, where the other one goes through a pooler",
            fallback: "COLDROLL_DATABASE_URL"
        ),
        Setting(
            "COLDROLL_HOME",
            "data directory, an absolute path",
            fallback: "~/.local/share/coldroll; as root /var/lib/coldroll"
        ),
        Setting(
            "COLDROLL_ARCHIVE",
            "where photos and videos go: gs://bucket[/prefix] or file:///directory",
            fallback: "archive in COLDROLL_HOME"
        ),
        Setting(
            "COLDROLL_STATE",
            "where the run's date and marker go: gs://bucket[/prefix] or file:///directory, not inside the archive",
            fallback: "state in COLDROLL_HOME"
        ),
        Setting(
            "COLDROLL_SOURCE",
            "what to archive: library, picker or takeout:PATH; this version archives library and picker",
            fallback: "none: scan and run explain the three"
        ),
        Setting("COLDROLL_ACCOUNT", "the owner's label of the Google account", fallback: "default"),
        Setting(
            "COLDROLL_PHOTOS_CREDENTIALS",
            "authorized_user JSON file (client id, client secret, refresh token) for Google Photos, instead of a login by "
                + "coldroll login",
            fallback: "the login in the state store"
        ),
        Setting(
            "GOOGLE_APPLICATION_CREDENTIALS",
            "credentials file for Cloud Storage",
            fallback: "Google's search order: gcloud's file, then the metadata server"
        ),
        Setting(
            "COLDROLL_PROJECT",
            "Google Cloud project in which coldroll setup makes buckets",
            fallback: "GOOGLE_CLOUD_PROJECT, then the project of the credentials"
        ),
        Setting(
            "COLDROLL_SLOTS",
            "transfers at once in one worker: auto, or a whole number from \(SlotCount.range.lowerBound) to "
                + "\(SlotCount.range.upperBound)",
            fallback: "auto"
        ),
        Setting(
            "COLDROLL_KEEP_FAILURES",
            "how long the history of failures is kept, such as 90d, at most 366d; the last failure of a part that is dead or "
                + "tried again stays",
            fallback: "180d"
        ),
        Setting(
            "COLDROLL_BEAT",
            "heartbeat interval of a worker, from \(BeatInterval.range.lowerBound) to \(BeatInterval.range.upperBound) s; six "
                + "missed ones are a death, so it must be the same on all hosts",
            fallback: "5s"
        ),
        Setting(
            "COLDROLL_API_QUOTA",
            "requests a day to the Library API that all coldroll processes of one Google Cloud project may send together",
            fallback: "\(Settings.apiQuota), as Google allows"
        ),
        Setting(
            "COLDROLL_MEDIA_QUOTA",
            "the same for downloads of photos and videos",
            fallback: "\(Settings.mediaQuota), as Google allows"
        ),
        Setting("COLDROLL_PHOTOS_ENDPOINT", "base URL of the Library API", fallback: Settings.photosEndpoint),
        Setting("COLDROLL_PICKER_ENDPOINT", "base URL of the Picker API", fallback: Settings.pickerEndpoint),
        Setting(
            "COLDROLL_OAUTH_ENDPOINT",
            "base URL of the token endpoint, which is /token there",
            fallback: "Google's, or the credentials file's"
        ),
        Setting(
            "STORAGE_EMULATOR_HOST",
            "base URL or host:port of Cloud Storage's JSON API",
            fallback: Settings.storageEndpoint
        ),
        Setting(
            "COLDROLL_KEY_FILE",
            "key that encrypts logins, an absolute path; the same file on every host, readable by its owner only",
            fallback: "key in COLDROLL_HOME, made by coldroll login"
        ),
        Setting(
            "COLDROLL_LISTEN_ADDRESS",
            "IPv4 address and port where coldroll serve listens",
            fallback: "127.0.0.1:8080; on Cloud Run PORT of 0.0.0.0"
        ),
        Setting(
            "COLDROLL_SCHEDULE",
            "when coldroll serve runs by itself: minute, hour, day of the month, month, day of the week, as cron reads them, "
                + "in the time zone that TZ names, else UTC",
            fallback: "never"
        ),
        Setting(
            "COLDROLL_SERVE_AUDIENCE",
            "audience of the identity tokens (OIDC) that may call coldroll serve, with COLDROLL_SERVE_ACCOUNT",
            fallback: "none: no token is taken"
        ),
        Setting(
            "COLDROLL_SERVE_ACCOUNT",
            "e-mail address of the service account whose tokens those are",
            fallback: "none: no token is taken"
        ),
        Setting(
            "COLDROLL_SERVE_SECRET_FILE",
            "file with a secret that may call coldroll serve, an absolute path; readable by its owner only",
            fallback: "none: no secret is taken"
        ),
        Setting(
            "COLDROLL_NOTIFY_URL",
            "https:// URL that is sent a JSON object when a run succeeds, fails or does not happen, and when the login ends; a "
                + "secret",
            fallback: "nobody is told"
        ),
        Setting("SSL_CERT_FILE", "CA bundle in PEM form for every TLS connection", fallback: "the system's"),
    ]
}
