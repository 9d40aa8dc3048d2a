import Blocking
import Checksums

#if canImport(Glibc)
import Glibc
#else
import Darwin
#endif

/// Names and looks up the files of one directory, on a queue of its own; the manifest's lock orders it among processes.
actor DirectoryKeeper {
    private let queue = SerialQueueExecutor(label: "coldroll.directory")
    nonisolated var unownedExecutor: UnownedSerialExecutor { queue.asUnownedSerialExecutor() }

    nonisolated let root: String
    private var manifest: Manifest
    private var isPrepared = false
    /// What `identity` answered: another mark later is another place.
    private var id: String?

    init(root: String) {
        self.root = root
        manifest = Manifest(path: "\(root)/\(DirectoryNames.own)/manifest.jsonl")
    }

    private func path(_ name: String) -> String { "\(root)/\(name)" }

    // MARK: The place

    /// Makes the root with its parents, if it is missing.
    func create() throws(StorageError) {
        try makeFolders(for: root + "/x", below: "")
        isPrepared = false
        try prepare()
    }

    /// Makes coldroll's own folder, once: if it vanishes later the disk was unmounted, and nothing is written below its mount point.
    func prepare() throws(StorageError) {
        try checkRoot()
        if isPrepared {
            guard try FileStatus.ofLink(manifest.path) != nil else { throw vanished }
            if let id, try readIdentity() != id { throw vanished }
            return
        }
        try makeFolders(for: manifest.path, below: root)
        let file = try OpenFile(manifest.path, O_RDWR | O_CREAT)
        try file.synchronize()
        try synchronizeFolder("\(root)/\(DirectoryNames.own)")
        isPrepared = true
    }

    /// The mark of this directory, 26 random characters, written when it is first asked for.
    func identity() throws(StorageError) -> String {
        try prepare()
        let known = try locked { _ throws(StorageError) in
            if let known = try self.readIdentity() { return known }
            let letters = Array("abcdefghijklmnopqrstuvwxyz234567")
            let new = String((0..<26).map { _ in letters[Int.random(in: 0..<letters.count)] })
            let temporary = "\(root)/\(DirectoryNames.own)/\(DirectoryNames.temporary)id"
            let file = try OpenFile(temporary, O_RDWR | O_CREAT | O_TRUNC)
            try file.append(Array((new + "\n").utf8))
            try file.synchronize()
            try systemCall("Naming \(identityPath)") { rename(temporary, identityPath) }
            try synchronizeFolder("\(root)/\(DirectoryNames.own)")
            return new
        }
        id = known
        return known
    }

    /// What `prepare` would find, and the mark that `identity` would answer; nil where neither has been here yet.
    ///
    /// Writes nothing: a disk that is not mounted leaves its mount point as it was.
    func inspect() throws(StorageError) -> String? {
        try checkRoot()
        let own = "\(root)/\(DirectoryNames.own)"
        let isKnown = try FileStatus.ofLink(own) != nil
        // What is named and renamed stands in both.
        for folder in isKnown ? [root, own] : [root] {
            try systemCall("Writing into \(folder)") { access(folder, W_OK | X_OK) }
        }
        return try readIdentity()
    }

    private var identityPath: String { "\(root)/\(DirectoryNames.own)/id" }

    private func readIdentity() throws(StorageError) -> String? {
        guard let file = try OpenFile.existing(identityPath, O_RDONLY) else { return nil }
        let text = String(decoding: try file.read(200, at: 0), as: UTF8.self)
        let id = text.prefix { !$0.isWhitespace }
        return id.isEmpty ? nil : String(id)
    }

    /// Throws `.noBucket` unless the root is a folder.
    func checkRoot() throws(StorageError) {
        if let root = try OpenFile.existing(root, O_RDONLY), try root.status().isFolder { return }
        throw StorageError(
            code: .noBucket,
            message: "There is no directory \(root). Mount the disk that holds it, or make it: mkdir -p '\(root)'"
        )
    }

    private var vanished: StorageError {
        StorageError(
            code: .noBucket,
            message:
                "\(root) has lost its folder \(DirectoryNames.own), or is another one now: is the disk still mounted?"
        )
    }

    /// Holds the lock that all writers of this directory take, whichever process they are in.
    private func locked<Value>(
        _ body: (borrowing OpenFile) throws(StorageError) -> Value
    ) throws(StorageError) -> Value {
        guard let file = try OpenFile.existing(manifest.path, O_RDWR | O_APPEND) else {
            throw vanished
        }
        // A file system without locks has one process at a time, or O_EXCL and the exclusive rename alone.
        while flock(file.descriptor, LOCK_EX) < 0, errno == EINTR {}
        return try body(file)
    }

    // MARK: Writing

    /// Gives a finished file its name, unless something has it: nil.
    ///
    /// The manifest's line comes first, and is given its generation here.
    func publish(
        _ file: TemporaryFile,
        _ line: ManifestLine,
        ways: [Publishing] = Publishing.allCases
    ) throws(StorageError) -> StoredObject? {
        let target = path(line.name)
        return try locked { manifest throws(StorageError) in
            var isLeftover = false
            if try FileStatus.ofLink(target) != nil {
                isLeftover = try self.isPlaceholder(line.name)
                guard isLeftover else { return nil }
            }
            var line = line
            line.generation = Self.now.generation
            try Manifest.append(try line.encoded(), to: manifest)
            if isLeftover {
                try systemCall("Naming \(target)") { rename(file.path, target) }
            } else {
                guard try Publishing.publish(file.path, as: target, ways: ways) else { return nil }
            }
            try synchronizeFolder(folder(of: target))
            return line.stored
        }
    }

    /// Whether an empty file is what a crash left of a placeholder: its line speaks of bytes.
    private func isPlaceholder(_ name: String) throws(StorageError) -> Bool {
        guard let status = try FileStatus.ofLink(path(name)), status.isFile, status.size == 0 else { return false }
        return try manifest.line(for: name).map { $0.size > 0 } ?? false
    }

    /// Replaces a small file; its generation is its time, so one rename changes both.
    ///
    /// False if it has another generation.
    func replace(_ name: String, with bytes: [UInt8], ifGeneration wanted: Int64?) throws(StorageError) -> Bool {
        let target = path(name)
        try makeFolders(for: target, below: root)
        return try locked { _ throws(StorageError) in
            let sighting = try self.look(name)
            let current = try sighting?.settled().generation ?? 0
            if let wanted, wanted != current { return false }
            let temporary = "\(root)/\(DirectoryNames.own)/\(DirectoryNames.temporary)replace"
            do throws(StorageError) {
                // The lock makes it ours; what a crash left goes, with whatever rights it had.
                unlink(temporary)
                let file = try OpenFile(temporary, O_RDWR | O_CREAT | O_TRUNC)
                if DirectoryNames.isSecret(name) {
                    try systemCall("Closing \(temporary) to others") { fchmod(file.descriptor, 0o600) }
                }
                try file.append(bytes)
                try Self.stamp(file, after: current)
                try file.synchronize()
                try systemCall("Naming \(target)") { rename(temporary, target) }
            } catch {
                unlink(temporary)
                throw error
            }
            try synchronizeFolder(folder(of: target))
            return true
        }
    }

    /// Gives a file the present as its time, or as much later as the file system needs to tell it from `generation`.
    private static func stamp(_ file: borrowing OpenFile, after generation: Int64) throws(StorageError) {
        var micros = max(now.generation, generation + 1)
        repeat {
            let time = timespec(tv_sec: Int(micros / 1_000_000), tv_nsec: Int(micros % 1_000_000) * 1000)
            let result = withUnsafePointer(to: (time, time)) {
                $0.withMemoryRebound(to: timespec.self, capacity: 2) { futimens(file.descriptor, $0) }
            }
            if result < 0 { throw fileError(errno, "Dating \(file.path)") }
            // FAT counts in steps of two seconds.
            micros += 2_000_000
        } while try file.status().generation <= generation
    }

    static var now: CaptureTime {
        var time = timespec()
        clock_gettime(CLOCK_REALTIME, &time)
        return CaptureTime(seconds: Int64(time.tv_sec), nanoseconds: Int(time.tv_nsec))
    }

    // MARK: Looking

    /// What stands under a name; nil if nothing does.
    ///
    /// Not yet hashed if the manifest does not know it by size and time.
    func look(_ name: String) throws(StorageError) -> Sighting? {
        guard let status = try OpenFile.existing(path(name), O_RDONLY | O_NONBLOCK)?.status(), status.isFile else {
            return nil
        }
        let line = try manifest.line(for: name)
        if status.size == 0, let line, line.size > 0 { return nil }
        return Sighting(name: name, path: path(name), status: status, line: line)
    }

    /// Whether something that is no file has the name: a folder, a broken link, a socket.
    func isOccupied(_ name: String) throws(StorageError) -> Bool {
        guard let status = try FileStatus.ofLink(path(name)), !status.isFile else { return false }
        return try look(name) == nil
    }

    /// A small file's bytes, all of one generation: files here are replaced, never changed.
    func read(_ name: String) throws(StorageError) -> (bytes: [UInt8], generation: Int64)? {
        guard let file = try OpenFile.existing(path(name), O_RDONLY | O_NONBLOCK) else { return nil }
        let status = try file.status()
        guard status.isFile else { return nil }
        let sighting = Sighting(name: name, path: path(name), status: status, line: try manifest.line(for: name))
        return (try file.read(Int(status.size), at: 0), try sighting.settled().generation)
    }

    /// Up to `most` files whose names start with `prefix` and come after `token`.
    func page(prefix: String, after token: String?, most: Int) throws(StorageError) -> [Sighting] {
        try checkRoot()
        var walk = DirectoryWalk(root: root, prefix: prefix, after: token, most: most)
        try walk.run()
        var sightings: [Sighting] = []
        for name in walk.found {
            if let sighting = try look(name) { sightings.append(sighting) }
        }
        return sightings
    }

    // MARK: Cleaning

    /// Removes what dead processes left half-written; living writers hold a lock on theirs.
    func clean() throws(StorageError) {
        let gate = try OpenFile(TemporaryFile.gate(of: root), O_RDWR | O_CREAT)
        while flock(gate.descriptor, LOCK_EX) < 0, errno == EINTR {}
        var walk = DirectoryWalk(root: root, temporaries: true)
        try walk.run()
        for name in walk.found {
            guard let file = try OpenFile.existing(path(name), O_RDONLY) else { continue }
            if flock(file.descriptor, LOCK_EX | LOCK_NB) < 0 {
                if errno == EWOULDBLOCK { continue }
                // No locks on this file system: what is older than a day is nobody's.
                var status = stat()
                try systemCall("Looking at \(file.path)") { fstat(file.descriptor, &status) }
                guard time(nil) - status.changed > 86_400 else { continue }
            }
            unlink(file.path)
        }
    }
}

extension stat {
    /// When the inode changed last, in seconds since 1970; no program can set it.
    fileprivate var changed: Int {
        #if canImport(Glibc)
        st_ctim.tv_sec
        #else
        st_ctimespec.tv_sec
        #endif
    }
}

extension CaptureTime {
    /// Microseconds since 1970.
    fileprivate var generation: Int64 { seconds * 1_000_000 + Int64(nanoseconds / 1000) }
}
