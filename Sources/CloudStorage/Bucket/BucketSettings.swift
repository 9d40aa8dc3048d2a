import FoundationEssentials

/// What a new bucket is to be like: uniform access and public access prevention always.
package struct NewBucket: Sendable, Equatable {
    package let name: String
    /// A region or multi-region, as Google writes it.
    package let location: String
    package let storageClass: String
    /// 0, or from 7 to 90 (Cloud Storage docs: "Soft delete").
    package let softDeleteDays: Int
    /// Never locked; nil: no retention policy.
    package let retentionDays: Int?

    /// All parts as they are.
    package init(name: String, location: String, storageClass: String, softDeleteDays: Int, retentionDays: Int? = nil) {
        self.name = name
        self.location = location
        self.storageClass = storageClass
        self.softDeleteDays = softDeleteDays
        self.retentionDays = retentionDays
    }

    /// The body of `buckets.insert`.
    func json() throws -> [UInt8] {
        try BucketBody(
            name: name,
            location: location.uppercased(),
            storageClass: storageClass,
            iamConfiguration: .init(
                uniformBucketLevelAccess: .init(enabled: true),
                publicAccessPrevention: "enforced"
            ),
            softDeletePolicy: .init(days: softDeleteDays),
            retentionPolicy: retentionDays.map { .init(days: $0) }
        ).json()
    }
}

/// What is changed of a bucket that exists; it only ever becomes safer.
package struct BucketChange: Sendable, Equatable {
    /// Turns public access prevention on.
    package var preventsPublicAccess = false
    /// Lengthens soft delete.
    package var softDeleteDays: Int?
    /// Begins or lengthens a retention policy, without locking it.
    package var retentionDays: Int?

    package init() {}

    /// Whether there is nothing to change.
    package var isEmpty: Bool { self == BucketChange() }

    /// The body of `buckets.patch`.
    func json() throws -> [UInt8] {
        try BucketBody(
            iamConfiguration: preventsPublicAccess ? .init(publicAccessPrevention: "enforced") : nil,
            softDeletePolicy: softDeleteDays.map { .init(days: $0) },
            retentionPolicy: retentionDays.map { .init(days: $0) }
        ).json()
    }
}

/// A bucket as requests write it; what is nil is left out.
private struct BucketBody: Encodable {
    struct Access: Encodable {
        var uniformBucketLevelAccess: Switch?
        var publicAccessPrevention: String?
    }
    struct Switch: Encodable { let enabled: Bool }
    /// 64-bit numbers are text in Google's JSON.
    struct SoftDelete: Encodable {
        let retentionDurationSeconds: String
        init(days: Int) { retentionDurationSeconds = String(days * 86_400) }
    }
    struct Retention: Encodable {
        let retentionPeriod: String
        init(days: Int) { retentionPeriod = String(days * 86_400) }
    }
    var name: String?
    var location: String?
    var storageClass: String?
    var iamConfiguration: Access?
    var softDeletePolicy: SoftDelete?
    var retentionPolicy: Retention?

    func json() throws -> [UInt8] {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        return [UInt8](try encoder.encode(self))
    }
}
