import Foundation

/// Reads variables and collects what is wrong with them.
struct SettingsReader {
    let values: [String: String]
    let isReadable: (String) -> Bool
    private(set) var faults: [String] = []

    init(values: [String: String], isReadable: @escaping (String) -> Bool) {
        self.values = values
        self.isReadable = isReadable
    }

    /// Notes a fault: a sentence without its full stop.
    mutating func add(_ fault: String) { faults.append(fault) }

    /// A name of the file's that is nearly one of ours would otherwise be a setting that silently does nothing.
    ///
    /// The process's own environment is searched too, but only for near misses: Kubernetes, for one, adds variables such as
    /// `COLDROLL_SERVICE_HOST` where a service is called coldroll.
    mutating func lookForMisspelledNames(in file: [String: String]) {
        let known = Setting.all.map(\.name)
        for name in values.keys.sorted() where !known.contains(name) {
            let upper = name.uppercased()
            // A slip in the first letters too. What is not ours by its first letters may be another program's in the environment.
            let isOurs = upper.hasPrefix("COLD") || file[name] != nil && upper.hasPrefix("GOOGLE_APPLICATION_")
            guard isOurs || file[name] != nil && known.contains(upper) else { continue }
            if let near = nearest(to: upper, among: known) {
                faults.append("\(harmless(name)) is not a setting; did you mean \(near)?")
            } else if file[name] != nil, name.hasPrefix("COLD") || upper.hasPrefix("COLDROLL_") {
                faults.append("\(harmless(name)) is not a setting; 'coldroll help' lists them")
            }
        }
    }

    /// A libpq URI or key/value string; the value is never in a fault, since it may hold a password.
    mutating func conninfo(_ name: String) -> String? {
        guard let text = values[name] else { return nil }
        if !isConninfo(text) {
            faults.append("\(name) is no libpq URI; expected postgresql://user@host/database")
        }
        return text
    }

    mutating func home(isRoot: Bool) -> String {
        if let text = values["COLDROLL_HOME"] {
            absolutePath("COLDROLL_HOME")
            return withoutSlash(text)
        }
        if isRoot { return "/var/lib/coldroll" }
        guard let user = values["HOME"], user.hasPrefix("/") else {
            faults.append("neither COLDROLL_HOME nor HOME names a directory")
            return "/nowhere"
        }
        return withoutSlash(user) + "/.local/share/coldroll"
    }

    mutating func absolutePath(_ name: String) {
        guard let text = values[name], !text.hasPrefix("/") else { return }
        faults.append("\(name) is '\(harmless(text))'; expected an absolute path")
    }

    /// An absolute path that is no directory.
    mutating func keyFile(_ name: String, home: String) -> String {
        absolutePath(name)
        let path = values[name] ?? home + "/key"
        var isDirectory: ObjCBool = false
        if FileManager.default.fileExists(atPath: path, isDirectory: &isDirectory), isDirectory.boolValue {
            faults.append("\(name) is '\(harmless(path))', which is a directory; expected a file")
        }
        return path
    }

    mutating func store(_ name: String, fallback: String) -> String {
        let text = values[name] ?? fallback
        switch StoreURL.normalised(text) {
        case .success(let url): return url
        case .failure(let complaint):
            // A default that cannot be used follows from a home that was already complained of.
            if values[name] != nil { faults.append("\(name) \(complaint.words)") }
            return text
        }
    }

    mutating func compareStores(archive: String, state: String) {
        if archive == state {
            faults.append(
                "COLDROLL_ARCHIVE and COLDROLL_STATE are the same place; the archive holds nothing but photos"
            )
        } else if StoreURL.contains(archive, state) {
            faults.append("COLDROLL_STATE lies inside COLDROLL_ARCHIVE; the archive holds nothing but photos")
        }
    }

    mutating func source() -> Source? {
        guard let text = values["COLDROLL_SOURCE"] else { return nil }
        if let source = Source(text) { return source }
        let near = nearest(to: text, among: ["library", "picker", "takeout"]).map { "; did you mean \($0)?" } ?? ""
        faults.append("COLDROLL_SOURCE is '\(harmless(text))'; expected library, picker or takeout:PATH\(near)")
        return nil
    }

    mutating func account() -> String {
        let text = values["COLDROLL_ACCOUNT"] ?? "default"
        if let fault = Self.fault(ofAccount: text) { faults.append("COLDROLL_ACCOUNT \(fault)") }
        return text
    }

    /// What is wrong with a label, as the end of a sentence; nil if nothing is.
    static func fault(ofAccount text: String) -> String? {
        let hasControls = text.unicodeScalars.contains { $0.properties.generalCategory == .control }
        return text.utf8.count > 200 || hasControls ? "is longer than 200 bytes or has control characters in it" : nil
    }

    /// nil if nobody said.
    mutating func project() -> String? {
        // GOOGLE_CLOUD_PROJECT is the variable of Google's own libraries.
        for name in ["COLDROLL_PROJECT", "GOOGLE_CLOUD_PROJECT"] {
            guard let text = values[name] else { continue }
            if isCloudName(text) { return text }
            // Somebody else's variable is not ours to complain of; it is just no project.
            guard name == "COLDROLL_PROJECT" else { return nil }
            faults.append("\(name) is '\(harmless(text))'; expected the id of a Google Cloud project")
            return nil
        }
        return nil
    }

    mutating func slots() -> SlotCount {
        guard let text = values["COLDROLL_SLOTS"] else { return .auto }
        if let slots = SlotCount(text) { return slots }
        let range = SlotCount.range
        faults.append(
            "COLDROLL_SLOTS is '\(harmless(text))'; expected 'auto' or a whole number from \(range.lowerBound) to "
                + "\(range.upperBound)"
        )
        return .auto
    }

    /// nil if nobody said.
    mutating func keepFailures() -> Duration? {
        guard let text = values["COLDROLL_KEEP_FAILURES"] else { return nil }
        if let span = Span(text) { return span.duration }
        faults.append("COLDROLL_KEEP_FAILURES is '\(harmless(text))'; expected a span such as 90d, at most 366d")
        return nil
    }

    mutating func beat() -> BeatInterval {
        guard let text = values["COLDROLL_BEAT"] else { return .standard }
        if let beat = BeatInterval(text) { return beat }
        let range = BeatInterval.range
        faults.append(
            "COLDROLL_BEAT is '\(harmless(text))'; expected a time from \(range.lowerBound)s to \(range.upperBound)s"
        )
        return .standard
    }

    /// Requests a day: a whole number from 1 to a billion.
    mutating func quota(_ name: String) -> Int? {
        guard let text = values[name] else { return nil }
        if let number = Int(text), text.utf8.allSatisfy({ (48...57).contains($0) }),
            (1...1_000_000_000).contains(number)
        {
            return number
        }
        faults.append("\(name) is '\(harmless(text))'; expected a whole number from 1 to 1000000000, requests a day")
        return nil
    }

    /// Path of a file that can be read.
    mutating func file(_ name: String) -> String? {
        guard let path = values[name] else { return nil }
        if !isReadable(path) { faults.append("\(name) is '\(harmless(path))', which is no file that can be read") }
        return path
    }

    /// Path of a CA bundle; libcurl would only say at the first request that it cannot use it.
    mutating func certificates(_ name: String) -> String? {
        let known = faults.count
        guard let path = file(name), faults.count == known else { return values[name] }
        if let content = FileManager.default.contents(atPath: path), content.range(of: Data("-----BEGIN ".utf8)) == nil
        {
            faults.append("\(name) is '\(harmless(path))', which holds no certificate in PEM form")
        }
        return path
    }

    /// An http or https URL without a query, without a slash at the end.
    mutating func url(_ name: String) -> String? {
        guard let text = values[name] else { return nil }
        if !isWebURL(text) { faults.append("\(name) is no http:// or https:// URL without a query") }
        return withoutSlash(text)
    }

    /// As Google's clients read it: with or without a scheme.
    mutating func emulator() -> String? {
        guard let text = values["STORAGE_EMULATOR_HOST"] else { return nil }
        if !isWebURL(text.contains("://") ? text : "http://" + text) {
            faults.append("STORAGE_EMULATOR_HOST is no http:// or https:// URL and no host:port")
        }
        return text
    }

    private func isWebURL(_ text: String) -> Bool {
        guard let url = URL(string: text), let scheme = url.scheme?.lowercased(), let host = url.host else {
            return false
        }
        return ["http", "https"].contains(scheme) && !host.isEmpty && url.query == nil && url.fragment == nil
            && url.user == nil
    }

    /// Encrypted, or on this machine.
    func isNotifyURL(_ text: String) -> Bool {
        guard let url = URL(string: text), let host = url.host, !host.isEmpty, url.user == nil else { return false }
        switch url.scheme?.lowercased() {
        case "https": return true
        case "http": return ["127.0.0.1", "localhost", "::1"].contains(host.lowercased())
        default: return false
        }
    }

    private func withoutSlash(_ text: String) -> String {
        var text = text
        while text.count > 1, text.hasSuffix("/") { text.removeLast() }
        return text
    }
}

/// Why there is no reading a file, as the end of a sentence that has its path; `kind` is the kind of file that it should be.
func whyUnreadable(_ path: String, kind: String = "file") -> String {
    guard !FileManager.default.fileExists(atPath: path) else { return "which is no \(kind) that can be read" }
    guard path.hasPrefix("~") else { return "which does not exist, or is in a directory that cannot be looked into" }
    return "which does not exist: a shell does not put your home in place of a ~ within quotes; write the whole path"
}

/// Whether this process can read the file.
func isReadableFile(_ path: String) -> Bool {
    var isDirectory: ObjCBool = false
    return FileManager.default.fileExists(atPath: path, isDirectory: &isDirectory) && !isDirectory.boolValue
        && FileManager.default.isReadableFile(atPath: path)
}

/// Whether libpq would take it for a URI or a key/value string.
func isConninfo(_ text: String) -> Bool {
    let isURI = text.hasPrefix("postgresql://") || text.hasPrefix("postgres://")
    return isURI || (!text.contains("://") && text.contains("="))
}
