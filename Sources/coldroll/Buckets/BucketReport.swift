import CloudStorage

/// A bucket as Google describes it, and what coldroll makes of that; nothing was changed.
struct BucketReport: Sendable {
    let use: BucketUse
    let bucket: Bucket
    /// nil: there is no such bucket, or its settings may not be read.
    let settings: BucketResource?
    /// Whether there is one; also true where that is all that is known.
    let exists: Bool
    let policy: BucketPolicy?
    /// nil where the service does not know the question.
    let held: Set<String>?
    /// Why something could not be looked at, a sentence.
    let unread: String?

    /// Looks at it.
    ///
    /// - Throws: `StorageError` where nothing of it can be said: no answer, no credentials.
    init(_ use: BucketUse, _ bucket: Bucket) async throws {
        self.use = use
        self.bucket = bucket
        var unread: String?
        var settings: BucketResource?
        var isHidden = false
        do {
            settings = try await bucket.read()
        } catch let error as StorageError where error.code == .denied {
            // Whoever archives needs no right to look at the bucket itself.
            unread = error.message
            isHidden = true
        }
        var policy: BucketPolicy?
        if settings != nil {
            do {
                policy = try await bucket.policy()
            } catch let error as StorageError where error.code == .denied {
                // Where public access is prevented, the policy decides nothing.
                if settings?.preventsPublicAccess != true { unread = error.message }
            }
        }
        var held: Set<String>?
        var isThere = settings != nil || isHidden
        do {
            if isThere { held = try await bucket.held(BucketRights.asked(use)) }
        } catch let error as StorageError where error.code == .noBucket {
            // Who may not look is told "denied" of what is not there as well.
            isThere = false
            unread = nil
        }
        self.held = held
        exists = isThere
        self.settings = settings
        self.policy = policy
        self.unread = unread
    }

    var found: BucketPlan.Found {
        BucketPlan.Found(
            use: use,
            name: bucket.name,
            settings: settings,
            // Cloud Storage docs, "Using public access prevention": it takes both.
            mayPrevent: held?.isSuperset(of: ["storage.buckets.update", "storage.buckets.setIamPolicy"]) ?? true,
            isReadable: settings != nil || !exists
        )
    }

    /// What its owner should know of it.
    var findings: [BucketFinding] {
        settings.map { BucketJudgement.findings($0, policy: policy, use: use, prefix: bucket.prefix) } ?? []
    }

    /// What is to be said of the rights that the credentials have in it.
    func rights(of member: String) -> [BucketFinding] {
        guard exists, let held else { return [] }
        return BucketRights.findings(held: held, use: use, bucket: bucket.name, member: member)
    }

    /// What makes it a place where photos could be lost, or seen by others.
    var refusals: [BucketFinding] { findings.filter { $0.gravity == .refusal } }

    var isUnsafe: Bool { !refusals.isEmpty }

    /// Class, place and protection in a line.
    var summary: String {
        guard let settings else { return exists ? "\(bucket.url) is there." : "There is no bucket \(bucket.url)." }
        var words = [settings.storageClass ?? "no class", settings.location?.lowercased() ?? "no location"]
        words.append(settings.preventsPublicAccess ? "never public" : "public access not prevented")
        words.append(settings.softDeleteDays == 0 ? "no soft delete" : "soft delete \(settings.softDeleteDays) days")
        if let days = settings.retentionDays {
            words.append("retention \(days) days\(settings.isRetentionLocked ? ", locked" : "")")
        }
        return "\(bucket.url): \(words.joined(separator: ", "))."
    }
}

extension BucketUse {
    /// The setting that names it.
    var variable: String { self == .archive ? "COLDROLL_ARCHIVE" : "COLDROLL_STATE" }
}

extension BucketFinding {
    /// Both parts for a person.
    var sentences: String { fix.map { "\(message) \(gravity == .advice ? "Better" : "Fix"): \($0)" } ?? message }

    /// The error that it is, where it is a refusal.
    var failure: CommandFailure { CommandFailure(kind == .missingRights ? .credentials : .usage, sentences) }
}
