import CloudStorage
import HTTPClient

/// Makes the buckets of both stores or checks those that are there; each step is told.
struct BucketSetup {
    let session: Session
    let http: HTTPClient
    let options: BucketOptions
    let buckets: [(use: BucketUse, bucket: Bucket)]

    init(_ session: Session, _ http: HTTPClient, _ options: BucketOptions) throws {
        self.session = session
        self.http = http
        self.options = options
        buckets = try session.openBuckets(http)
    }

    /// Looks, shows what is to be done, asks, does it, looks again.
    ///
    /// - Throws: what keeps it from looking or doing.
    func run() async throws -> Outcome {
        switch try await look() {
        case .refused(let outcome): return outcome
        case .planned(let plan, let before):
            guard !before.isEmpty else { return Outcome() }
            let after = try await carryOut(plan) ? try await reports() : before
            return Outcome(
                reasons: tell(after, await session.storageIdentity(http)),
                isUnsafe: after.contains(where: \.isUnsafe)
            )
        }
    }

    /// Shows what `run` would do; asks for nothing and changes nothing.
    ///
    /// - Returns: every reason for which the buckets cannot be used as they are.
    func show() async throws -> [any Error] {
        switch try await look() {
        case .refused(let outcome): return outcome.reasons
        case .planned(let plan, _):
            tell(plan)
            if plan.makes { tellOwner(try await project()) }
            session.reporter.say(plan.steps.isEmpty ? "There is nothing to do with the buckets." : "Nothing was done.")
            return []
        }
    }

    /// How the buckets are.
    struct Outcome {
        /// Every reason for which they cannot be used as they are; empty if they can.
        var reasons: [any Error] = []
        /// Whether photos could be lost in them, or seen by others.
        var isUnsafe = false
    }

    private enum Look {
        case refused(Outcome)
        case planned(BucketPlan, [BucketReport])
    }

    private func look() async throws -> Look {
        if let failure = askedForDirectories { return .refused(Outcome(reasons: [failure])) }
        if let sharing { return .refused(Outcome(reasons: [sharing.failure], isUnsafe: true)) }
        let found = try await reports()
        let unsafe = found.flatMap(\.refusals)
        // Before anything is made: a name that is somebody else's would leave a bucket behind that serves nothing.
        let member = await session.storageIdentity(http).member
        let missing = found.flatMap { $0.rights(of: member) }.filter { $0.gravity == .refusal }
        guard unsafe.isEmpty, missing.isEmpty else {
            return .refused(Outcome(reasons: (unsafe + missing).map(\.failure), isUnsafe: !unsafe.isEmpty))
        }
        let plan = BucketPlan(found.map(\.found), options)
        guard plan.faults.isEmpty else {
            return .refused(Outcome(reasons: plan.faults.map { CommandFailure(.usage, $0) }))
        }
        return .planned(plan, found)
    }

    /// Flags that say something of the archive's bucket where it has none, or of buckets where there are none.
    private var askedForDirectories: CommandFailure? {
        if buckets.isEmpty, options.location != nil {
            return CommandFailure(.usage, "--location is for buckets; archive and state store are directories")
        }
        guard !buckets.contains(where: { $0.use == .archive }),
            options.softDeleteDays != nil || options.retentionDays != nil
        else { return nil }
        return CommandFailure(
            .usage,
            "--soft-delete and --retention are for an archive in a bucket; COLDROLL_ARCHIVE is \(session.settings.archive)"
        )
    }

    private var sharing: BucketFinding? {
        guard let archive = buckets.first(where: { $0.use == .archive })?.bucket,
            let state = buckets.first(where: { $0.use == .state })?.bucket
        else { return nil }
        return BucketJudgement.sharing(archive: archive, state: state)
    }

    private func reports() async throws -> [BucketReport] {
        var reports: [BucketReport] = []
        for (use, bucket) in buckets { reports.append(try await BucketReport(use, bucket)) }
        return reports
    }

    private func tellOwner(_ project: String) {
        session.reporter.say("The project \(project) will own what is made, and pay for it.")
    }

    private func tell(_ plan: BucketPlan) {
        for step in plan.steps { session.reporter.say(step.words.joined(separator: "\n")) }
    }

    // MARK: Doing

    /// Asks where that is needed, and does what is agreed to.
    ///
    /// - Returns: whether anything was done.
    private func carryOut(_ plan: BucketPlan) async throws -> Bool {
        guard !plan.steps.isEmpty else { return false }
        guard options.isAgreed || plan.isNeeded || Confirmation.isPossible else {
            // What is only better is left; the judgement tells of it.
            return false
        }
        let project = plan.makes ? try await project() : ""
        tell(plan)
        if plan.makes { tellOwner(project) }
        if !options.isAgreed {
            guard Confirmation.isPossible else {
                throw NotAgreed(
                    "Nothing was made or changed: agree to what is shown above by 'coldroll setup --yes', or at a terminal."
                )
            }
            guard try await Confirmation.ask("Do this?") else {
                guard plan.isNeeded else {
                    session.reporter.say("The buckets are left as they are, as you said.")
                    return false
                }
                throw NotAgreed("Nothing was made or changed, as you said.")
            }
        }
        for step in plan.steps { try await carryOut(step, project) }
        return true
    }

    private func carryOut(_ step: BucketPlan.Step, _ project: String) async throws {
        guard let bucket = buckets.first(where: { $0.use == step.use })?.bucket else { return }
        switch step.action {
        case .make(let new):
            if try await bucket.make(new, project: project) {
                session.reporter.say("Made the bucket \(bucket.url).")
            } else {
                try await checkIsOurs(bucket, step.use, new)
            }
        case .change(let change, let version):
            if try await bucket.change(change, version: version) {
                session.reporter.say("Changed the settings of \(bucket.url).")
            } else {
                try await checkIsDone(step, bucket)
            }
        }
    }

    /// A bucket of that name was there when it was to be made: another setup's, our own whose answer was lost, or somebody else's.
    ///
    /// Who may not read its settings may have rights in it all the same; who has none has no use for it, whosever it is.
    private func checkIsOurs(_ bucket: Bucket, _ use: BucketUse, _ new: NewBucket) async throws {
        let report = try await BucketReport(use, bucket)
        guard let settings = report.settings else {
            guard report.exists, report.held?.isEmpty == false else {
                throw CommandFailure(
                    .usage,
                    "The name \(bucket.name) is taken, and these credentials may do nothing in that bucket, so it probably "
                        + "belongs to somebody else: all of Google Cloud shares the names of buckets. Choose another one in "
                        + "\(use.variable)."
                )
            }
            session.reporter.say("The bucket \(bucket.url) is there by now; its settings may not be read.")
            return
        }
        guard settings.location?.lowercased() == new.location.lowercased() else {
            throw CommandFailure(
                .usage,
                "The bucket \(bucket.url) was made by somebody else meanwhile, in \(settings.location ?? "another location"): "
                    + "run 'coldroll setup' again to see whether it can be used."
            )
        }
        session.reporter.say("The bucket \(bucket.url) is there by now.")
    }

    /// The settings changed between the look and the change: another setup, or we ourselves, did it, or somebody else another thing.
    private func checkIsDone(_ step: BucketPlan.Step, _ bucket: Bucket) async throws {
        let report = try await BucketReport(step.use, bucket)
        guard BucketPlan([report.found], options).steps.isEmpty else {
            throw CommandFailure(
                .usage,
                "The settings of \(bucket.url) were changed by somebody else at the same time: run 'coldroll setup' again."
            )
        }
        session.reporter.say("The settings of \(bucket.url) are changed by now.")
    }

    private func project() async throws -> String {
        if let project = options.project ?? session.settings.project { return project }
        if let project = await session.storageIdentity(http).project { return project }
        throw CommandFailure(
            .usage,
            "Which Google Cloud project is to own the new buckets is not known: set --project or COLDROLL_PROJECT "
                + "('gcloud projects list' shows yours)."
        )
    }

    // MARK: Telling

    /// Tells what stands there, and returns what makes it unusable.
    private func tell(_ reports: [BucketReport], _ identity: StorageIdentity) -> [any Error] {
        var failures: [any Error] = []
        for report in reports {
            if !report.exists { failures.append(CommandFailure(.usage, report.summary)) }
            if let unread = report.unread {
                session.reporter.warn(
                    "Not everything about \(report.bucket.url) was checked: \(unread) Whoever owns it can check it by "
                        + "'coldroll setup' with a login of their own."
                )
            }
            let rights = report.rights(of: identity.member)
            let isMissing = rights.contains { $0.kind == .missingRights }
            if report.exists { session.reporter.say(needs(report, identity, isHeld: !isMissing)) }
            for finding in report.findings + rights {
                switch finding.gravity {
                case .refusal: failures.append(finding.failure)
                case .warning: session.reporter.warn(finding.sentences)
                case .advice: session.reporter.say(finding.sentences)
                }
            }
        }
        return failures
    }

    /// Which rights coldroll needs there, how to give them, and whether they are there.
    private func needs(_ report: BucketReport, _ identity: StorageIdentity, isHeld: Bool) -> String {
        let permissions = BucketRights.needed(report.use).joined(separator: ", ")
        let state =
            report.held == nil
            ? "Whether these credentials have them could not be asked." : isHeld ? "These credentials have them." : ""
        let lines = BucketRights.grants(report.use, bucket: report.bucket.name, member: identity.member)
        let head = [
            report.settings == nil ? "" : "The \(report.use.words) is \(report.summary)",
            "In \(report.bucket.url) coldroll needs \(permissions). \(state)",
        ].filter { !$0.isEmpty }.joined(separator: "\n  ")
        return ([head.trimmingTrailingSpace, "To give them to \(identity.member):"] + lines).joined(separator: "\n  ")
    }
}

extension String {
    fileprivate var trimmingTrailingSpace: String {
        var text = self
        while text.hasSuffix(" ") { text.removeLast() }
        return text
    }
}
