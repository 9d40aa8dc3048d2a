extension MediaKind {
    /// Judges by the first bytes of a file, the more of them the better.
    ///
    /// Signatures that no text can have come first, then text, then signatures that text might have by chance.
    init(prefix: [UInt8]) {
        self =
            if prefix.isEmpty {
                .empty
            } else {
                Self.certain(prefix) ?? TextSniffer.kind(of: prefix) ?? Self.weak(prefix) ?? .unrecognised
            }
    }

    private static func certain(_ prefix: [UInt8]) -> MediaKind? {
        var reader = ByteReader(prefix)
        guard let word = reader.bigEndian(4) else { return nil }
        let second = reader.bigEndian(4)
        let third = reader.bigEndian(4)
        switch (word, second, third) {
        case _ where word >> 8 == 0xFFD8FF: return .jpeg
        // RFC 1952, 2.3: two bytes of its own, and deflate, the only method.
        case _ where word >> 8 == 0x1F8B08: return .gzip
        case (0x8950_4E47, 0x0D0A_1A0A, _): return .png
        case (fourCC("GIF8"), let rest?, _) where [0x3761, 0x3961].contains(rest >> 16): return .gif
        case (fourCC("RIFF"), _, fourCC("WEBP")): return .webp
        case (fourCC("RIFF"), _, fourCC("AVI ")): return .avi
        case (0x1A45_DFA3, _, _): return .matroska
        case (0x0000_01BA, _, _): return .mpegProgramStream
        // TIFF, BigTIFF, and the raw formats of Olympus and Panasonic that changed its version number.
        case (0x4949_2A00, _, _), (0x4D4D_002A, _, _), (0x4949_2B00, _, _), (0x4D4D_002B, _, _): return .tiff
        case (0x4949_524F, 0x0800_0000, _), (0x4949_5253, 0x0800_0000, _), (0x4949_5500, _, _): return .tiff
        case (_, fourCC("ftyp"), _) where (8..<0x0100_0000).contains(word):
            return branded(prefix.prefix(Int(min(word, UInt64(prefix.count)))))
        default: return nil
        }
    }

    /// Judges a `ftyp` box by its major brand, and by the compatible ones where that is a generic one.
    ///
    /// Brands: ISO/IEC 23008-12 annex B, AVIF specification section 8, mp4ra.org.
    private static func branded(_ box: ArraySlice<UInt8>) -> MediaKind? {
        var reader = ByteReader(box.dropFirst(8))
        guard let major = reader.bigEndian(4), reader.take(4) != nil else { return nil }
        var brands = [major]
        while let brand = reader.bigEndian(4) { brands.append(brand) }
        let avif = [fourCC("avif"), fourCC("avis")]
        let heic = [
            fourCC("heic"), fourCC("heix"), fourCC("heim"), fourCC("heis"), fourCC("hevc"), fourCC("hevx"),
            fourCC("hevm"), fourCC("hevs"),
        ]
        let anyImage = [fourCC("mif1"), fourCC("mif2"), fourCC("msf1"), fourCC("miaf")]
        if avif.contains(major) { return .avif }
        if heic.contains(major) { return .heic }
        if anyImage.contains(major) { return brands.contains(where: avif.contains) ? .avif : .heic }
        if major == fourCC("qt  ") { return .quicktime }
        // Canon's CR3 and JPEG 2000 share the box structure, not the meaning.
        if [fourCC("crx "), fourCC("jp2 "), fourCC("jpx "), fourCC("jpm ")].contains(major) { return nil }
        return .mp4
    }

    private static func weak(_ prefix: [UInt8]) -> MediaKind? {
        if isBitmap(prefix) { return .bmp }
        if isTransportStream(prefix) { return .mpegTransportStream }
        return isBareQuickTime(prefix) ? .quicktime : nil
    }

    /// `BM`, then a DIB header of one of the sizes that exist.
    private static func isBitmap(_ prefix: [UInt8]) -> Bool {
        var reader = ByteReader(prefix)
        guard reader.take(2)?.elementsEqual("BM".utf8) == true, reader.take(12) != nil,
            let size = reader.littleEndian(4)
        else { return false }
        return [12, 16, 40, 52, 56, 64, 108, 124].contains(size)
    }

    /// Three sync bytes in a row: every 188 bytes, or every 192 after four bytes of time code (M2TS, MTS).
    private static func isTransportStream(_ prefix: [UInt8]) -> Bool {
        [(0, 188), (4, 192)].contains { start, stride in
            let places = Swift.stride(from: start, to: prefix.count, by: stride)
            return prefix.count > start + 2 * stride && places.allSatisfy { prefix[$0] == 0x47 }
        }
    }

    /// QuickTime files from before `ftyp` begin with one of these boxes.
    private static func isBareQuickTime(_ prefix: [UInt8]) -> Bool {
        var reader = ByteReader(prefix)
        guard let size = reader.bigEndian(4), let type = reader.bigEndian(4), size <= 1 || size >= 8 else {
            return false
        }
        switch type {
        case fourCC("mdat"): return true
        case fourCC("moov"), fourCC("wide"), fourCC("free"), fourCC("skip"), fourCC("pnot"):
            return size < 0x1000_0000
        default: return false
        }
    }
}
