import CloudStorage

/// What is to be done with the buckets, before it is done.
struct BucketPlan: Sendable, Equatable {
    /// A bucket as it was found.
    struct Found: Sendable, Equatable {
        let use: BucketUse
        let name: String
        /// nil: there is none.
        let settings: BucketResource?
        /// Whether the credentials may turn public access prevention on.
        var mayPrevent = true
        /// Whether its settings could be read at all; if not, nothing is planned for it.
        var isReadable = true
    }

    enum Action: Sendable, Equatable {
        case make(NewBucket)
        case change(BucketChange, version: Int64?)
    }

    struct Step: Sendable, Equatable {
        let use: BucketUse
        let name: String
        let action: Action
        /// Whether coldroll can do without it.
        let isOptional: Bool
        /// For a person, a line each.
        let words: [String]
    }

    let steps: [Step]
    /// Sentences about what was asked for and cannot be.
    let faults: [String]

    /// Whether a bucket is made.
    var makes: Bool { steps.contains { if case .make = $0.action { true } else { false } } }

    /// Whether something in it must be done, or was asked for.
    var isNeeded: Bool { steps.contains { !$0.isOptional } }

    /// What is to be done so that the buckets found become what was asked for; nothing becomes less safe by it.
    init(_ found: [Found], _ options: BucketOptions) {
        var steps: [Step] = []
        var faults: [String] = []
        let known = found.compactMap { $0.settings?.location?.lowercased() }.first
        let location = options.location ?? known ?? BucketOptions.defaultLocation
        let makes = found.contains { $0.isReadable && $0.settings == nil }
        for bucket in found {
            guard bucket.isReadable else {
                faults += Self.unseen(bucket, makes: makes, options)
                continue
            }
            guard let settings = bucket.settings else {
                steps.append(Self.making(bucket, in: location, options))
                continue
            }
            let (change, complaints) = Self.change(of: settings, bucket, options)
            faults += complaints
            if let change { steps.append(change) }
        }
        self.steps = steps
        self.faults = faults
    }

    /// What was asked for of a bucket whose settings cannot be seen; nothing is changed blindly.
    private static func unseen(_ found: Found, makes: Bool, _ options: BucketOptions) -> [String] {
        var flags: [String] = []
        if found.use == .archive {
            if let days = options.softDeleteDays { flags.append("--soft-delete \(days)") }
            if let days = options.retentionDays { flags.append("--retention \(days)") }
        }
        // Where another bucket is made, that is what a location is for.
        if let location = options.location, !makes { flags.append("--location \(location)") }
        return flags.map {
            "\($0) cannot be seen to in gs://\(found.name): these credentials may not read its settings "
                + "(storage.buckets.get). Leave it out, or run 'coldroll setup' with the login of the bucket's owner."
        }
    }

    private static func making(_ found: Found, in location: String, _ options: BucketOptions) -> Step {
        let isArchive = found.use == .archive
        let new = NewBucket(
            name: found.name,
            location: location,
            storageClass: isArchive ? "ARCHIVE" : "STANDARD",
            // Google's own default: the state store's few small files are worth a week of second thoughts.
            softDeleteDays: isArchive ? options.softDeleteDays ?? BucketJudgement.recommendedSoftDelete : 7,
            retentionDays: isArchive ? options.retentionDays : nil
        )
        return Step(
            use: found.use,
            name: found.name,
            action: .make(new),
            isOptional: false,
            words: BucketWords.making(new, use: found.use)
        )
    }

    private static func change(
        of settings: BucketResource,
        _ found: Found,
        _ options: BucketOptions
    ) -> (Step?, [String]) {
        let url = "gs://\(found.name)"
        var change = BucketChange()
        var faults: [String] = []
        if let location = options.location, let own = settings.location?.lowercased(), own != location {
            faults.append(
                "\(url) is in \(own), and a bucket never moves: leave out --location \(location), or name a new bucket."
            )
        }
        if found.use == .archive {
            let kept = settings.softDeleteDays
            if let days = options.softDeleteDays, days != kept {
                if days > kept {
                    change.softDeleteDays = days
                } else {
                    faults.append(
                        "\(url) keeps what is deleted for \(kept) days, and setup only ever makes that longer: "
                            + "gcloud storage buckets update \(url) "
                            + (days == 0 ? "--clear-soft-delete." : "--soft-delete-duration=\(days)d.")
                    )
                }
            }
            let held = settings.retentionDays
            if let days = options.retentionDays, days != held {
                if settings.isRetentionLocked {
                    faults.append(
                        "\(url) has a locked retention policy of \(held ?? 0) days, which setup leaves alone: leave out "
                            + "--retention."
                    )
                } else if days > held ?? 0 {
                    change.retentionDays = days
                } else {
                    faults.append(
                        "\(url) has a retention policy of \(held ?? 0) days, and setup only ever makes it longer: gcloud "
                            + "storage buckets update \(url) --retention-period=\(days)d."
                    )
                }
            }
        }
        let isAsked = !change.isEmpty
        // Where there are access lists, turning them off is the owner's to decide: the judgement says so.
        if settings.hasUniformAccess == true, !settings.preventsPublicAccess, found.mayPrevent {
            change.preventsPublicAccess = true
        }
        guard !change.isEmpty else { return (nil, faults) }
        let step = Step(
            use: found.use,
            name: found.name,
            action: .change(change, version: settings.version),
            isOptional: !isAsked,
            words: BucketWords.changing(change, of: settings, use: found.use)
        )
        return (step, faults)
    }
}
