/// What a bucket's settings mean for what coldroll keeps in it; looks at nothing but what it is given.
package struct BucketJudgement: Sendable {
    /// Days of soft delete that coldroll recommends for photos: a month, in which somebody looks at the archive once.
    package static let recommendedSoftDelete = 30

    private let bucket: BucketResource
    private let use: BucketUse
    private let prefix: String
    private let url: String

    /// What the owner should know of a bucket, the gravest first.
    ///
    /// - Parameters:
    ///   - bucket: its settings.
    ///   - policy: who may use it; nil where that may not be read.
    ///   - use: what it is for.
    ///   - prefix: below which the store is; empty, or ends with a slash.
    /// - Returns: empty if there is nothing to say.
    package static func findings(
        _ bucket: BucketResource,
        policy: BucketPolicy?,
        use: BucketUse,
        prefix: String = ""
    ) -> [BucketFinding] {
        let judgement = BucketJudgement(bucket: bucket, use: use, prefix: prefix, url: "gs://\(bucket.name)")
        let all =
            judgement.readers(policy) + judgement.lifecycle + judgement.classes + judgement.retention
            + judgement.softDelete + judgement.oddities
        return [.refusal, .warning, .advice].flatMap { gravity in all.filter { $0.gravity == gravity } }
    }

    /// A state store in the archive's own bucket; nil where they are apart.
    package static func sharing(archive: Bucket, state: Bucket) -> BucketFinding? {
        guard archive.name == state.name else { return nil }
        return BucketFinding(
            .sameBucket,
            .refusal,
            "The state store is in the archive's own bucket \(archive.url): it must be overwritten, which takes the right to "
                + "delete, and nothing of coldroll's should have that in the archive.",
            fix: "Name another bucket in COLDROLL_STATE."
        )
    }

    private func readers(_ policy: BucketPolicy?) -> [BucketFinding] {
        var findings: [BucketFinding] = []
        let everybody = policy?.everybody ?? []
        if !everybody.isEmpty, !bucket.preventsPublicAccess {
            let roles = everybody.map { grant in
                "\(grant.member) has \(grant.role)\(grant.isConditional ? " under a condition" : "")"
            }
            // gcloud asks which of them is meant where there are conditions; --all is each.
            let removals = everybody.map { grant in
                "gcloud storage buckets remove-iam-policy-binding \(url) --member=\(grant.member) --role=\(grant.role)"
                    + (grant.isConditional ? " --all" : "")
            }
            findings.append(
                BucketFinding(
                    .isPublic,
                    .refusal,
                    "\(url) is public: \(roles.joined(separator: ", ")).",
                    fix: "gcloud storage buckets update \(url) --public-access-prevention, then "
                        + removals.joined(separator: ", then ")
                )
            )
        }
        switch (bucket.hasUniformAccess, bucket.preventsPublicAccess) {
        case (false?, false):
            findings.append(
                BucketFinding(
                    .accessLists,
                    .refusal,
                    "\(url) has access control lists and no public access prevention: any object in it can be made public on "
                        + "its own.",
                    fix: "gcloud storage buckets update \(url) --uniform-bucket-level-access --public-access-prevention"
                )
            )
        case (false?, true):
            findings.append(
                BucketFinding(
                    .accessLists,
                    .warning,
                    "\(url) has access control lists, so who may read an object is not said by the bucket alone.",
                    fix: "gcloud storage buckets update \(url) --uniform-bucket-level-access"
                )
            )
        case (_, false) where everybody.isEmpty && policy == nil:
            findings.append(
                BucketFinding(
                    .unknownReaders,
                    .warning,
                    "Whether \(url) is public was not seen: these credentials may not read its policy, and public access "
                        + "prevention is off.",
                    fix: "gcloud storage buckets update \(url) --public-access-prevention"
                )
            )
        case (_, false) where everybody.isEmpty:
            findings.append(
                BucketFinding(
                    .mayBecomePublic,
                    .warning,
                    "The policy of \(url) lets nobody in without a name, but nothing keeps anybody from changing that, and "
                        + "managed folders in it can have policies of their own, which were not looked at. Public access "
                        + "prevention shuts all of them, and costs nothing.",
                    fix: "'coldroll setup --yes', or gcloud storage buckets update \(url) --public-access-prevention"
                )
            )
        default: break
        }
        return findings
    }

    private var lifecycle: [BucketFinding] {
        (bucket.lifecycle?.rule ?? []).filter { $0.canMeet(prefix: prefix) }.compactMap { rule in
            switch rule.action?.type {
            case "Delete" where use == .archive || !rule.isForOldVersions: deleting(rule)
            case "SetStorageClass": changingClass(rule)
            default: nil
            }
        }
    }

    private func deleting(_ rule: LifecycleRule) -> BucketFinding {
        let photos =
            rule.goesByCustomTime && use == .archive
            ? " The custom time is when a photo was taken: one of 1998 would be erased at once." : ""
        return BucketFinding(
            .lifecycleDeletes,
            .refusal,
            "A lifecycle rule of \(url) deletes objects (\(rule.when)), and the \(use.words) is in it.\(photos)",
            fix: "Remove the rule in the console or by gcloud storage buckets update \(url) --lifecycle-file=FILE "
                + "(--clear-lifecycle removes all rules)"
        )
    }

    private func changingClass(_ rule: LifecycleRule) -> BucketFinding? {
        let name = rule.action?.storageClass ?? "another class"
        let wanted = use == .archive ? "ARCHIVE" : "STANDARD"
        guard name != wanted else { return nil }
        return BucketFinding(
            .lifecycleChangesClass,
            use == .archive ? .refusal : .warning,
            "A lifecycle rule of \(url) changes the class of objects to \(name) (\(rule.when)), "
                + (use == .archive
                    ? "away from ARCHIVE." : "where each change of the state store is charged for a minimum time."),
            fix: "Remove the rule in the console or by gcloud storage buckets update \(url) --lifecycle-file=FILE "
                + "(--clear-lifecycle removes all rules)"
        )
    }

    private var classes: [BucketFinding] {
        if use == .archive, bucket.autoclass?.enabled == true {
            return [
                BucketFinding(
                    .autoclass,
                    .refusal,
                    "\(url) has Autoclass, which stores every photo as STANDARD first, at sixteen times the price, and charges "
                        + "for each object.",
                    fix: "gcloud storage buckets update \(url) --no-enable-autoclass"
                )
            ]
        }
        guard let name = bucket.storageClass, name != (use == .archive ? "ARCHIVE" : "STANDARD") else { return [] }
        return [
            BucketFinding(
                .storageClass,
                .warning,
                use == .archive
                    ? "\(url) is of the class \(name). coldroll asks for ARCHIVE with each photo; whatever else comes into it "
                        + "costs more to keep."
                    : "\(url) is of the class \(name), where each change of the state store is charged for a minimum time.",
                fix: "gcloud storage buckets update \(url) --default-storage-class="
                    + (use == .archive ? "ARCHIVE" : "STANDARD")
            )
        ]
    }

    private var retention: [BucketFinding] {
        switch use {
        case .archive:
            guard let days = bucket.retentionDays, bucket.isRetentionLocked else { return [] }
            return [
                BucketFinding(
                    .retention,
                    .advice,
                    "\(url) has a locked retention policy: what is stored cannot be deleted, by anybody, for \(days) days, and "
                        + "costs what it costs.",
                    fix: nil
                )
            ]
        case .state:
            var findings: [BucketFinding] = []
            if let days = bucket.retentionDays {
                findings.append(
                    BucketFinding(
                        .retention,
                        .refusal,
                        "\(url) has a retention policy of \(days) days: coldroll could not overwrite its marker.",
                        fix: bucket.isRetentionLocked
                            ? "It is locked for good: name another bucket in COLDROLL_STATE."
                            : "gcloud storage buckets update \(url) --clear-retention-period"
                    )
                )
            }
            if bucket.defaultEventBasedHold == true {
                findings.append(
                    BucketFinding(
                        .hold,
                        .refusal,
                        "\(url) puts a hold on every new object: coldroll could not overwrite its marker.",
                        fix: "gcloud storage buckets update \(url) --no-default-event-based-hold"
                    )
                )
            }
            return findings
        }
    }

    /// What Google has for other purposes, and what it means here.
    private var oddities: [BucketFinding] {
        var findings: [BucketFinding] = []
        if bucket.billing?.requesterPays == true {
            findings.append(
                BucketFinding(
                    .requesterPays,
                    .warning,
                    "\(url) has requester pays: who uses it must name a project that pays, which coldroll does not, so Google "
                        + "refuses it unless its account may charge the bucket's own project.",
                    fix: "gcloud storage buckets update \(url) --no-requester-pays"
                )
            )
        }
        if let key = bucket.encryption?.defaultKmsKeyName {
            findings.append(
                BucketFinding(
                    .customerKey,
                    .warning,
                    "\(url) encrypts what is stored by your own key \(key): whoever destroys that key destroys "
                        + (use == .archive ? "all photos, for good." : "the state store."),
                    fix:
                        "Guard the key like the bucket, or let Google's own serve what is stored from now on: gcloud storage "
                        + "buckets update \(url) --clear-default-encryption-key"
                )
            )
        }
        if bucket.hierarchicalNamespace?.enabled == true {
            findings.append(
                BucketFinding(
                    .folders,
                    .warning,
                    "\(url) has a hierarchical namespace: whoever renames a folder in it moves all that is below, and coldroll no "
                        + "longer finds it under the name in its ledger.",
                    fix: "It cannot be turned off: name a bucket without one in "
                        + (use == .archive ? "COLDROLL_ARCHIVE" : "COLDROLL_STATE") + ", or rename nothing in this one."
                )
            )
        }
        return findings
    }

    private static let softDeleteCost =
        "Soft delete costs nothing until somebody deletes: then what is kept is charged for."

    private var softDelete: [BucketFinding] {
        let days = bucket.softDeleteDays
        guard use == .archive, days < Self.recommendedSoftDelete else { return [] }
        let wanted = Self.recommendedSoftDelete
        return [
            BucketFinding(
                .softDelete,
                days == 0 ? .warning : .advice,
                days == 0
                    ? "\(url) has no soft delete: what somebody deletes there by mistake is gone at once. \(Self.softDeleteCost)"
                    : "\(url) keeps what somebody deletes there for \(days) days; \(wanted) give a month to notice. "
                        + Self.softDeleteCost,
                fix: "'coldroll setup --soft-delete \(wanted)'"
            )
        ]
    }
}
