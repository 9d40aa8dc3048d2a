import Postgres

extension Doctor {
    /// What is left of Google's daily quotas, as all processes of a project drew from them.
    func quotas(_ database: Database?) async throws -> [Diagnosis] {
        guard let database else { return [.skipped(.quota, "Not looked at: the database must be right first.")] }
        let rows = try await database.pool.run(StatusStatements.quotas)
        var lines: [Diagnosis] = []
        for row in rows { lines.append(Self.judge(try StatusReport.Quota(row))) }
        return lines.isEmpty ? [.ok(.quota, "No request was drawn from Google's daily quotas yet.")] : lines
    }

    /// A tenth is what a listing of 100,000 items takes of the API's.
    static func judge(_ quota: StatusReport.Quota) -> Diagnosis {
        let what = quota.kind == "api" ? "Library API" : "media"
        let anew = "until it starts anew in \(Quantity.duration(max(0, quota.resetsInSeconds)))"
        let left = "\(Quantity.grouped(quota.left)) of \(Quantity.grouped(quota.limit)) \(what) requests"
        let project = "Project \(quota.project)"
        if quota.isRefused {
            return .warning(
                .quota,
                "\(project): Google says that today's \(what) requests are used up, \(anew).",
                fix: "Wait; workers go on by themselves."
            )
        }
        if quota.left * 10 < quota.limit {
            return .warning(.quota, "\(project) has \(left) left, \(anew).", fix: "Wait; workers go on by themselves.")
        }
        return .ok(.quota, "\(project) has \(left) left, \(anew).")
    }
}
