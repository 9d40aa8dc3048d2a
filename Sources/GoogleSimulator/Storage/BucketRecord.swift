/// A bucket without its objects: its resource, who may use it, and what the simulated accounts may do in it.
struct BucketRecord: Sendable {
    /// JSON API reference: buckets; without `acl` and `defaultObjectAcl`.
    var resource: JSONValue
    /// The project whose owners, editors and viewers a new bucket's policy names.
    var project: String
    /// Bindings beyond those that every bucket begins with.
    var bindings: [JSONValue] = []
    /// Entities and roles of the bucket's list, and of that which new objects get; of no effect with uniform access.
    var acl = AccessList()
    var permissions = Permissions.all
    /// Somebody else's: its name is taken all the same.
    var isForeign = false

    var name: String { resource["name"]?.text ?? "" }
    var defaultClass: String { resource["storageClass"]?.text ?? "STANDARD" }
    var metageneration: Int64 { resource["metageneration"]?.whole ?? 1 }
    var isUniform: Bool { resource["iamConfiguration"]?["uniformBucketLevelAccess"]?["enabled"]?.flag ?? false }
    var hasAutoclass: Bool { resource["autoclass"]?["enabled"]?.flag ?? false }
    /// Seconds for which an object can be neither deleted nor replaced; nil without a policy.
    var retentionSeconds: Int64? { resource["retentionPolicy"]?["retentionPeriod"]?.whole }
    var isLocked: Bool { resource["retentionPolicy"]?["isLocked"]?.flag ?? false }

    /// Refuses without a permission, in Google's words.
    func require(_ permission: String) throws(StorageRefusal) {
        guard permissions.holds(permission) else {
            // A list is the bucket's.
            let isObject = permission.hasPrefix("storage.objects.") && permission != "storage.objects.list"
            throw .denied(permission, on: isObject ? "object" : "bucket")
        }
    }

    /// Refuses while a bucket's policy keeps an object.
    func checkRetention(of object: ObjectRecord) throws(StorageRefusal) {
        guard let until = expiration(of: object), until > .now else { return }
        throw StorageRefusal(
            status: 403,
            reason: "retentionPolicyNotMet",
            message: "Object '\(object.bucket)/\(object.name.text)' is subject to bucket's retention policy or object "
                + "retention and cannot be deleted or overwritten until \(until.rfc3339)"
        )
    }

    /// Until when a bucket's policy keeps an object; nil without a policy.
    func expiration(of object: ObjectRecord) -> Timestamp? {
        retentionSeconds.map { object.created.adding(seconds: Double($0)) }
    }

    /// The bucket has been changed: the next metageneration.
    mutating func touch(_ now: Timestamp) {
        let next = metageneration + 1
        resource = resource.setting("metageneration", to: .int64(next))
            .setting("etag", to: .string(Self.etag(next)))
            .setting("updated", to: .time(now))
    }

    /// A metageneration as the field 1 of a protocol buffer, in base64: `CAE=` for 1.
    static func etag(_ metageneration: Int64) -> String {
        var bytes: [UInt8] = [0x08]
        var rest = UInt64(bitPattern: metageneration)
        while rest >= 0x80 {
            bytes.append(UInt8(truncatingIfNeeded: rest) | 0x80)
            rest >>= 7
        }
        return base64(bytes + [UInt8(rest)])
    }

    /// What is kept of it in the index, so that a later start finds it again.
    var indexLine: JSONValue {
        .members(
            ("newBucket", resource),
            ("project", .string(project)),
            ("bindings", bindings.isEmpty ? nil : .array(bindings)),
            ("foreign", isForeign ? .boolean(true) : nil)
        )
    }

    /// Reads `indexLine`; nil for any other line.
    init?(indexLine line: JSONValue) {
        guard let resource = line["newBucket"], resource["name"]?.text != nil else { return nil }
        self.init(resource: resource, project: line["project"]?.text ?? "simulated-project")
        bindings = line["bindings"]?.elements ?? []
        isForeign = line["foreign"]?.flag ?? false
    }

    init(resource: JSONValue, project: String) {
        self.resource = resource
        self.project = project
    }
}
