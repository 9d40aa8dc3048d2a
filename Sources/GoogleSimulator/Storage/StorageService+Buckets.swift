import HTTPServer

extension StorageService {
    /// Answers `GET /storage/v1/b/{bucket}`.
    func getBucket(_ name: String, _ call: Call) -> ServerAnswer {
        guard let bucket = store.bucket(name) else { return StorageRefusal.noBucket().answer }
        let resource = bucket.resource
        return .json(200, call.query["fields"].map { FieldMask($0).applied(to: resource) } ?? resource)
    }

    /// Answers `GET /storage/v1/b/{bucket}/iam/testPermissions`: those of the named permissions that the caller has.
    func testPermissions(_ name: String, _ call: Call) -> ServerAnswer {
        guard store.bucket(name) != nil else { return StorageRefusal.noBucket().answer }
        let wanted = call.query.all("permissions")
        guard !wanted.isEmpty else { return StorageRefusal.invalid("Invalid argument.").answer }
        let isReadOnly = readOnlyBuckets.contains(name)
        let held = wanted.filter { !isReadOnly || $0.hasSuffix(".get") || $0.hasSuffix(".list") }
        return .json(
            200,
            .members(
                ("kind", .string("storage#testIamPermissionsResponse")),
                ("permissions", held.isEmpty ? nil : .array(held.map { .string($0) }))
            )
        )
    }

    /// Refuses what changes a bucket that may only be looked at, in Google's words.
    func refuseWriting(_ route: StorageRoute) throws(StorageRefusal) {
        let (bucket, permission): (String, String)
        switch route {
        case .uploadMultipart(let name), .uploadMedia(let name), .uploadStart(let name):
            (bucket, permission) = (name, "storage.objects.create")
        case .objectDelete(let name, _): (bucket, permission) = (name, "storage.objects.delete")
        default: return
        }
        guard readOnlyBuckets.contains(bucket) else { return }
        throw StorageRefusal(
            status: 403,
            reason: "forbidden",
            message: "The caller does not have \(permission) access to the Google Cloud Storage object. Permission "
                + "'\(permission)' denied on resource (or it may not exist)."
        )
    }

    /// Answers `GET /storage/v1/b`.
    func listBuckets() -> ServerAnswer {
        let buckets = store.bucketNames.compactMap { store.bucket($0)?.resource }
        return .json(
            200,
            .members(("kind", .string("storage#buckets")), ("items", buckets.isEmpty ? nil : .array(buckets)))
        )
    }

    /// Answers `POST /storage/v1/b`.
    func insertBucket(_ body: [UInt8]) -> ServerAnswer {
        guard let wanted = JSONValue.parse(body), let name = wanted["name"]?.text else {
            return StorageRefusal(status: 400, reason: "required", message: "Required").answer
        }
        do {
            try makeBucket(name, wanted: wanted)
        } catch {
            return refusal(error)
        }
        return getBucket(name, Call(ServerRequest(method: "GET", path: "", query: "", headers: [])))
    }

    /// Makes a bucket; what a resource does not say is as Cloud Storage has it for new buckets.
    func makeBucket(_ name: String, wanted: JSONValue) throws {
        guard isBucketName(name) else { throw StorageRefusal.invalid("Invalid bucket name: '\(name)'") }
        let now = Timestamp.now
        let storageClass = wanted["storageClass"]?.text ?? "STANDARD"
        let defaults = JSONValue.members(
            ("kind", .string("storage#bucket")),
            ("id", .string(name)),
            ("name", .string(name)),
            ("selfLink", .string("https://www.googleapis.com/storage/v1/b/\(name)")),
            ("projectNumber", .string("100000000000")),
            ("generation", .string(String(now.microseconds))),
            ("metageneration", .string("1")),
            ("location", .string((wanted["location"]?.text ?? "US").uppercased())),
            ("storageClass", .string(storageClass)),
            ("etag", .string("CAE=")),
            ("timeCreated", .string(now.rfc3339)),
            ("updated", .string(now.rfc3339)),
            ("locationType", .string("region"))
        )
        let known = Set((defaults.fields ?? []).map(\.name))
        var more = (wanted.fields ?? []).filter { !known.contains($0.name) }
        if wanted["softDeletePolicy"] == nil {
            // Seven days on new buckets (Cloud Storage: soft delete).
            let policy = JSONValue.members(("retentionDurationSeconds", .string("604800")))
            more.append(JSONValue.Member(name: "softDeletePolicy", value: policy))
        }
        if wanted["iamConfiguration"] == nil {
            let uniform = JSONValue.members(("enabled", .boolean(true)))
            let access = JSONValue.members(
                ("uniformBucketLevelAccess", uniform),
                ("publicAccessPrevention", .string("inherited"))
            )
            more.append(JSONValue.Member(name: "iamConfiguration", value: access))
        }
        let resource = JSONValue.object((defaults.fields ?? []) + more)
        guard store.create(name, resource: resource, defaultClass: storageClass) else {
            throw StorageRefusal(
                status: 409,
                reason: "conflict",
                message: "Your previous request to create the named bucket succeeded and you already own it."
            )
        }
        try store.shelf.log(.members(("newBucket", resource)))
    }
}

/// Cloud Storage: bucket naming guidelines.
private func isBucketName(_ name: String) -> Bool {
    let bytes = Array(name.utf8)
    let isPlain = bytes.allSatisfy { byte in
        (0x61...0x7A).contains(byte) || (0x30...0x39).contains(byte) || [0x2D, 0x5F, 0x2E].contains(byte)
    }
    let ends = [bytes.first, bytes.last].compactMap { $0 }
    return (3...63).contains(bytes.count) && isPlain && ends.allSatisfy { ![0x2D, 0x5F, 0x2E].contains($0) }
        && !name.hasPrefix("goog") && !name.utf8Contains("google")
}
