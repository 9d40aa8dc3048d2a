import Foundation

/// The file that the server's words go to.
struct ServerLog {
    let path: String
    /// Bytes from which on a start begins a new file; the old one is kept as `.1`.
    private static let limit = 1 << 20

    var length: UInt64 {
        ((try? FileManager.default.attributesOfItem(atPath: path))?[.size] as? UInt64) ?? 0
    }

    /// Only while no server writes to it.
    func rotate() {
        guard length > Self.limit else { return }
        // It replaces the one before; where that fails, the log goes on growing, and says so itself.
        _ = rename(path, path + ".1")
    }

    func text(from offset: UInt64) -> String {
        guard let handle = FileHandle(forReadingAtPath: path) else { return "" }
        defer { try? handle.close() }
        guard (try? handle.seek(toOffset: offset)) != nil, let data = try? handle.readToEnd() else { return "" }
        return String(decoding: data, as: UTF8.self)
    }
}
