/// What `coldroll setup` was told about buckets.
struct BucketOptions: Sendable, Equatable {
    /// Finland: one of the locations where the Archive class is cheapest.
    static let defaultLocation = "europe-north1"

    /// nil: nobody said.
    var location: String?
    var softDeleteDays: Int?
    var retentionDays: Int?
    var project: String?
    /// Whether everything was agreed to beforehand.
    var isAgreed = false
    /// Whether the plan is only shown.
    var isDry = false

    static let flags = [
        Flag("--yes", .toggle, "make and change buckets as planned without asking"),
        Flag(
            "--dry-run",
            .toggle,
            "show what would be done with the buckets, and whether the ledger takes the archive; change nothing"
        ),
        Flag(
            "--location",
            .cloudName("LOCATION"),
            "where new buckets are",
            fallback: "that of the other bucket, else \(defaultLocation)"
        ),
        Flag(
            "--project",
            .cloudName("ID"),
            "project of new buckets",
            fallback: "that of the credentials",
            variable: "COLDROLL_PROJECT"
        ),
        // Cloud Storage docs, "Soft delete": 7 to 90 days, 0 turns it off.
        Flag(
            "--soft-delete",
            .days(7...90, orZero: true),
            "how long what somebody deletes from the archive can be restored; 0 for a new bucket turns it off",
            fallback: "30 for a new archive"
        ),
        // Cloud Storage docs, "Bucket Lock": less than 100 years.
        Flag(
            "--retention",
            .days(1...36_524, orZero: false),
            "for how long nobody can delete what is stored in the archive; the policy is never locked",
            fallback: "none"
        ),
    ]

    init() {}

    init(_ arguments: Arguments) {
        location = arguments.value("--location")?.lowercased()
        softDeleteDays = arguments.value("--soft-delete").flatMap { Int($0) }
        retentionDays = arguments.value("--retention").flatMap { Int($0) }
        project = arguments.value("--project")
        isAgreed = arguments.has("--yes")
        isDry = arguments.has("--dry-run")
    }
}
