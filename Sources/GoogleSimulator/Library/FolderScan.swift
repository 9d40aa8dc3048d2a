import Checksums
import FoundationEssentials

/// Reads a folder of real photos and videos as a library.
struct FolderScan {
    /// Names of kinds that Google Photos takes (Google Photos Help: file types and sizes).
    private static let types: [String: (mime: String, kind: LibraryItem.Kind)] = [
        "jpg": ("image/jpeg", .photo), "jpeg": ("image/jpeg", .photo), "png": ("image/png", .photo),
        "heic": ("image/heif", .photo), "heif": ("image/heif", .photo), "webp": ("image/webp", .photo),
        "gif": ("image/gif", .photo), "bmp": ("image/bmp", .photo), "ico": ("image/x-icon", .photo),
        "tif": ("image/tiff", .photo), "tiff": ("image/tiff", .photo), "avif": ("image/avif", .photo),
        "dng": ("image/x-adobe-dng", .photo), "cr2": ("image/x-canon-cr2", .photo),
        "cr3": ("image/x-canon-cr3", .photo), "nef": ("image/x-nikon-nef", .photo),
        "arw": ("image/x-sony-arw", .photo), "orf": ("image/x-olympus-orf", .photo),
        "rw2": ("image/x-panasonic-rw2", .photo), "raf": ("image/x-fuji-raf", .photo),
        "mp4": ("video/mp4", .video), "m4v": ("video/mp4", .video), "mp": ("video/mp4", .video),
        "mov": ("video/quicktime", .video), "avi": ("video/x-msvideo", .video), "3gp": ("video/3gpp", .video),
        "mkv": ("video/x-matroska", .video), "webm": ("video/webm", .video), "mts": ("video/mp2t", .video),
        "m2ts": ("video/mp2t", .video), "mpg": ("video/mpeg", .video), "wmv": ("video/x-ms-wmv", .video),
    ]
    /// How much of a file is looked at; a HEIC and a film for the web have their heads there.
    private static let headLength = 1 << 20

    /// All photos and videos below a folder, in the order of their paths; other files are passed over, and links that lead
    /// nowhere.
    static func items(in directory: String) throws -> [LibraryItem] {
        // It says what is wrong in words of its own, where the folder cannot be read.
        _ = try FileReader(directory)
        let paths = try FileManager.default.subpathsOfDirectory(atPath: directory).sorted()
        return try paths.filter { FileManager.default.fileExists(atPath: directory + "/" + $0) }
            .compactMap { try item(path: directory + "/" + $0, identity: $0) }
    }

    /// One file, whose id is made from `identity`; nil if it is no photo or video, or empty.
    static func item(path: String, identity: String) throws -> LibraryItem? {
        let name = path.split(separator: "/").last.map(String.init) ?? path
        let ending = name.split(separator: ".").last.map { $0.lowercased() } ?? ""
        guard let type = types[ending], let (size, fileTime) = try FileReader(path).sizeAndTime(), size > 0 else {
            return nil
        }
        let head = try read(path, from: 0, count: Int(min(Int64(headLength), size)))
        let exif = type.kind == .photo ? ExifFacts(head: head) : nil
        let shape = try pictureSize(head) ?? trailingSize(path, size: size, kind: type.kind)
        let isTurned = exif?.isTurned ?? false
        let wait = markedSeconds(name, after: ".processing-")
        return LibraryItem(
            id: "AGj1" + base64URL(sha256(Array(identity.utf8))),
            filename: name,
            mimeType: type.mime,
            kind: type.kind,
            width: isTurned ? shape?.height : shape?.width,
            height: isTurned ? shape?.width : shape?.height,
            creation: exif?.captured ?? fileTime,
            hasCaptureTime: type.kind == .video || exif?.captured != nil,
            camera: exif?.camera ?? LibraryItem.Camera(),
            content: .file(path: path, size: size),
            clip: try clip(path, size: size, head: head, kind: type.kind),
            readyAt: wait.map { Timestamp.now.adding(seconds: $0) },
            isFailed: name.utf8Contains(".failed.")
        )
    }

    /// A film that was not made for the web has its head at the end.
    private static func trailingSize(
        _ path: String,
        size: Int64,
        kind: LibraryItem.Kind
    ) throws -> (width: Int64, height: Int64)? {
        guard kind == .video, size > Int64(headLength) else { return nil }
        let tail = try read(path, from: size - Int64(headLength), count: headLength)
        return pictureSize(Array("\0\0\0\u{8}ftyp\0\0\0\0".utf8) + tail)
    }

    /// The `30` of `holiday.processing-30s.mp4`.
    private static func markedSeconds(_ name: String, after mark: String) -> Double? {
        guard let start = position(of: Array(mark.utf8), in: Array(name.utf8), from: 0) else { return nil }
        let digits = name.utf8.dropFirst(start + mark.utf8.count).prefix { $0 >= 0x30 && $0 <= 0x39 }
        return Double(String(decoding: digits, as: UTF8.self))
    }

    /// The film at the end of a motion photo: what follows the first `ftyp` box after a picture that says it has one.
    private static func clip(
        _ path: String,
        size: Int64,
        head: [UInt8],
        kind: LibraryItem.Kind
    ) throws -> LibraryItem.Clip? {
        let marks = ["MotionPhoto", "MicroVideo"]
        guard kind == .photo, head.starts(with: [0xFF, 0xD8]),
            marks.contains(where: { position(of: Array($0.utf8), in: head, from: 0) != nil })
        else { return nil }
        let whole = size > Int64(head.count) ? try read(path, from: 0, count: Int(size)) : head
        var start = 2
        while let name = position(of: Array("ftyp".utf8), in: whole, from: start) {
            if name >= 4, boxesReachEnd(whole, from: name - 4) {
                return LibraryItem.Clip(offset: Int64(name - 4), count: size - Int64(name - 4))
            }
            start = name + 1
        }
        return nil
    }

    private static func boxesReachEnd(_ bytes: [UInt8], from start: Int) -> Bool {
        var index = start
        while index + 8 <= bytes.count {
            let length = Int(UInt32(bigEndian: bytes[index..<index + 4]))
            if length == 0 { return true }
            guard length >= 8 || length == 1 else { return false }
            if length == 1 {
                guard index + 16 <= bytes.count else { return false }
                index += Int(clamping: UInt64(bigEndian: bytes[index + 8..<index + 16]))
            } else {
                index += length
            }
        }
        return index == bytes.count
    }

    private static func read(_ path: String, from offset: Int64, count: Int) throws -> [UInt8] {
        let handle = try FileReader(path)
        return try handle.read(from: offset, count: count)
    }
}
