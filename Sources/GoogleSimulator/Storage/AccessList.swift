/// The two access control lists of a bucket without uniform access (Cloud Storage: access control lists).
///
/// `projectPrivate` unless a request says otherwise: owners and editors own, viewers read.
struct AccessList: Sendable, Equatable {
    /// Who, beyond the project's own people, has which role: `allUsers` is `READER`.
    var bucket: [String: String] = [:]
    /// The same for objects that are made from now on.
    var objects: [String: String] = [:]

    private static let canned: [String: [String: String]] = [
        "authenticatedRead": ["allAuthenticatedUsers": "READER"], "private": [:], "projectPrivate": [:],
        "publicRead": ["allUsers": "READER"], "publicReadWrite": ["allUsers": "WRITER"],
        "bucketOwnerFullControl": [:], "bucketOwnerRead": [:],
    ]

    /// Takes what a request says of the lists: canned ones in its query, whole ones in its resource.
    mutating func take(_ wanted: JSONValue, _ query: QueryFields, isUniform: Bool) throws(StorageRefusal) {
        let names = (query["predefinedAcl"], query["predefinedDefaultObjectAcl"])
        let lists = (wanted["acl"]?.elements ?? [], wanted["defaultObjectAcl"]?.elements ?? [])
        if isUniform, names.0 != nil || names.1 != nil || !lists.0.isEmpty || !lists.1.isEmpty {
            throw .invalid(
                "Cannot use ACL API to update bucket policy when uniform bucket-level access is enabled. Read more at "
                    + "https://cloud.google.com/storage/docs/uniform-bucket-level-access"
            )
        }
        if let name = names.0 { bucket = try Self.list(canned: name) }
        if let name = names.1 { objects = try Self.list(canned: name) }
        if !lists.0.isEmpty { bucket = Self.list(lists.0) }
        if !lists.1.isEmpty { objects = Self.list(lists.1) }
    }

    private static func list(canned name: String) throws(StorageRefusal) -> [String: String] {
        guard let list = canned[name] else { throw .invalid("Invalid predefined ACL \"\(name)\"") }
        return list
    }

    private static func list(_ entries: [JSONValue]) -> [String: String] {
        let pairs = entries.compactMap { entry in
            entry["entity"]?.text.flatMap { entity in entry["role"]?.text.map { (entity, $0) } }
        }
        return Dictionary(pairs.filter { !$0.0.hasPrefix("project-") }, uniquingKeysWith: { _, last in last })
    }

    /// The members that `projection=full` adds to a bucket's resource.
    func members(of bucketName: String, projectNumber: String) -> [JSONValue.Member] {
        func entries(_ list: [String: String], kind: String) -> JSONValue {
            var all: [(entity: String, role: String)] = [
                ("project-owners-" + projectNumber, "OWNER"), ("project-editors-" + projectNumber, "OWNER"),
                ("project-viewers-" + projectNumber, "READER"),
            ]
            for (entity, role) in list.sorted(by: { $0.key < $1.key }) { all.append((entity, role)) }
            return .array(
                all.map { entity, role in
                    .members(
                        ("kind", .string(kind)),
                        ("entity", .string(entity)),
                        ("role", .string(role)),
                        ("bucket", kind == "storage#bucketAccessControl" ? .string(bucketName) : nil),
                        ("etag", .string("CAE="))
                    )
                }
            )
        }
        return [
            .init(name: "acl", value: entries(bucket, kind: "storage#bucketAccessControl")),
            .init(name: "defaultObjectAcl", value: entries(objects, kind: "storage#objectAccessControl")),
            .init(name: "owner", value: .members(("entity", .string("project-owners-" + projectNumber)))),
        ]
    }

    /// The bucket's own list as the policy shows it: lists and legacy roles are one thing (Cloud Storage: IAM and ACLs).
    var bindings: [(role: String, member: String)] {
        bucket.sorted { $0.key < $1.key }.map { entity, role in
            let name = role == "READER" ? "Reader" : role == "WRITER" ? "Writer" : "Owner"
            return (
                "roles/storage.legacyBucket" + name, entity.hasPrefix("user-") ? "user:" + entity.dropFirst(5) : entity
            )
        }
    }
}
