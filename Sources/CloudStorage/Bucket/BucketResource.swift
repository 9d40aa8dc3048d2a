/// A bucket's settings as the JSON API writes them (Cloud Storage docs: "Buckets" resource).
///
/// Google leaves out what is not set; an emulator leaves out more.
package struct BucketResource: Sendable, Equatable, Decodable {
    struct Access: Sendable, Equatable, Decodable {
        let uniformBucketLevelAccess: Switch?
        let publicAccessPrevention: String?
    }
    struct Switch: Sendable, Equatable, Decodable { let enabled: Bool? }
    struct SoftDelete: Sendable, Equatable, Decodable { let retentionDurationSeconds: ObjectResource.Whole? }
    struct Retention: Sendable, Equatable, Decodable {
        let retentionPeriod: ObjectResource.Whole?
        let isLocked: Bool?
    }
    struct Lifecycle: Sendable, Equatable, Decodable { let rule: [LifecycleRule]? }
    struct Billing: Sendable, Equatable, Decodable { let requesterPays: Bool? }
    struct Encryption: Sendable, Equatable, Decodable { let defaultKmsKeyName: String? }

    package let name: String
    /// A region or multi-region, in capitals.
    package let location: String?
    /// The class of objects whose upload names none, in capitals.
    package let storageClass: String?
    let metageneration: ObjectResource.Whole?
    let iamConfiguration: Access?
    let softDeletePolicy: SoftDelete?
    let retentionPolicy: Retention?
    let lifecycle: Lifecycle?
    let autoclass: Switch?
    let defaultEventBasedHold: Bool?
    let billing: Billing?
    let encryption: Encryption?
    let hierarchicalNamespace: Switch?

    /// Days for which what was deleted can be restored; 0: it cannot.
    package var softDeleteDays: Int { days(softDeletePolicy?.retentionDurationSeconds?.value) ?? 0 }
    /// Days for which an object can be neither deleted nor overwritten; nil: no such policy.
    package var retentionDays: Int? {
        retentionPolicy == nil ? nil : days(retentionPolicy?.retentionPeriod?.value) ?? 0
    }
    /// Whether the retention policy can never be shortened or removed.
    package var isRetentionLocked: Bool { retentionPolicy?.isLocked == true }
    /// Whether rights come from IAM alone; nil where nothing is said.
    package var hasUniformAccess: Bool? { iamConfiguration.map { $0.uniformBucketLevelAccess?.enabled == true } }
    /// Whether Google refuses to let everybody in, whatever policies say.
    package var preventsPublicAccess: Bool { iamConfiguration?.publicAccessPrevention == "enforced" }
    /// Which state of the settings this is, for `Bucket.change`.
    package var version: Int64? { metageneration?.value }

    /// Whole days; what is left of a day counts, so that nothing is called shorter than it is.
    private func days(_ seconds: Int64?) -> Int? {
        seconds.map { seconds in
            let (days, rest) = max(0, seconds).quotientAndRemainder(dividingBy: 86_400)
            return Int(days) + (rest > 0 ? 1 : 0)
        }
    }
}

/// One rule of a bucket's lifecycle configuration (Cloud Storage docs: "Object Lifecycle Management").
struct LifecycleRule: Sendable, Equatable, Decodable {
    struct Action: Sendable, Equatable, Decodable {
        let type: String?
        let storageClass: String?
    }
    struct Condition: Sendable, Equatable, Decodable {
        let age: Int?
        let createdBefore: String?
        let customTimeBefore: String?
        let daysSinceCustomTime: Int?
        let isLive: Bool?
        let numNewerVersions: Int?
        let daysSinceNoncurrentTime: Int?
        let noncurrentTimeBefore: String?
        let matchesPrefix: [String]?
        let matchesSuffix: [String]?
        let matchesStorageClass: [String]?
    }
    let action: Action?
    let condition: Condition?

    /// Whether it only ever meets versions that were overwritten or deleted already.
    var isForOldVersions: Bool {
        guard let condition else { return false }
        return condition.isLive == false || (condition.numNewerVersions ?? 0) > 0
            || condition.daysSinceNoncurrentTime != nil || condition.noncurrentTimeBefore != nil
    }

    /// Whether objects whose names begin with `prefix` (empty: any) can meet it.
    ///
    /// By bytes, as Cloud Storage compares names: to Swift an accent may be a part of the letter before it.
    func canMeet(prefix: String) -> Bool {
        guard let prefixes = condition?.matchesPrefix, !prefixes.isEmpty else { return true }
        return prefixes.contains { $0.utf8.starts(with: prefix.utf8) || prefix.utf8.starts(with: $0.utf8) }
    }

    /// Its conditions, for a sentence: "30 days after the upload, names that end with .tmp".
    var when: String {
        guard let condition else { return "without a condition" }
        var words: [String] = []
        if let days = condition.age { words.append("\(days) days after the upload") }
        if let day = condition.createdBefore { words.append("uploaded before \(day)") }
        if let days = condition.daysSinceCustomTime { words.append("\(days) days after the custom time") }
        if let day = condition.customTimeBefore { words.append("custom time before \(day)") }
        if isForOldVersions { words.append("old versions") }
        if condition.isLive == true { words.append("all that are not old versions") }
        if let names = Self.some(condition.matchesPrefix) { words.append("names that begin with \(names)") }
        if let names = Self.some(condition.matchesSuffix) { words.append("names that end with \(names)") }
        if let names = Self.some(condition.matchesStorageClass) { words.append("of the class \(names)") }
        return words.isEmpty ? "without a condition" : words.joined(separator: ", ")
    }

    /// "a, b or c", nil for none; of more than three those that come first.
    private static func some(_ names: [String]?) -> String? {
        guard let names, let last = names.last else { return nil }
        if names.count > 3 { return names.prefix(3).joined(separator: ", ") + " or \(names.count - 3) others" }
        return names.count == 1 ? last : names.dropLast().joined(separator: ", ") + " or " + last
    }

    /// Whether it goes by the custom time, which is when a photo was taken.
    var goesByCustomTime: Bool { condition?.customTimeBefore != nil || condition?.daysSinceCustomTime != nil }
}

/// Who may do what in a bucket (Cloud Storage docs: "Policy" resource).
package struct BucketPolicy: Sendable, Equatable, Decodable {
    struct Binding: Sendable, Equatable, Decodable {
        /// What it says does not matter here.
        struct Condition: Sendable, Equatable, Decodable {}
        let role: String?
        let members: [String]?
        let condition: Condition?
    }
    /// A member with a role that it has.
    struct Grant: Sendable, Equatable {
        let member: String
        let role: String
        /// Whether it has it at some times, or for some objects, only.
        var isConditional: Bool
    }
    let bindings: [Binding]?

    /// The members that stand for everybody, each with each role that it has, once.
    var everybody: [Grant] {
        var grants: [Grant] = []
        for binding in bindings ?? [] {
            for member in binding.members ?? [] where member == "allUsers" || member == "allAuthenticatedUsers" {
                let (role, isConditional) = (binding.role ?? "", binding.condition != nil)
                if let known = grants.firstIndex(where: { $0.member == member && $0.role == role }) {
                    grants[known].isConditional = grants[known].isConditional || isConditional
                } else {
                    grants.append(Grant(member: member, role: role, isConditional: isConditional))
                }
            }
        }
        return grants
    }
}
