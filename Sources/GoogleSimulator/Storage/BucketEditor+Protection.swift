/// What guards a bucket's objects, and what moves or deletes them by itself.
extension BucketEditor {
    mutating func setAccess(_ value: JSONValue) throws(StorageRefusal) {
        var access = resource["iamConfiguration"] ?? .object([])
        let wanted = value["uniformBucketLevelAccess"] ?? value["bucketPolicyOnly"]
        if let wanted {
            guard let isOn = wanted["enabled"]?.flag else { throw .invalid("Invalid value for: enabled") }
            let uniform = JSONValue.members(
                ("enabled", .boolean(isOn)),
                // For 90 days it can be turned off again (Cloud Storage: uniform bucket-level access).
                ("lockedTime", isOn ? .time(now.adding(seconds: 90 * 86400)) : nil)
            )
            let was = access["uniformBucketLevelAccess"]?["enabled"]?.flag ?? false
            if isOn != was {
                access = access.setting("bucketPolicyOnly", to: uniform)
                    .setting("uniformBucketLevelAccess", to: uniform)
            }
        }
        if let text = value["publicAccessPrevention"] {
            switch text.text {
            case "enforced": access = access.setting("publicAccessPrevention", to: .string("enforced"))
            case "inherited", "unspecified":
                access = access.setting("publicAccessPrevention", to: .string("inherited"))
            default: throw .invalid("Invalid value for: \(text.text ?? "null") is not a valid value")
            }
        }
        resource = resource.setting("iamConfiguration", to: access)
    }

    mutating func setRetention(_ value: JSONValue) throws(StorageRefusal) {
        let old = resource["retentionPolicy"]
        let isLocked = old?["isLocked"]?.flag == true && !isByHand
        let name = resource["name"]?.text ?? ""
        if value == .null {
            guard !isLocked else {
                throw .forbidden(
                    "retentionPolicyNotMet",
                    "Bucket '\(name)' has a locked Retention Policy which cannot be removed."
                )
            }
            resource = resource.setting("retentionPolicy", to: nil)
            return
        }
        guard let text = value["retentionPeriod"] else { return }
        // Less than 100 years of 365.25 days (Cloud Storage: bucket lock).
        guard let seconds = text.whole, (1...3_155_760_000).contains(seconds) else {
            throw .invalid("Retention policy must have a retention period greater than 0 and less than 100 years.")
        }
        if isLocked, seconds < old?["retentionPeriod"]?.whole ?? 0 {
            throw .forbidden(
                "forbidden",
                "Cannot reduce retention duration of a locked Retention Policy for bucket '\(name)'."
            )
        }
        let locks = isByHand ? value["isLocked"]?.flag ?? false : isLocked
        let policy = JSONValue.members(
            ("retentionPeriod", .int64(seconds)),
            ("effectiveTime", old?["effectiveTime"] ?? .time(now)),
            ("isLocked", locks ? .boolean(true) : nil)
        )
        resource = resource.setting("retentionPolicy", to: policy)
    }

    mutating func setAutoclass(_ value: JSONValue) {
        guard value["enabled"]?.flag == true else {
            if resource["autoclass"] != nil, value != .null {
                let off = JSONValue.members(("enabled", .boolean(false)), ("toggleTime", .time(now)))
                resource = resource.setting("autoclass", to: off)
            } else {
                resource = resource.setting("autoclass", to: nil)
            }
            return
        }
        let policy = JSONValue.members(
            ("enabled", .boolean(true)),
            ("toggleTime", .time(now)),
            ("terminalStorageClass", .string(value["terminalStorageClass"]?.text ?? "NEARLINE")),
            ("terminalStorageClassUpdateTime", .time(now))
        )
        resource = resource.setting("autoclass", to: policy)
    }

    mutating func setLifecycle(_ value: JSONValue) throws(StorageRefusal) {
        guard let rules = value["rule"]?.elements else {
            if value == .null { resource = resource.setting("lifecycle", to: nil) }
            return
        }
        for rule in rules {
            let kind = rule["action"]?["type"]?.text ?? ""
            guard ["Delete", "SetStorageClass", "AbortIncompleteMultipartUpload"].contains(kind) else {
                throw .invalid("Invalid value for: \(kind) is not a valid value")
            }
            guard rule["condition"]?.fields?.isEmpty == false else {
                throw .invalid("Lifecycle rules must have a condition.")
            }
            if kind == "SetStorageClass", rule["action"]?["storageClass"]?.text == nil {
                throw .invalid("Lifecycle storage class rules must specify the destination storage class.")
            }
        }
        resource = resource.setting("lifecycle", to: rules.isEmpty ? nil : .members(("rule", .array(rules))))
    }
}
