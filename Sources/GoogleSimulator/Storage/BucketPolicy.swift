extension BucketRecord {
    /// The policy as the API shows it (JSON API reference: buckets.getIamPolicy).
    ///
    /// `version` is what the caller can read: below 3 a binding with a condition comes under a changed role's name.
    func policy(version: Int64) -> JSONValue {
        let all = merged(legacy + bindings.flatMap(pairs))
        let isConditional = all.contains { $0["condition"] != nil }
        return .members(
            ("kind", .string("storage#policy")),
            ("resourceId", .string("projects/_/buckets/" + name)),
            ("version", .integer(isConditional && version >= 3 ? 3 : 1)),
            ("etag", .string(Self.etag(metageneration))),
            ("bindings", .array(version >= 3 ? all : all.map(renamed)))
        )
    }

    private typealias Pair = (role: String, member: String, condition: JSONValue?)

    /// What a bucket begins with: the project's people, and with uniform access their rights on objects.
    private var legacy: [Pair] {
        let owners = ["projectEditor:" + project, "projectOwner:" + project]
        let viewers = ["projectViewer:" + project]
        var roles = [("legacyBucketOwner", owners), ("legacyBucketReader", viewers)]
        if isUniform { roles += [("legacyObjectOwner", owners), ("legacyObjectReader", viewers)] }
        var pairs: [Pair] = []
        for (role, members) in roles {
            pairs += members.map { member in ("roles/storage." + role, member, nil) }
        }
        guard !isUniform else { return pairs }
        return pairs + acl.bindings.map { binding -> Pair in (binding.role, binding.member, nil) }
    }

    private func pairs(_ binding: JSONValue) -> [Pair] {
        let role = binding["role"]?.text ?? ""
        return (binding["members"]?.elements ?? []).compactMap(\.text).map { (role, $0, binding["condition"]) }
    }

    /// One binding for each role and condition, in the order in which they first appear.
    private func merged(_ pairs: [Pair]) -> [JSONValue] {
        var order: [(role: String, condition: JSONValue?, members: [String])] = []
        for pair in pairs {
            if let index = order.firstIndex(where: { $0.role == pair.role && $0.condition == pair.condition }) {
                if !order[index].members.contains(pair.member) { order[index].members.append(pair.member) }
            } else {
                order.append((pair.role, pair.condition, [pair.member]))
            }
        }
        return order.map { binding in
            .members(
                ("role", .string(binding.role)),
                ("members", .array(binding.members.map { .string($0) })),
                ("condition", binding.condition)
            )
        }
    }

    private func renamed(_ binding: JSONValue) -> JSONValue {
        guard binding["condition"] != nil, let role = binding["role"]?.text else { return binding }
        // IAM: "policies with conditions in version 1" show the role with `_withcond_` and a hash.
        let hash = role.utf8.reduce(UInt64(1)) { mixed($0 ^ UInt64($1)) }
        let digits = hash.bigEndianBytes.flatMap { [hexDigit($0 >> 4), hexDigit($0 & 15)] }
        let suffix = String(decoding: digits, as: UTF8.self)
        return binding.setting("condition", to: nil).setting("role", to: .string(role + "_withcond_" + suffix))
    }
}
