import Blocking

/// Reads whole files on a queue of its own, so that a large one holds up nobody else.
actor FileHasher {
    private let queue = SerialQueueExecutor(label: "coldroll.hash")
    nonisolated var unownedExecutor: UnownedSerialExecutor { queue.asUnownedSerialExecutor() }

    /// The object behind a sighting.
    func settle(_ sighting: Sighting) throws(StorageError) -> StoredObject { try sighting.settled() }
}
