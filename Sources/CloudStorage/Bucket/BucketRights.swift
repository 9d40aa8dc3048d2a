/// Which rights coldroll needs in a bucket, and which it is better off without.
package enum BucketRights {
    /// Permissions that scan, work and run need.
    ///
    /// Overwriting the marker takes delete (Cloud Storage docs: "IAM permissions for JSON methods"); the archive is never
    /// overwritten.
    package static func needed(_ use: BucketUse) -> [String] {
        let both = [BucketOperation.create, .get, .list].map(\.rawValue)
        return use == .archive ? both : both + [BucketOperation.replace.rawValue]
    }

    /// Permissions by which photos could be lost, or seen by others.
    private static let dangerous = [
        "storage.objects.delete", "storage.objects.update", "storage.objects.move", "storage.objects.setIamPolicy",
        "storage.folders.delete", "storage.buckets.delete", "storage.buckets.update", "storage.buckets.setIamPolicy",
    ]

    /// What `Bucket.held` is to be asked for.
    package static func asked(_ use: BucketUse) -> [String] {
        let settings = [BucketOperation.readBucket, .readPolicy, .changeBucket].map(\.rawValue)
        return (needed(use) + settings + dangerous).reduce(into: []) { all, next in
            if !all.contains(next) { all.append(next) }
        }
    }

    /// Predefined roles that hold what is needed and as little else as there is.
    ///
    /// Cloud Storage docs, "IAM roles for Cloud Storage": Object Creator has create; Object Viewer has get and list; Object
    /// User has those, delete and update.
    package static func roles(_ use: BucketUse) -> [String] {
        use == .archive
            ? ["roles/storage.objectCreator", "roles/storage.objectViewer"] : ["roles/storage.objectUser"]
    }

    /// Command lines that give the roles to a member such as `serviceAccount:NAME@PROJECT.iam.gserviceaccount.com`.
    package static func grants(_ use: BucketUse, bucket: String, member: String) -> [String] {
        roles(use).map {
            "gcloud storage buckets add-iam-policy-binding gs://\(bucket) --member=\(member) --role=\($0)"
        }
    }

    /// What is wrong with the rights that are held.
    ///
    /// - Parameters:
    ///   - held: those of `asked` that Google says the credentials have.
    ///   - use: what the bucket is for.
    ///   - bucket: its name.
    ///   - member: who is asked for, for the command line.
    /// - Returns: a refusal where something is missing; advice where there is more in the archive than is needed.
    package static func findings(
        held: Set<String>,
        use: BucketUse,
        bucket: String,
        member: String
    ) -> [BucketFinding] {
        let missing = needed(use).filter { !held.contains($0) }
        if !missing.isEmpty {
            return [
                BucketFinding(
                    .missingRights,
                    .refusal,
                    "The credentials may not use gs://\(bucket) as \(use == .archive ? "an archive" : "a state store"): "
                        + "they lack \(missing.joined(separator: ", "))."
                        + (held.isEmpty
                            ? " If the bucket is not yours, choose another name: all of Google Cloud shares them."
                            : ""),
                    fix: grants(use, bucket: bucket, member: member).joined(separator: " && ")
                )
            ]
        }
        let excess = dangerous.filter { held.contains($0) }
        guard use == .archive, !excess.isEmpty else { return [] }
        return [
            BucketFinding(
                .excessRights,
                .advice,
                "The credentials may do more in the archive gs://\(bucket) than coldroll ever does: "
                    + "\(excess.joined(separator: ", ")). Whoever steals them could destroy it, or show it to others.",
                fix:
                    "Let scan, work and run use a service account that has only \(roles(use).joined(separator: " and ")) "
                    + "there."
            )
        ]
    }
}
