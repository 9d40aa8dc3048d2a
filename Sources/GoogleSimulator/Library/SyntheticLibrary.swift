/// What `--synthesize` asks for.
package struct SynthesisOptions: Sendable, Equatable {
    package var count: Int
    /// Sizes are spread evenly over this range; bytes, at least 4096.
    package var sizes: ClosedRange<Int64>
    /// How many of a hundred items are videos.
    package var videoPercent: Int

    package init(count: Int, sizes: ClosedRange<Int64> = 1_000_000...20_000_000, videoPercent: Int = 10) {
        self.count = count
        self.sizes = sizes
        self.videoPercent = videoPercent
    }
}

/// A library that exists as arithmetic only: an item is made when it is looked at, so a million of them cost nothing.
struct SyntheticLibrary: Sendable {
    private static let prefix = "AGj2"
    // Ten years before 2024-01-01T00:00:00Z.
    private static let newest: Int64 = 1_704_067_200_000_000
    private static let span: Int64 = 10 * 31_557_600_000_000

    let options: SynthesisOptions
    private let seed: UInt64

    init(_ options: SynthesisOptions, seed: UInt64) {
        self.options = options
        self.seed = mixed(seed)
    }

    var count: Int { options.count }

    /// When an item was taken: the first is the newest, all spread evenly over ten years, in whole seconds.
    func creation(_ ordinal: Int) -> Timestamp {
        let back = Self.span / Int64(max(1, count)) * Int64(ordinal)
        return Timestamp(microseconds: (Self.newest - back) / 1_000_000 * 1_000_000)
    }

    /// The ordinal and a check on it, in text.
    func id(_ ordinal: Int) -> String {
        let number = UInt64(ordinal)
        return Self.prefix + base64URL((number ^ seed).bigEndianBytes + mixed(number ^ mixed(seed)).bigEndianBytes)
            + base64URL(mixed(number &+ seed).bigEndianBytes)
    }

    /// Which item has an id; nil if none.
    func ordinal(id: String) -> Int? {
        guard id.hasPrefix(Self.prefix), let bytes = bytes(base64URL: id.dropFirst(4).prefix(22)), bytes.count == 16
        else { return nil }
        let number = UInt64(bigEndian: bytes[0..<8]) ^ seed
        guard number < UInt64(count), self.id(Int(number)) == id else { return nil }
        return Int(number)
    }

    /// The item in full.
    func item(_ ordinal: Int) -> LibraryItem {
        let bits = mixed(seed &+ mixed(UInt64(ordinal)))
        let isVideo = bits % 100 < UInt64(options.videoPercent)
        let size = size(fraction: Double(bits >> 32) / 4_294_967_296)
        return makeItem(
            id: id(ordinal),
            number: ordinal,
            kind: isVideo ? .video : .photo,
            size: size,
            seed: bits,
            creation: creation(ordinal)
        )
    }

    private func size(fraction: Double) -> Int64 {
        let low = Double(options.sizes.lowerBound)
        let high = Double(options.sizes.upperBound)
        guard high > low else { return options.sizes.lowerBound }
        return Int64(low + (high - low) * fraction)
    }
}

/// A made-up item; its picture is as large as its bytes allow.
func makeItem(
    id: String,
    number: Int,
    kind: LibraryItem.Kind,
    size: Int64,
    seed: UInt64,
    creation: Timestamp,
    filename: String? = nil,
    mimeType: String? = nil,
    readyAt: Timestamp? = nil,
    isFailed: Bool = false
) -> LibraryItem {
    let isVideo = kind == .video
    let digits = String(number % 10_000)
    let name = (isVideo ? "VID_" : "IMG_") + String(repeating: "0", count: 4 - digits.count) + digits
    let isLarge = size >= 65_536
    let width = isVideo ? 1920 : isLarge ? 4032 : 640
    let height = isVideo ? 1080 : isLarge ? 3024 : 480
    let bytes = max(size, SyntheticMedia.smallest)
    let media =
        isVideo
        ? SyntheticMedia(mp4: bytes, seed: seed, width: width, height: height, creation: creation)
        : SyntheticMedia(jpeg: bytes, seed: seed, width: width, height: height, creation: creation)
    return LibraryItem(
        id: id,
        filename: filename ?? name + (isVideo ? ".mp4" : ".jpg"),
        mimeType: mimeType ?? (isVideo ? "video/mp4" : "image/jpeg"),
        kind: kind,
        width: Int64(width),
        height: Int64(height),
        creation: creation,
        hasCaptureTime: true,
        camera: LibraryItem.Camera(make: "Simulator", model: "Synthetic 1"),
        content: .synthetic(media),
        clip: nil,
        readyAt: readyAt,
        isFailed: isFailed
    )
}
