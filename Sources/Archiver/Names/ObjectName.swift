import Foundation
package import JobQueue

/// Names in the archive: `YYYYMM/filename`, safe on every file system that an archive may be restored to.
package enum ObjectName {
    /// Longest file name in UTF-8 bytes, suffix included: file systems allow 255, Cloud Storage 1024 for the whole name.
    static let longestFileName = 240
    /// Longest suffix, `~` included: 26 characters of base32 are 130 bits of the identity's hash.
    static let longSuffix = 26
    static let shortSuffix = 6

    /// Names to try for a part, best first: as it is called, with a short suffix, with a long one.
    ///
    /// - Parameters:
    ///   - filename: as the source reports it; nil and empty are named after the identity.
    ///   - mimeType: gives an extension to a nameless item.
    ///   - folder: month folder.
    ///   - identity: decides the suffixes, so that a name never depends on the order of arrival of later files.
    /// - Returns: three names in that order.
    package static func candidates(
        filename: String?,
        mimeType: String?,
        folder: String,
        identity: Identity
    ) -> [NameCandidate] {
        let (stem, pathExtension) = safeParts(filename: filename, mimeType: mimeType, part: identity.part)
        return [nil, identity.suffix(length: shortSuffix), identity.suffix(length: longSuffix)].map { suffix in
            let tail = (suffix.map { "~" + $0 } ?? "") + pathExtension
            let name = folder + "/" + truncate(stem, toBytes: longestFileName - tail.utf8.count) + tail
            return NameCandidate(name: name, key: key(name))
        }
    }

    /// What must be unique: NFC and without case, as macOS and Windows compare names.
    ///
    /// Upper case first makes it a case folding (`ß` and `SS` meet, as do `ſ` and `s`).
    package static func key(_ name: String) -> String {
        name.precomposedStringWithCanonicalMapping.uppercased().lowercased().precomposedStringWithCanonicalMapping
    }

    /// The longest prefix of whole characters that fits.
    static func truncate(_ text: String, toBytes limit: Int) -> String {
        guard text.utf8.count > limit else { return text }
        var kept = ""
        var bytes = 0
        for character in text {
            bytes += character.utf8.count
            if bytes > limit { break }
            kept.append(character)
        }
        // One character may be longer than the limit (a flood of combining marks): fall back to scalars.
        if kept.isEmpty {
            for scalar in text.unicodeScalars {
                guard kept.utf8.count + scalar.utf8.count <= limit else { break }
                kept.unicodeScalars.append(scalar)
            }
        }
        return kept
    }

    /// A harmless stem and an extension with its dot (or none).
    private static func safeParts(filename: String?, mimeType: String?, part: PartKind) -> (String, String) {
        var name = String(String.UnicodeScalarView((filename ?? "").unicodeScalars.map(harmless)))
            .precomposedStringWithCanonicalMapping
        while let last = name.unicodeScalars.last, last == "." || last == " " { name.unicodeScalars.removeLast() }
        while let first = name.unicodeScalars.first, first == " " { name.unicodeScalars.removeFirst() }
        if name.first == "." { name = "_" + name.dropFirst() }
        var stem = name
        var pathExtension = ""
        if let dot = name.lastIndex(of: "."), dot != name.startIndex, name[dot...].utf8.count <= 17 {
            stem = String(name[..<dot])
            pathExtension = String(name[dot...])
        }
        if stem.isEmpty { stem = "unnamed" }
        if pathExtension.isEmpty, filename?.isEmpty ?? true { pathExtension = mimeType.flatMap(extensions) ?? "" }
        if part == .motion { pathExtension = ".mp4" }
        if deviceNames.contains(stem.prefix { $0 != "." }.uppercased()) { stem += "_" }
        return (stem, pathExtension)
    }

    /// The scalar itself, or `_` where a bucket tool, a file system or a terminal would stumble over it.
    private static func harmless(_ scalar: Unicode.Scalar) -> Unicode.Scalar {
        switch scalar.value {
        case 0..<0x20, 0x7F..<0xA0, 0xFDD0...0xFDEF: return "_"
        // Separators and wildcards of Windows, shells and gsutil.
        case 0x22, 0x23, 0x2A, 0x2F, 0x3A, 0x3C, 0x3E, 0x3F, 0x5B, 0x5C, 0x5D, 0x7C: return "_"
        // Invisible marks that reorder or join text: a name must look like what it is. The emoji joiner stays.
        case 0x200B, 0x200E, 0x200F, 0x2028...0x202E, 0x2060...0x206F, 0xFEFF: return "_"
        default: return scalar.value & 0xFFFE == 0xFFFE ? "_" : scalar
        }
    }

    /// Names that Windows keeps for devices, with any extension.
    private static let deviceNames: Set<String> = {
        let numbered = (1...9).flatMap { ["COM\($0)", "LPT\($0)"] }
        return Set(["CON", "PRN", "AUX", "NUL"] + numbered)
    }()

    private static func extensions(_ mimeType: String) -> String? {
        switch mimeType.lowercased() {
        case "image/jpeg": ".jpg"
        case "image/png": ".png"
        case "image/heic", "image/heif": ".heic"
        case "image/webp": ".webp"
        case "image/gif": ".gif"
        case "video/mp4": ".mp4"
        case "video/quicktime": ".mov"
        default: nil
        }
    }
}
