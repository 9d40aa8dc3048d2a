/// Takes what a request says of a bucket into its resource, and refuses what Cloud Storage refuses, in its words.
///
/// JSON API reference: buckets; Cloud Storage: soft delete, bucket lock, Autoclass, uniform bucket-level access.
struct BucketEditor {
    var resource: JSONValue
    let now: Timestamp
    private let isNew: Bool
    /// A test sets the bucket up: what is locked, and what only the server says, can be set too.
    let isByHand: Bool

    /// Begins with the resource of a new bucket of this name, as Google fills it in.
    init(new name: String, projectNumber: String, now: Timestamp, isByHand: Bool) {
        self.now = now
        self.isByHand = isByHand
        isNew = true
        let access = JSONValue.members(
            ("bucketPolicyOnly", .members(("enabled", .boolean(false)))),
            ("uniformBucketLevelAccess", .members(("enabled", .boolean(false)))),
            ("publicAccessPrevention", .string("inherited"))
        )
        resource = .members(
            ("kind", .string("storage#bucket")),
            ("selfLink", .string("https://www.googleapis.com/storage/v1/b/" + name)),
            ("id", .string(name)),
            ("name", .string(name)),
            ("projectNumber", .string(projectNumber)),
            ("generation", .int64(now.microseconds)),
            ("metageneration", .string("1")),
            ("location", .string("US")),
            ("storageClass", .string("STANDARD")),
            ("etag", .string(BucketRecord.etag(1))),
            ("timeCreated", .time(now)),
            ("updated", .time(now)),
            ("softDeletePolicy", Self.softDelete(604_800, now)),
            ("iamConfiguration", access),
            ("locationType", .string("multi-region")),
            ("rpo", .string("DEFAULT"))
        )
    }

    /// Begins with a bucket that exists.
    init(_ record: BucketRecord, now: Timestamp, isByHand: Bool) {
        resource = record.resource
        self.now = now
        self.isByHand = isByHand
        isNew = false
    }

    /// Takes over each member of `wanted`, as a patch does: null puts the default back.
    mutating func apply(_ wanted: JSONValue) throws(StorageRefusal) {
        for field in wanted.fields ?? [] {
            switch field.name {
            case "location": try setLocation(field.value)
            case "storageClass": try setClass(field.value)
            case "softDeletePolicy": try setSoftDelete(field.value)
            case "iamConfiguration": try setAccess(field.value)
            case "retentionPolicy": try setRetention(field.value)
            case "autoclass": setAutoclass(field.value)
            case "lifecycle": try setLifecycle(field.value)
            case "versioning", "labels", "cors", "website", "logging", "billing", "encryption", "defaultEventBasedHold",
                "customPlacementConfig", "hierarchicalNamespace":
                resource = resource.setting(field.name, to: field.value == .null ? nil : field.value)
            default: break  // What only the server says is passed over.
            }
        }
        guard resource["autoclass"]?["enabled"]?.flag == true, resource["storageClass"]?.text != "STANDARD" else {
            return
        }
        throw .invalid("Autoclass is only supported for buckets whose default storage class is STANDARD.")
    }

    private mutating func setLocation(_ value: JSONValue) throws(StorageRefusal) {
        let location = (value.text ?? "").uppercased()
        guard isNew || isByHand else {
            if location == resource["location"]?.text { return }
            throw .invalid("A bucket's location cannot be changed.")
        }
        guard let type = Locations.type(location) else {
            throw .invalid("The specified location constraint is not valid.")
        }
        resource = resource.setting("location", to: .string(location))
            .setting("locationType", to: .string(type))
            .setting("rpo", to: type == "region" ? nil : .string("DEFAULT"))
    }

    private mutating func setClass(_ value: JSONValue) throws(StorageRefusal) {
        let name = value.text ?? ""
        guard ObjectSettings.classes.contains(name.uppercased()) else {
            throw .invalid("Invalid storage class \"\(name)\"")
        }
        resource = resource.setting("storageClass", to: .string(name.uppercased()))
    }

    private static func softDelete(_ seconds: Int64, _ now: Timestamp) -> JSONValue {
        .members(
            ("retentionDurationSeconds", .int64(seconds)),
            ("effectiveTime", seconds == 0 ? nil : .time(now))
        )
    }

    private mutating func setSoftDelete(_ value: JSONValue) throws(StorageRefusal) {
        if value == .null {
            resource = resource.setting("softDeletePolicy", to: Self.softDelete(604_800, now))
            return
        }
        guard let text = value["retentionDurationSeconds"] else { return }
        // 7 to 90 days, or none (Cloud Storage: soft delete).
        guard let seconds = text.whole, seconds == 0 || (604_800...7_776_000).contains(seconds) else {
            throw .invalid("Soft delete policy must have a retention duration between 7 days and 90 days.")
        }
        resource = resource.setting("softDeletePolicy", to: Self.softDelete(seconds, now))
    }
}
