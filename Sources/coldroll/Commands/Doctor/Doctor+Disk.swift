import Foundation

extension Doctor {
    /// Bytes below which a disk is worth a word, and below which a database or a download soon fails.
    static let little: Int64 = 1_000_000_000
    static let tooLittle: Int64 = 100_000_000

    /// Room and the right to write in stores that are directories, and in the home of a private PostgreSQL.
    ///
    /// - Parameter areLedgers: whether the stores are those of the ledger.
    /// - Returns: a line for each place, or one that says that there is none.
    func disks(stores areLedgers: Bool) -> [Diagnosis] {
        let settings = session.settings
        var places = settings.database == nil ? [("COLDROLL_HOME", settings.home)] : []
        for (name, url) in areLedgers ? [("the archive", settings.archive), ("the state store", settings.state)] : [] {
            if let path = DirectoryPlace.path(of: url) { places.append((name, path)) }
        }
        guard !places.isEmpty else {
            return [.skipped(.disk, "Not checked: neither the ledger nor a store is on a disk of this host.")]
        }
        return places.map { Self.judge(name: $0.0, path: $0.1) }
    }

    static func judge(name: String, path: String) -> Diagnosis {
        guard let place = nearestDirectory(to: path) else {
            return .failed(.disk, "\(path) (\(name)) cannot be looked at.", fix: nil, .usage)
        }
        guard access(place, W_OK) == 0 else {
            return unwritable(name: name, place: place, errno)
        }
        var status = statvfs()
        guard statvfs(place, &status) == 0 else {
            return .failed(.disk, "\(place) (\(name)): \(String(cString: strerror(errno))).", fix: nil, .usage)
        }
        return judge(
            name: name,
            place: place,
            free: Int64(clamping: UInt64(status.f_bavail) &* UInt64(status.f_frsize))
        )
    }

    /// What it means that this user may not write.
    static func unwritable(name: String, place: String, _ number: Int32) -> Diagnosis {
        .failed(
            .disk,
            "\(place) (\(name)) cannot be written by this user: \(String(cString: strerror(number))).",
            fix: number == EROFS
                ? "Mount it writable; where the system made it read-only, look in its log for the reason, such as a failing disk."
                : "Change its owner or its rights, or name another directory.",
            .credentials
        )
    }

    /// What so many free bytes mean.
    static func judge(name: String, place: String, free: Int64) -> Diagnosis {
        let room = "\(Quantity.bytes(free)) free in \(place) (\(name))"
        if free < tooLittle { return .failed(.disk, "Only \(room).", fix: "Make room.", .unreachable) }
        return free < little ? .warning(.disk, "Only \(room).", fix: "Make room.") : .ok(.disk, "\(room).")
    }
}
