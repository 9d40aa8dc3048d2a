import CloudStorage
import HTTPClient

extension Session {
    /// Stops before anything is stored in a bucket that `setup` would refuse.
    ///
    /// One request more for a process; of a bucket without public access prevention its policy is asked for as well, by a
    /// token of its own. Credentials that may not look at the bucket see nothing of it, and go on.
    /// - Parameters:
    ///   - archive: the archive's bucket; nil for a directory, which has no such settings.
    ///   - http: the process's event loop.
    /// - Throws: `CommandFailure` with all that makes it unsafe, in `setup`'s words; `StorageError` where nothing answers.
    func refuseUnsafe(_ archive: Bucket?, _ http: HTTPClient) async throws {
        guard let archive, let settings = try await unlessDenied({ try await archive.read() }) else { return }
        var policy: BucketPolicy?
        if !settings.preventsPublicAccess {
            policy = try await unlessDenied {
                try await openBuckets(http).first { $0.use == .archive }?.bucket.policy()
            }
        }
        let findings = BucketJudgement.findings(settings, policy: policy, use: .archive, prefix: archive.prefix)
        let refusals = findings.filter { $0.gravity == .refusal }
        guard let first = refusals.first else { return }
        throw CommandFailure(
            first.failure.status,
            (refusals.map(\.sentences)
                + ["Nothing was stored. Correct that; 'coldroll setup' tells whether all is in order."])
                .joined(separator: "\n")
        )
    }

    /// What is asked for; nil also where the credentials may not ask.
    private func unlessDenied<Value>(_ ask: () async throws -> Value?) async throws -> Value? {
        do {
            return try await ask()
        } catch let error as StorageError where error.code == .denied {
            return nil
        }
    }
}
