/// Sets up buckets and projects by hand, with anything that Google can have and a client must cope with.
struct BucketSetup: Sendable {
    let storage: StorageService

    /// Makes a bucket, or changes the one of that name, whose objects stay.
    ///
    /// `{"name":…, "resource":{…}, "project":…, "bindings":[…], "acl":{entity: role}, "default_object_acl":{…},
    /// "permissions":[…] or "without":[…], "owner":"other"}`: the resource is what the API takes, and `isLocked` of its
    /// retention policy; bindings come beside those that every bucket has; without permissions all are held.
    ///
    /// - Throws: `SimulatorError` with a sentence that names what is wrong.
    func setUp(_ wanted: JSONValue) throws {
        let known: Set = [
            "name", "resource", "project", "bindings", "acl", "default_object_acl", "permissions", "without", "owner",
        ]
        for field in wanted.fields ?? [] where !known.contains(field.name) {
            throw SimulatorError(description: "a bucket has no \"\(field.name)\"; it has \(known.sorted())")
        }
        guard let name = wanted["name"]?.text else { throw SimulatorError(description: "a bucket needs a \"name\"") }
        let settings = wanted["resource"] ?? .object([])
        do {
            var record: BucketRecord
            if let old = storage.store.bucket(name) {
                record = old
                var editor = BucketEditor(old, now: .now, isByHand: true)
                try editor.apply(settings)
                record.resource = editor.resource
                record.touch(.now)
            } else {
                let project = wanted["project"]?.text ?? StorageService.ownProject
                record = try storage.newBucket(name, settings, project: project, isByHand: true)
            }
            if let project = wanted["project"]?.text { record.project = project }
            if let bindings = wanted["bindings"]?.elements { record.bindings = bindings }
            if let list = wanted["acl"]?.fields { record.acl.bucket = Self.list(list) }
            if let list = wanted["default_object_acl"]?.fields { record.acl.objects = Self.list(list) }
            if let owner = wanted["owner"]?.text { record.isForeign = owner != "self" }
            record.permissions = try Permissions.read(wanted) ?? (record.isForeign ? .only([]) : .all)
            try storage.store.put(record)
        } catch let refusal as StorageRefusal {
            throw SimulatorError(description: "bucket \(name): \(refusal.message)")
        }
    }

    private static func list(_ members: [JSONValue.Member]) -> [String: String] {
        let pairs = members.compactMap { member in member.value.text.map { (member.name, $0) } }
        return Dictionary(pairs, uniquingKeysWith: { _, last in last })
    }

    /// `{"project":…, "permissions":[…] or "without":[…]}`, or `"unknown":true` for one that Google does not know.
    ///
    /// - Throws: `SimulatorError` with a sentence that names what is wrong.
    func setProject(_ wanted: JSONValue) throws(SimulatorError) {
        guard let project = wanted["project"]?.text else {
            throw SimulatorError(description: "name the \"project\"")
        }
        let permissions = try Permissions.read(wanted) ?? .all
        storage.projects.set(project, wanted["unknown"]?.flag == true ? nil : permissions)
    }

    /// Every bucket with its policy.
    var all: JSONValue {
        .array(
            storage.store.bucketNames.compactMap { storage.store.bucket($0) }.map { record in
                record.resource.setting("policy", to: record.policy(version: 3))
                    .setting("project", to: .string(record.project))
            }
        )
    }
}
