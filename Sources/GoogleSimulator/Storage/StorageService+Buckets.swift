import HTTPServer

extension StorageService {
    /// The project of the accounts, and of buckets that nobody says another for.
    static let ownProject = "simulated-project"

    /// Makes a bucket with uniform access that is there from the start, unless an earlier run left it.
    func openBucket(_ name: String, permissions: Permissions) throws {
        let uniform = JSONValue.members(("uniformBucketLevelAccess", .members(("enabled", .boolean(true)))))
        do {
            let wanted = JSONValue.members(("iamConfiguration", uniform))
            var record = try store.bucket(name) ?? newBucket(name, wanted, project: Self.ownProject, isByHand: true)
            record.permissions = permissions
            try store.put(record)
        } catch let refusal as StorageRefusal {
            throw SimulatorError(description: "bucket \(name): \(refusal.message)")
        }
    }

    /// Answers `POST /storage/v1/b`.
    func insertBucket(_ call: Call, _ body: [UInt8]) -> ServerAnswer {
        do {
            let project = try projects.check(call.query["project"], "storage.buckets.create")
            guard let wanted = JSONValue.parse(body), wanted.fields != nil else { throw StorageRefusal.parseError() }
            guard let name = wanted["name"]?.text else {
                throw StorageRefusal(status: 400, reason: "required", message: "Required")
            }
            let record = try newBucket(name, wanted, project: project, query: call.query)
            try store.create(record)
            return try show(record, call, isFull: wanted["acl"] != nil || wanted["defaultObjectAcl"] != nil)
        } catch {
            return refusal(error)
        }
    }

    /// A bucket as Google makes it of what a request says.
    func newBucket(
        _ name: String,
        _ wanted: JSONValue,
        project: String,
        query: QueryFields = QueryFields(""),
        isByHand: Bool = false
    ) throws(StorageRefusal) -> BucketRecord {
        guard isBucketName(name) else { throw .invalid("Invalid bucket name: '\(name)'") }
        if name.contains("."), !isByHand {
            throw .forbidden(
                "forbidden",
                "The bucket you tried to create requires domain ownership verification. Please see "
                    + "https://cloud.google.com/storage/docs/domain-name-verification?hl=en for more details."
            )
        }
        if let taken = store.bucket(name) { throw .taken(isForeign: taken.isForeign) }
        var editor = BucketEditor(new: name, projectNumber: "100000000000", now: .now, isByHand: isByHand)
        try editor.apply(wanted)
        var record = BucketRecord(resource: editor.resource, project: project)
        try record.acl.take(wanted, query, isUniform: record.isUniform)
        return record
    }

    /// Answers `GET /storage/v1/b`: the project's buckets.
    func listBuckets(_ call: Call) -> ServerAnswer {
        do {
            let project = try projects.check(call.query["project"], "storage.buckets.list")
            let prefix = call.query["prefix"] ?? ""
            let records = store.bucketNames.filter { $0.hasPrefix(prefix) }.compactMap { store.bucket($0) }
            let own = records.filter { $0.project == project && !$0.isForeign }
            let value = JSONValue.members(
                ("kind", .string("storage#buckets")),
                ("items", own.isEmpty ? nil : .array(own.map(\.resource)))
            )
            return .json(200, call.query["fields"].map { FieldMask($0).applied(to: value) } ?? value)
        } catch {
            return error.answer
        }
    }

    /// Answers `GET /storage/v1/b/{bucket}`.
    func getBucket(_ name: String, _ call: Call) -> ServerAnswer {
        do {
            guard let record = store.bucket(name) else { throw StorageRefusal.noBucket() }
            try checkMetageneration(call.query, record)
            return try show(record, call, isFull: false)
        } catch {
            return refusal(error)
        }
    }

    /// Answers `PATCH /storage/v1/b/{bucket}`; null puts a default back, an empty patch changes nothing.
    func patchBucket(_ name: String, _ call: Call, _ body: [UInt8]) -> ServerAnswer {
        do {
            let record = try store.update(name) { record throws(StorageRefusal) -> Bool in
                try checkMetageneration(call.query, record)
                guard let wanted = JSONValue.parse(body), wanted.fields != nil else { throw .parseError() }
                let canned = call.query["predefinedAcl"] ?? call.query["predefinedDefaultObjectAcl"]
                let isAccess =
                    wanted["iamConfiguration"]?["publicAccessPrevention"] != nil || wanted["acl"] != nil
                    || wanted["defaultObjectAcl"] != nil || canned != nil
                if isAccess { try record.require("storage.buckets.setIamPolicy") }
                var editor = BucketEditor(record, now: .now, isByHand: false)
                try editor.apply(wanted)
                record.resource = editor.resource
                try record.acl.take(wanted, call.query, isUniform: record.isUniform)
                return wanted.fields?.isEmpty == false || isAccess
            }
            return try show(record, call, isFull: true)
        } catch {
            return refusal(error)
        }
    }

    /// Answers `POST /storage/v1/b/{bucket}/lockRetentionPolicy`, which nothing undoes.
    func lockRetention(_ name: String, _ call: Call) -> ServerAnswer {
        do {
            let record = try store.update(name) { record throws(StorageRefusal) -> Bool in
                guard call.query["ifMetagenerationMatch"] != nil else {
                    throw .missing(parameter: "ifMetagenerationMatch")
                }
                guard let policy = record.resource["retentionPolicy"], !record.isLocked else {
                    throw .invalid("Bucket '\(name)' does not have an unlocked retention policy.")
                }
                try checkMetageneration(call.query, record)
                let locked = policy.setting("isLocked", to: .boolean(true))
                record.resource = record.resource.setting("retentionPolicy", to: locked)
                return true
            }
            return try show(record, call, isFull: false)
        } catch {
            return refusal(error)
        }
    }

    /// Answers `GET /storage/v1/b/{bucket}/iam`.
    func getPolicy(_ name: String, _ call: Call) -> ServerAnswer {
        guard let record = store.bucket(name) else { return StorageRefusal.noBucket().answer }
        let asked = call.query["optionsRequestedPolicyVersion"]
        guard let version = asked.map({ Int64($0) }) ?? 1, (1...3).contains(version) else {
            return StorageRefusal.invalid("Invalid value for optionsRequestedPolicyVersion: \(asked ?? "")").answer
        }
        let policy = record.policy(version: version)
        return .json(200, call.query["fields"].map { FieldMask($0).applied(to: policy) } ?? policy)
    }

    /// Answers `GET /storage/v1/b/{bucket}/iam/testPermissions`: those of the named permissions that the caller has.
    func testPermissions(_ name: String, _ call: Call) -> ServerAnswer {
        guard let record = store.bucket(name) else { return StorageRefusal.noBucket().answer }
        let wanted = call.query.all("permissions")
        guard !wanted.isEmpty else { return StorageRefusal.missing(parameter: "permissions").answer }
        guard wanted.allSatisfy(Permissions.isName) else { return StorageRefusal.invalid("Invalid argument.").answer }
        let held = wanted.filter(record.permissions.holds)
        return .json(
            200,
            .members(
                ("kind", .string("storage#testIamPermissionsResponse")),
                ("permissions", held.isEmpty ? nil : .array(held.map { .string($0) }))
            )
        )
    }

    private func checkMetageneration(_ query: QueryFields, _ record: BucketRecord) throws(StorageRefusal) {
        for (name, isMatch) in [("ifMetagenerationMatch", true), ("ifMetagenerationNotMatch", false)] {
            guard let text = query[name] else { continue }
            guard let number = Int64(text) else { throw .invalid("Invalid value for \(name): \(text)") }
            if (number == record.metageneration) != isMatch { throw .condition() }
        }
    }

    /// A bucket as an answer; `isFull` is whether its lists are shown without being asked for.
    private func show(_ record: BucketRecord, _ call: Call, isFull: Bool) throws(StorageRefusal) -> ServerAnswer {
        var resource = record.resource
        let projection = call.query["projection"]
        guard [nil, "full", "noAcl"].contains(projection) else {
            throw .invalid("Invalid value at 'projection': \(projection ?? "")")
        }
        if projection == "full" { try record.require("storage.buckets.getIamPolicy") }
        let isShown = projection.map { $0 == "full" } ?? isFull
        if isShown, !record.isUniform, record.permissions.holds("storage.buckets.getIamPolicy") {
            let number = resource["projectNumber"]?.text ?? ""
            for member in record.acl.members(of: record.name, projectNumber: number) {
                resource = resource.setting(member.name, to: member.value)
            }
        }
        return .json(200, call.query["fields"].map { FieldMask($0).applied(to: resource) } ?? resource)
    }
}

/// Cloud Storage: bucket naming guidelines.
private func isBucketName(_ name: String) -> Bool {
    let bytes = Array(name.utf8)
    let isPlain = bytes.allSatisfy { byte in
        (0x61...0x7A).contains(byte) || (0x30...0x39).contains(byte) || [0x2D, 0x5F, 0x2E].contains(byte)
    }
    let ends = [bytes.first, bytes.last].compactMap { $0 }
    let labels = name.split(separator: ".", omittingEmptySubsequences: false)
    let isAddress = labels.count == 4 && labels.allSatisfy { UInt8($0) != nil }
    // Names with dots may be longer, as long as each part is not (and belong to a domain that the owner has proved).
    let isShort = labels.count > 1 ? bytes.count <= 222 && labels.allSatisfy { $0.utf8.count <= 63 } : bytes.count <= 63
    return bytes.count >= 3 && isShort && isPlain && ends.allSatisfy { ![0x2D, 0x5F, 0x2E].contains($0) }
        && !isAddress && !labels.contains("") && !name.hasPrefix("goog") && !name.utf8Contains("google")
}
