import Checksums
import Synchronization

/// All buckets and what stands in them.
final class BucketStore: Sendable {
    /// One bucket: what it is, its objects, when each name and the bucket itself was last written.
    private struct Bucket {
        var record: BucketRecord
        var changed: ContinuousClock.Instant?
        var objects: [ObjectName: ObjectRecord] = [:]
        var names: [ObjectName] = []
        var isSorted = true
        var written: [ObjectName: ContinuousClock.Instant] = [:]
    }

    private struct State {
        var buckets: [String: Bucket] = [:]
        /// When each project last made a bucket.
        var made: [String: ContinuousClock.Instant] = [:]
        var lastGeneration: Int64 = 0
    }

    let shelf: Shelf
    let hasMD5: Bool
    private let limitsWrites: Bool
    private let state = Mutex(State())

    /// Takes up what an earlier run left on the shelf; `limitsWrites` holds each name to one write a second.
    init(shelf: Shelf, hasMD5: Bool, limitsWrites: Bool) {
        self.shelf = shelf
        self.hasMD5 = hasMD5
        self.limitsWrites = limitsWrites
        restore()
    }

    /// Makes a bucket.
    ///
    /// - Throws: `StorageRefusal` if the name is taken, or if the project makes more than one every two seconds.
    func create(_ record: BucketRecord) throws {
        try state.withLock { state in
            if let taken = state.buckets[record.name]?.record { throw StorageRefusal.taken(isForeign: taken.isForeign) }
            let now = ContinuousClock.now
            // "About one every two seconds" (Cloud Storage: quotas and limits).
            if limitsWrites, let last = state.made[record.project], now - last < .seconds(2) {
                throw StorageRefusal.bucketRate(nil)
            }
            state.made[record.project] = now
            state.buckets[record.name] = Bucket(record: record)
            try shelf.log(record.indexLine)
        }
    }

    /// Puts a bucket where there may be one already, whose objects stay; for a test that sets it up.
    func put(_ record: BucketRecord) throws {
        try state.withLock { state in
            let old = state.buckets[record.name]
            if old == nil { state.buckets[record.name] = Bucket(record: record) }
            state.buckets[record.name]?.record = record
            if old?.record.indexLine != record.indexLine { try shelf.log(record.indexLine) }
        }
    }

    /// Changes a bucket at one moment and gives what it is then; `change` says whether it asked for anything.
    func update(_ name: String, _ change: (inout BucketRecord) throws(StorageRefusal) -> Bool) throws -> BucketRecord {
        try state.withLock { state in
            guard let old = state.buckets[name]?.record else { throw StorageRefusal.noBucket() }
            var record = old
            guard try change(&record) else { return old }
            let now = ContinuousClock.now
            if limitsWrites, let last = state.buckets[name]?.changed, now - last < .seconds(1) {
                throw StorageRefusal.bucketRate(name)
            }
            record.touch(.now)
            state.buckets[name]?.record = record
            state.buckets[name]?.changed = now
            try shelf.log(record.indexLine)
            return record
        }
    }

    /// What a bucket is; nil if there is none.
    func bucket(_ name: String) -> BucketRecord? { state.withLock { $0.buckets[name]?.record } }

    var bucketNames: [String] { state.withLock { $0.buckets.keys.sorted() } }

    func object(_ bucket: String, _ name: ObjectName) -> ObjectRecord? {
        state.withLock { $0.buckets[bucket]?.objects[name] }
    }

    /// Makes an object of bytes that are all there; the checks, and the change, happen at one moment.
    func insert(
        _ intent: UploadIntent,
        content: ContentSink,
        hashHeader: String?
    ) throws -> ObjectRecord {
        let (bucket, name) = (intent.bucket, intent.name)
        try content.seal()
        let crc = content.digest.crc.value
        let md5 = content.digest.currentMD5()
        return try state.withLock { state in
            guard let record = state.buckets[bucket]?.record else { throw StorageRefusal.noBucket() }
            let old = state.buckets[bucket]?.objects[name]
            try intent.conditions.check(old)
            if let old {
                try record.require("storage.objects.delete")
                try record.checkRetention(of: old)
            }
            try ClaimedHashes(settings: intent.settings, header: hashHeader).check(crc: crc, md5: md5)
            try admit(bucket, name, isUpdate: old != nil, state: &state)
            // A generation is the time in microseconds, and never the same twice.
            let generation = max(state.lastGeneration + 1, Timestamp.now.microseconds)
            let file = try content.path.map {
                try shelf.keep($0, bucket: bucket, name: name, generation: generation)
            }
            state.lastGeneration = generation
            let object = ObjectRecord(
                bucket: bucket,
                name: name,
                generation: generation,
                size: content.count,
                crc32c: crc,
                md5: md5,
                created: .now,
                settings: intent.settings,
                file: file,
                bytes: content.wholeIfSmall
            )
            Self.put(object, in: &state)
            try shelf.log(object.indexLine)
            if let place = old?.file { shelf.remove(place) }
            return object
        }
    }

    /// Deletes an object.
    func delete(bucket: String, name: ObjectName, conditions: Preconditions) throws {
        try state.withLock { state in
            guard let held = state.buckets[bucket] else { throw StorageRefusal.noBucket() }
            guard let old = held.objects[name] else { throw StorageRefusal.noObject(bucket, name.text) }
            try conditions.check(old)
            try held.record.checkRetention(of: old)
            try admit(bucket, name, isUpdate: true, state: &state)
            state.buckets[bucket]?.objects[name] = nil
            state.buckets[bucket]?.names.removeAll { $0 == name }
            try shelf.log(
                .members(
                    ("deleted", .boolean(true)),
                    ("bucket", .string(bucket)),
                    ("name", .string(name.text)),
                    ("generation", .string(String(old.generation)))
                )
            )
            if let place = old.file { shelf.remove(place) }
        }
    }

    /// Objects from a name on, in the order of names; stops when the closure says so.
    func visit(bucket: String, from start: ObjectName, _ body: (ObjectRecord) -> Bool) throws(StorageRefusal) {
        let (names, objects): ([ObjectName], [ObjectName: ObjectRecord]) = try state.withLock {
            state throws(StorageRefusal) in
            guard state.buckets[bucket] != nil else { throw .noBucket() }
            if state.buckets[bucket]?.isSorted == false {
                state.buckets[bucket]?.names.sort()
                state.buckets[bucket]?.isSorted = true
            }
            return (state.buckets[bucket]?.names ?? [], state.buckets[bucket]?.objects ?? [:])
        }
        for name in names[names.partitioningIndex { $0 >= start }...] {
            guard let object = objects[name] else { continue }
            if !body(object) { return }
        }
    }

    /// All objects of all buckets.
    var everything: [ObjectRecord] {
        state.withLock { state in
            state.buckets.keys.sorted().flatMap { key in
                (state.buckets[key]?.objects.values).map { $0.sorted { $0.name < $1.name } } ?? []
            }
        }
    }

    private func admit(_ bucket: String, _ name: ObjectName, isUpdate: Bool, state: inout State) throws(StorageRefusal)
    {
        guard limitsWrites else { return }
        let now = ContinuousClock.now
        if isUpdate, let last = state.buckets[bucket]?.written[name], now - last < .seconds(1) {
            throw .mutationRate(bucket, name.text)
        }
        state.buckets[bucket]?.written[name] = now
    }

    private static func put(_ object: ObjectRecord, in state: inout State) {
        if state.buckets[object.bucket]?.objects.updateValue(object, forKey: object.name) == nil {
            state.buckets[object.bucket]?.names.append(object.name)
            state.buckets[object.bucket]?.isSorted = false
        }
    }
}

extension BucketStore {
    /// Takes up what the index says, from an earlier run.
    private func restore() {
        for line in shelf.lines() {
            if let record = BucketRecord(indexLine: line) {
                state.withLock { state in
                    if state.buckets[record.name] == nil { state.buckets[record.name] = Bucket(record: record) }
                    state.buckets[record.name]?.record = record
                }
                continue
            }
            guard let bucket = line["bucket"]?.text, let name = line["name"]?.text.map(ObjectName.init) else {
                continue
            }
            state.withLock { state in
                if line["deleted"]?.flag == true {
                    state.buckets[bucket]?.objects[name] = nil
                    state.buckets[bucket]?.names.removeAll { $0 == name }
                } else if let object = Self.object(from: line, bucket: bucket, name: name) {
                    Self.put(object, in: &state)
                    state.lastGeneration = max(state.lastGeneration, object.generation)
                }
            }
        }
    }

    private static func object(from line: JSONValue, bucket: String, name: ObjectName) -> ObjectRecord? {
        guard let generation = line["generation"]?.whole, let size = line["size"]?.whole,
            let crc = line["crc32c"]?.text.flatMap(CRC32C.value(base64:)),
            let settings = try? ObjectSettings(resource: line, defaultClass: "STANDARD", contentType: nil)
        else { return nil }
        let md5 = line["md5Hash"]?.text.flatMap { bytes(base64URL: $0) }
        return ObjectRecord(
            bucket: bucket,
            name: name,
            generation: generation,
            size: size,
            crc32c: crc,
            md5: md5,
            created: Timestamp(microseconds: generation),
            settings: settings,
            file: line["file"]?.text
        )
    }
}
