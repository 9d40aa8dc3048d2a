import CExif

/// What the EXIF data of a picture says (libexif).
struct ExifFacts: Sendable {
    var captured: Timestamp?
    var isTurned = false
    var camera = LibraryItem.Camera()

    /// Looks for EXIF in the head of a file: in a JPEG's APP1, or wherever a HEIC or WebP has put it.
    init(head: [UInt8]) {
        let name: [UInt8] = Array("Exif".utf8) + [0, 0]
        guard let start = position(of: name, in: head, from: 0) else { return }
        guard let data = unsafe exif_data_new() else { return }
        defer { unsafe exif_data_unref(data) }
        let block = Array(head[start...].prefix(128 * 1024))
        unsafe block.withUnsafeBufferPointer {
            unsafe exif_data_load_data(data, $0.baseAddress, UInt32($0.count))
        }
        captured = unsafe captureTime(data)
        let orientation = unsafe text(data, EXIF_TAG_ORIENTATION, EXIF_IFD_0, isRaw: true).flatMap { Int64($0) }
        isTurned = (orientation ?? 1) >= 5
        camera.make = unsafe text(data, EXIF_TAG_MAKE, EXIF_IFD_0)
        camera.model = unsafe text(data, EXIF_TAG_MODEL, EXIF_IFD_0)
        camera.focalLength = unsafe number(data, EXIF_TAG_FOCAL_LENGTH)
        camera.apertureFNumber = unsafe number(data, EXIF_TAG_FNUMBER)
        camera.isoEquivalent = unsafe number(data, EXIF_TAG_ISO_SPEED_RATINGS).map { Int64($0) }
        camera.exposureSeconds = unsafe number(data, EXIF_TAG_EXPOSURE_TIME)
    }
}

private typealias Entry = UnsafeMutablePointer<ExifEntry>

private func entry(_ data: UnsafeMutablePointer<ExifData>, _ tag: ExifTag, _ directory: ExifIfd) -> Entry? {
    let content = unsafe withUnsafeBytes(of: data.pointee.ifd) {
        unsafe $0.bindMemory(to: UnsafeMutablePointer<ExifContent>?.self)[Int(directory.rawValue)]
    }
    return unsafe content.flatMap { unsafe exif_content_get_entry($0, tag) }
}

private func captureTime(_ data: UnsafeMutablePointer<ExifData>) -> Timestamp? {
    let original = unsafe text(data, EXIF_TAG_DATE_TIME_ORIGINAL, EXIF_IFD_EXIF)
    let digitized = unsafe original ?? text(data, EXIF_TAG_DATE_TIME_DIGITIZED, EXIF_IFD_EXIF)
    guard let written = unsafe digitized ?? text(data, EXIF_TAG_DATE_TIME, EXIF_IFD_0) else { return nil }
    return Timestamp(written)
}

/// An entry as text; numbers only if asked for raw ones.
private func text(
    _ data: UnsafeMutablePointer<ExifData>,
    _ tag: ExifTag,
    _ directory: ExifIfd,
    isRaw: Bool = false
) -> String? {
    guard let entry = unsafe entry(data, tag, directory) else { return nil }
    if isRaw {
        guard unsafe entry.pointee.format == EXIF_FORMAT_SHORT, unsafe entry.pointee.data != nil else { return nil }
        return unsafe String(exif_get_short(entry.pointee.data, exif_data_get_byte_order(data)))
    }
    guard unsafe entry.pointee.format == EXIF_FORMAT_ASCII, let start = unsafe entry.pointee.data else { return nil }
    let bytes = unsafe Array(UnsafeBufferPointer(start: start, count: Int(entry.pointee.size)))
    let text = String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
    return text.isEmpty ? nil : text
}

private func number(_ data: UnsafeMutablePointer<ExifData>, _ tag: ExifTag) -> Double? {
    guard let entry = unsafe entry(data, tag, EXIF_IFD_EXIF), let start = unsafe entry.pointee.data else { return nil }
    let order = unsafe exif_data_get_byte_order(data)
    switch unsafe entry.pointee.format {
    case EXIF_FORMAT_SHORT where unsafe entry.pointee.size >= 2:
        return unsafe Double(exif_get_short(start, order))
    case EXIF_FORMAT_RATIONAL where unsafe entry.pointee.size >= 8:
        let rational = unsafe exif_get_rational(start, order)
        return rational.denominator == 0 ? nil : Double(rational.numerator) / Double(rational.denominator)
    default: return nil
    }
}
