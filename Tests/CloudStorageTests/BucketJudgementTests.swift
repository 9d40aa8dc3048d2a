import CloudStorage
import Foundation
import Testing

/// What a bucket's settings mean, without a bucket.
@Suite struct BucketJudgementTests {
    typealias Kind = BucketFinding.Kind

    /// A bucket as `coldroll setup` makes it, with some of its settings replaced.
    static func bucket(_ changes: String = "{}", use: BucketUse = .archive) throws -> BucketResource {
        let base: [String: Any] = [
            "name": "photos", "location": "EUROPE-NORTH1", "storageClass": use == .archive ? "ARCHIVE" : "STANDARD",
            "metageneration": "3",
            "iamConfiguration": [
                "uniformBucketLevelAccess": ["enabled": true], "publicAccessPrevention": "enforced",
            ],
            "softDeletePolicy": ["retentionDurationSeconds": "2592000"],
        ]
        let changed = try #require(try JSONSerialization.jsonObject(with: Data(changes.utf8)) as? [String: Any])
        let merged = base.merging(changed) { $1 }.filter { !($0.value is NSNull) }
        return try JSONDecoder().decode(BucketResource.self, from: JSONSerialization.data(withJSONObject: merged))
    }

    static func policy(_ role: String, _ member: String) throws -> BucketPolicy {
        let text =
            #"{"bindings":[{"role":"roles/x","members":["user:a@b.c"]},{"role":"\#(role)","members":["\#(member)"]}]}"#
        return try JSONDecoder().decode(BucketPolicy.self, from: Data(text.utf8))
    }

    private static let closed = #"{"bindings":[{"role":"roles/storage.admin","members":["user:a@b.c"]}]}"#

    @Test("a bucket as setup makes it gives nothing to say", arguments: BucketUse.allCases)
    func sound(use: BucketUse) throws {
        let policy = try JSONDecoder().decode(BucketPolicy.self, from: Data(Self.closed.utf8))
        #expect(try BucketJudgement.findings(Self.bucket(use: use), policy: policy, use: use) == [])
        // With public access prevented, a policy that may not be read hides nothing.
        #expect(try BucketJudgement.findings(Self.bucket(use: use), policy: nil, use: use) == [])
    }

    private static let uniform = #""uniformBucketLevelAccess":{"enabled":true}"#

    struct Case: Sendable, CustomTestStringConvertible {
        let use: BucketUse
        let changes: String
        let kind: Kind
        let gravity: BucketFinding.Gravity
        /// Words of the message or the fix.
        let words: [String]
        var testDescription: String { "\(use): \(changes)" }

        init(
            _ use: BucketUse,
            _ changes: String,
            _ kind: Kind,
            _ gravity: BucketFinding.Gravity,
            _ words: String...
        ) {
            (self.use, self.changes, self.kind, self.gravity, self.words) = (use, changes, kind, gravity, words)
        }
    }

    static func rule(_ action: String, _ condition: String) -> String {
        #"{"lifecycle":{"rule":[{"action":\#(action),"condition":\#(condition)}]}}"#
    }

    static let delete = #"{"type":"Delete"}"#

    static let cases = [
        Case(.archive, rule(delete, #"{"age":3650}"#), .lifecycleDeletes, .refusal, "3650 days after the upload"),
        Case(
            .archive,
            rule(delete, #"{"daysSinceCustomTime":7300}"#),
            .lifecycleDeletes,
            .refusal,
            "one of 1998 would be erased at once"
        ),
        Case(
            .archive,
            rule(delete, #"{"customTimeBefore":"2000-01-01"}"#),
            .lifecycleDeletes,
            .refusal,
            "custom time before 2000-01-01",
            "1998"
        ),
        Case(
            .archive,
            rule(delete, #"{"isLive":false}"#),
            .lifecycleDeletes,
            .refusal,
            "deletes objects (old versions)"
        ),
        Case(.archive, rule(delete, #"{"numNewerVersions":2}"#), .lifecycleDeletes, .refusal, "(old versions)"),
        Case(.archive, rule(delete, #"{"daysSinceNoncurrentTime":7}"#), .lifecycleDeletes, .refusal, "(old versions)"),
        Case(
            .archive,
            rule(delete, #"{"noncurrentTimeBefore":"2026-01-01"}"#),
            .lifecycleDeletes,
            .refusal,
            "(old versions)"
        ),
        Case(
            .archive,
            rule(delete, #"{"isLive":true}"#),
            .lifecycleDeletes,
            .refusal,
            "(all that are not old versions)"
        ),
        Case(.state, rule(delete, #"{"isLive":true}"#), .lifecycleDeletes, .refusal, "(all that are not old versions)"),
        // Keeps no version but the newest one if it is 0, so it meets that too.
        Case(.state, rule(delete, #"{"numNewerVersions":0}"#), .lifecycleDeletes, .refusal, "(without a condition)"),
        Case(.archive, rule(delete, "{}"), .lifecycleDeletes, .refusal, "(without a condition)"),
        Case(.archive, rule(delete, "null"), .lifecycleDeletes, .refusal, "(without a condition)"),
        Case(
            .archive,
            rule(delete, #"{"createdBefore":"2027-01-01"}"#),
            .lifecycleDeletes,
            .refusal,
            "(uploaded before 2027-01-01)"
        ),
        Case(
            .archive,
            rule(delete, #"{"matchesSuffix":[".jpg",".mp4"]}"#),
            .lifecycleDeletes,
            .refusal,
            "(names that end with .jpg or .mp4)"
        ),
        Case(
            .archive,
            rule(delete, #"{"matchesStorageClass":["ARCHIVE"]}"#),
            .lifecycleDeletes,
            .refusal,
            "(of the class ARCHIVE)"
        ),
        Case(
            .archive,
            rule(delete, #"{"age":9,"matchesPrefix":["a","b","c","d","e"]}"#),
            .lifecycleDeletes,
            .refusal,
            "(9 days after the upload, names that begin with a, b, c or 2 others)"
        ),
        Case(
            .archive,
            rule(delete, #"{"age":1,"matchesPrefix":["2019"]}"#),
            .lifecycleDeletes,
            .refusal,
            "gs://photos deletes objects"
        ),
        Case(.state, rule(delete, #"{"age":30}"#), .lifecycleDeletes, .refusal, "the state store is in it"),
        Case(
            .archive,
            rule(#"{"type":"SetStorageClass","storageClass":"NEARLINE"}"#, #"{"age":1}"#),
            .lifecycleChangesClass,
            .refusal,
            "to NEARLINE",
            "away from ARCHIVE"
        ),
        Case(
            .state,
            rule(#"{"type":"SetStorageClass","storageClass":"ARCHIVE"}"#, #"{"age":1}"#),
            .lifecycleChangesClass,
            .warning,
            "to ARCHIVE"
        ),
        Case(.archive, #"{"autoclass":{"enabled":true}}"#, .autoclass, .refusal, "--no-enable-autoclass"),
        Case(.archive, #"{"storageClass":"STANDARD"}"#, .storageClass, .warning, "asks for ARCHIVE with each photo"),
        Case(.state, #"{"storageClass":"ARCHIVE"}"#, .storageClass, .warning, "--default-storage-class=STANDARD"),
        Case(
            .state,
            #"{"retentionPolicy":{"retentionPeriod":"86400"}}"#,
            .retention,
            .refusal,
            "of 1 days",
            "--clear-"
        ),
        Case(
            .state,
            #"{"retentionPolicy":{"retentionPeriod":"86400","isLocked":true}}"#,
            .retention,
            .refusal,
            "name another bucket in COLDROLL_STATE"
        ),
        Case(
            .archive,
            #"{"retentionPolicy":{"retentionPeriod":"864000","isLocked":true}}"#,
            .retention,
            .advice,
            "for 10 days"
        ),
        Case(.state, #"{"defaultEventBasedHold":true}"#, .hold, .refusal, "--no-default-event-based-hold"),
        Case(
            .archive,
            #"{"softDeletePolicy":{"retentionDurationSeconds":"604800"}}"#,
            .softDelete,
            .advice,
            "for 7 days",
            "--soft-delete 30"
        ),
        Case(
            .archive,
            #"{"softDeletePolicy":{"retentionDurationSeconds":"0"}}"#,
            .softDelete,
            .warning,
            "gone at once"
        ),
        Case(
            .archive,
            #"{"iamConfiguration":{"uniformBucketLevelAccess":{"enabled":false},"publicAccessPrevention":"inherited"}}"#,
            .accessLists,
            .refusal,
            "any object in it can be made public"
        ),
        Case(
            .archive,
            #"{"iamConfiguration":{"uniformBucketLevelAccess":{"enabled":false},"publicAccessPrevention":"enforced"}}"#,
            .accessLists,
            .warning,
            "--uniform-bucket-level-access"
        ),
        Case(
            .state,
            #"{"iamConfiguration":{\#(uniform),"publicAccessPrevention":"inherited"}}"#,
            .mayBecomePublic,
            .warning,
            "managed folders in it can have policies of their own, which were not looked at",
            "Public access prevention shuts all of them",
            "coldroll setup --yes"
        ),
        Case(
            .archive,
            #"{"billing":{"requesterPays":true}}"#,
            .requesterPays,
            .warning,
            "a project that pays",
            "--no-requester-pays"
        ),
        Case(
            .archive,
            #"{"encryption":{"defaultKmsKeyName":"projects/p/locations/l/keyRings/r/cryptoKeys/k"}}"#,
            .customerKey,
            .warning,
            "own key projects/p/locations/l/keyRings/r/cryptoKeys/k: whoever destroys that key destroys all photos",
            "--clear-default-encryption-key"
        ),
        Case(
            .state,
            #"{"hierarchicalNamespace":{"enabled":true}}"#,
            .folders,
            .warning,
            "whoever renames a folder",
            "COLDROLL_STATE"
        ),
    ]

    @Test("each fault of a bucket has its sentence and its fix", arguments: cases)
    func fault(of test: Case) throws {
        let policy = try JSONDecoder().decode(BucketPolicy.self, from: Data(Self.closed.utf8))
        let bucket = try Self.bucket(test.changes, use: test.use)
        let findings = BucketJudgement.findings(bucket, policy: policy, use: test.use)
        try #require(findings.count == 1, "\(findings)")
        #expect(findings[0].kind == test.kind)
        #expect(findings[0].gravity == test.gravity)
        #expect(findings[0].message.contains("gs://photos"))
        let text = "\(findings[0].message) \(findings[0].fix ?? "")"
        for words in test.words { #expect(text.contains(words), "\(text)") }
        if test.gravity != .advice { #expect(findings[0].fix != nil) }
    }

    static let harmless: [(BucketUse, String)] = [
        (.archive, rule(#"{"type":"AbortIncompleteMultipartUpload"}"#, #"{"age":7}"#)),
        (.archive, rule(#"{"type":"SetStorageClass","storageClass":"ARCHIVE"}"#, #"{"age":1}"#)),
        (.archive, rule(delete, #"{"age":1,"matchesPrefix":["logs/","cold-logs/"]}"#)),
        (.state, rule(delete, #"{"isLive":false,"age":9}"#)),
        (.state, rule(delete, #"{"numNewerVersions":3}"#)),
        (.state, rule(delete, #"{"daysSinceNoncurrentTime":3}"#)),
        (.state, #"{"autoclass":{"enabled":true}}"#),
        (.archive, #"{"retentionPolicy":{"retentionPeriod":"864000"}}"#),
        (.archive, #"{"defaultEventBasedHold":true}"#),
        (.state, #"{"softDeletePolicy":{"retentionDurationSeconds":"0"}}"#),
        (.archive, #"{"billing":{"requesterPays":false},"encryption":{},"hierarchicalNamespace":{"enabled":false}}"#),
    ]

    @Test("what harms nobody is not complained of", arguments: harmless)
    func untouched(use: BucketUse, changes: String) throws {
        let findings = try BucketJudgement.findings(
            Self.bucket(changes, use: use),
            policy: nil,
            use: use,
            prefix: "cold/"
        )
        #expect(findings == [], "\(findings)")
    }

    @Test func aRuleForAPartOfThePrefixOrForAllOfItIsARuleForTheArchive() throws {
        for prefix in ["cold/", "cold/2019", "c"] {
            let bucket = try Self.bucket(Self.rule(Self.delete, #"{"age":1,"matchesPrefix":["\#(prefix)"]}"#))
            let kinds = BucketJudgement.findings(bucket, policy: nil, use: .archive, prefix: "cold/").map(\.kind)
            #expect(kinds == [.lifecycleDeletes], "\(prefix)")
        }
    }

    /// To Swift `e` and an accent are one character, and `/` with one is no slash; Cloud Storage sees bytes.
    @Test(arguments: [
        ("fotos-e", "fotos-e\u{301}/", true), ("fotos-e\u{301}/\u{301}x", "fotos-e\u{301}/", true),
        ("fotos-\u{e9}", "fotos-e\u{301}/", false),
    ])
    func prefixesAreComparedByTheirBytes(matched: String, prefix: String, isMet: Bool) throws {
        let rule = #"{"age":1,"matchesPrefix":["\#(matched)"]}"#
        let bucket = try Self.bucket(Self.rule(Self.delete, rule))
        let findings = BucketJudgement.findings(bucket, policy: nil, use: .archive, prefix: prefix)
        #expect(findings.map(\.kind) == (isMet ? [.lifecycleDeletes] : []))
    }

    private static let open = #"{"iamConfiguration":{\#(uniform),"publicAccessPrevention":"inherited"}}"#

    @Test("a bucket that everybody may read is public", arguments: ["allUsers", "allAuthenticatedUsers"])
    func everybody(member: String) throws {
        let policy = try Self.policy("roles/storage.objectViewer", member)
        let findings = try BucketJudgement.findings(Self.bucket(Self.open), policy: policy, use: .archive)
        #expect(findings.map(\.kind) == [.isPublic])
        #expect(findings.first?.gravity == .refusal)
        #expect(findings.first?.message == "gs://photos is public: \(member) has roles/storage.objectViewer.")
        #expect(
            findings.first?.fix?.contains("--member=\(member) --role=roles/storage.objectViewer") == true
        )
        // Google does not let them in where public access is prevented.
        #expect(try BucketJudgement.findings(Self.bucket(), policy: policy, use: .archive) == [])
    }

    @Test func eachWayInIsNamedAndShutWithConditionsToo() throws {
        let text = """
            {"bindings":[{"role":"roles/a","members":["allUsers","allAuthenticatedUsers"]},
            {"role":"roles/b","members":["allUsers"],"condition":{"title":"t","expression":"true"}},
            {"role":"roles/b","members":["allUsers"]}]}
            """
        let policy = try JSONDecoder().decode(BucketPolicy.self, from: Data(text.utf8))
        let finding = try #require(
            BucketJudgement.findings(Self.bucket(Self.open), policy: policy, use: .archive).first
        )
        #expect(
            finding.message
                == "gs://photos is public: allUsers has roles/a, allAuthenticatedUsers has roles/a, allUsers has roles/b under a "
                + "condition."
        )
        let removal = "gcloud storage buckets remove-iam-policy-binding gs://photos"
        #expect(
            finding.fix
                == "gcloud storage buckets update gs://photos --public-access-prevention, then "
                + "\(removal) --member=allUsers --role=roles/a, then \(removal) --member=allAuthenticatedUsers --role=roles/a, "
                + "then \(removal) --member=allUsers --role=roles/b --all"
        )
    }

    @Test func aPolicyThatMayNotBeReadIsNotTakenForAClosedOne() throws {
        let findings = try BucketJudgement.findings(Self.bucket(Self.open), policy: nil, use: .archive)
        #expect(findings.map(\.kind) == [.unknownReaders])
        #expect(findings.first?.gravity == .warning)
    }

    @Test func theGravestComesFirst() throws {
        let bucket = try Self.bucket(
            #"{"storageClass":"NEARLINE","autoclass":null,"softDeletePolicy":{"retentionDurationSeconds":"604800"},"iamConfiguration":{"uniformBucketLevelAccess":{"enabled":false}}}"#
        )
        let gravities = BucketJudgement.findings(bucket, policy: nil, use: .archive).map(\.gravity)
        #expect(gravities == [.refusal, .warning, .advice])
    }

    // MARK: Rights

    @Test("each permission that is missing is named with the command that gives it", arguments: BucketUse.allCases)
    func missing(use: BucketUse) {
        for permission in BucketRights.needed(use) {
            let held = Set(BucketRights.needed(use)).subtracting([permission])
            let findings = BucketRights.findings(held: held, use: use, bucket: "photos", member: "serviceAccount:a@b.c")
            #expect(findings.map(\.kind) == [.missingRights])
            #expect(findings.first?.gravity == .refusal)
            #expect(findings.first?.message.contains("they lack \(permission).") == true)
            #expect(findings.first?.fix?.contains("gs://photos --member=serviceAccount:a@b.c --role=roles/") == true)
        }
    }

    @Test func rightsThatSufficeAreNotComplainedOfAndMoreInTheArchiveIs() {
        let needed = Set(BucketRights.needed(.archive))
        #expect(!needed.contains("storage.objects.delete"))
        #expect(BucketRights.needed(.state).contains("storage.objects.delete"))
        for use in BucketUse.allCases {
            let held = Set(BucketRights.needed(use))
            #expect(BucketRights.findings(held: held, use: use, bucket: "b", member: "m") == [])
        }
        for permission in [
            "storage.objects.delete", "storage.objects.move", "storage.objects.setIamPolicy", "storage.folders.delete",
            "storage.buckets.update",
        ] {
            #expect(BucketRights.asked(.archive).contains(permission))
            let more = BucketRights.findings(
                held: needed.union([permission]),
                use: .archive,
                bucket: "photos",
                member: "m"
            )
            #expect(more.map(\.kind) == [.excessRights])
            #expect(more.first?.gravity == .advice)
            #expect(more.first?.message.contains(permission) == true)
        }
        #expect(BucketRights.asked(.archive).count == Set(BucketRights.asked(.archive)).count)
    }
}
