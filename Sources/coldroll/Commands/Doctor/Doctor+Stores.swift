import Archiver
import CloudStorage

extension Doctor {
    /// A request without an answer is sent twice: somebody waits for the report.
    private static let tries = 2

    /// Whether this machine's access scopes let it write, where its credentials are those of the metadata server.
    ///
    /// They bound what a VM's tokens are good for, whatever its service account may do (Compute Engine docs, "Service
    /// accounts", "Access scopes"), and no bucket tells of them.
    func machine() async -> [Diagnosis] {
        guard session.settings.usesBuckets, let scopes = await session.machineScopes(http) else { return [] }
        let names = scopes.map { String($0.split(separator: "/").last ?? "") }
        guard Set(names).isDisjoint(with: ["cloud-platform", "devstorage.full_control", "devstorage.read_write"]) else {
            return []
        }
        return [
            .failed(
                .archive,
                "The access scopes of this machine (\(names.isEmpty ? "none" : names.joined(separator: ", "))) let it write "
                    + "into no bucket, whatever its service account may do.",
                fix: "Stop it, then: gcloud compute instances set-service-account NAME --scopes=cloud-platform",
                .credentials
            )
        ]
    }

    /// Whether one of the two stores is there, and safe.
    func store(_ check: Diagnosis.Check, _ database: Database?) async throws -> [Diagnosis] {
        let use: BucketUse = check == .archive ? .archive : .state
        let buckets = try session.openBuckets(http, tries: Self.tries)
        guard let bucket = buckets.first(where: { $0.use == use })?.bucket else {
            let stores = try session.openStores(http)
            let store = use == .archive ? stores.archive : stores.state
            if use == .archive, let database {
                _ = try await lookAtArchive(store, database.ledger)
            } else {
                _ = try await store.look()
            }
            return [.ok(check, "The directory \(store.url) is there and can be written.")]
        }
        var findings: [BucketFinding] = []
        if use == .state, let archive = buckets.first(where: { $0.use == .archive })?.bucket,
            let sharing = BucketJudgement.sharing(archive: archive, state: bucket)
        {
            findings.append(sharing)
        }
        let report = try await BucketReport(use, bucket)
        guard report.exists else {
            return [
                .failed(
                    check,
                    report.summary,
                    fix: "Run 'coldroll setup', which makes it; or correct \(use.variable), if its name is misspelled.",
                    .usage
                )
            ]
        }
        var lines: [Diagnosis] = [.ok(check, report.summary)]
        if let unread = report.unread {
            lines.append(
                .warning(
                    check,
                    "Not everything about \(bucket.url) was checked: \(unread)",
                    fix: "Run 'coldroll doctor' with the login of the bucket's owner."
                )
            )
        }
        findings += report.findings
        if let held = report.held {
            let identity = await session.storageIdentity(http)
            let rights = BucketRights.findings(held: held, use: use, bucket: bucket.name, member: identity.member)
            if !rights.contains(where: { $0.kind == .missingRights }) {
                lines.append(.ok(check, "The credentials may do there what coldroll does."))
            }
            findings += rights
        }
        return lines + findings.map { Diagnosis($0, check) }
    }
}

extension Diagnosis {
    /// A finding as a line; advice is worth a warning only where nobody asked for advice.
    init(_ finding: BucketFinding, _ check: Check) {
        switch finding.gravity {
        case .refusal:
            self = .failed(check, finding.message, fix: finding.fix, finding.failure.status)
        case .warning: self = .warning(check, finding.message, fix: finding.fix)
        case .advice: self = Diagnosis(check: check, verdict: .ok, message: finding.message, fix: finding.fix)
        }
    }
}
