import FoundationEssentials
import Glibc

/// The folder that holds objects' bytes, under names that a person can read; or nothing, if only hashes are kept.
///
/// `BUCKET/NAME.gGENERATION` holds bytes (the name percent-encoded and cut), `index.jsonl` a line for each object.
final class Shelf: Sendable {
    /// Nil if only hashes are kept.
    let directory: String?

    init(directory: String?) throws {
        self.directory = directory
        guard let directory else { return }
        try FileManager.default.createDirectory(atPath: directory + "/uploads", withIntermediateDirectories: true)
    }

    /// Where an upload writes; nil if bytes are not kept.
    func uploadPath() -> String? { directory.map { $0 + "/uploads/" + randomText(bytes: 12) } }

    /// Moves an upload to its place and says where that is, relative to the folder.
    func keep(_ upload: String, bucket: String, name: ObjectName, generation: Int64) throws(FileError) -> String {
        let base = directory ?? "."
        _ = unsafe mkdir(base + "/" + bucket, 0o755)
        // Names of files end at 255 bytes (Linux); a cut escape is still legible.
        let readable = String(decoding: percentEncoded(name.text).utf8.prefix(220), as: UTF8.self)
        let place = "\(bucket)/\(readable).g\(generation)"
        if unsafe rename(upload, base + "/" + place) != 0 { throw FileError("move an upload to", place) }
        return place
    }

    func absolute(_ place: String) -> String { (directory ?? ".") + "/" + place }

    func remove(_ place: String) { _ = unsafe unlink(absolute(place)) }

    /// Appends a line to the index.
    func log(_ line: JSONValue) throws(FileError) {
        guard let directory else { return }
        let path = directory + "/index.jsonl"
        let descriptor = unsafe open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0o644)
        if descriptor < 0 { throw FileError("open", path) }
        defer { close(descriptor) }
        let bytes = line.bytes + [0x0A]
        if unsafe write(descriptor, bytes, bytes.count) != bytes.count { throw FileError("write", path) }
    }

    /// What an earlier run left.
    func lines() -> [JSONValue] {
        guard let directory, let data = try? Data(contentsOf: URL(filePath: directory + "/index.jsonl")) else {
            return []
        }
        return data.split(separator: 0x0A).compactMap { JSONValue.parse(Array($0)) }
    }
}
