import JobQueue

extension FoundItem {
    /// A photo as the Library API lists them, the newest first: an id of 60 characters, a name of the camera's own, one
    /// photo every five minutes back from the end of 2025, in months of 28 days.
    init(number: Int) {
        let digits = String(number)
        let id = "AGj1epU" + String(repeating: "x", count: 53 - digits.utf8.count) + digits
        let (month, day) = (number / 8064, number / 288 % 28)
        let folder = "\(2025 - month / 12)" + Self.twoDigits(12 - month % 12)
        let stem = "\(folder)/IMG_\(digits)"
        let names = ["", "~k3f9a2", "~k3f9a2kyx5q7ptowl4ziv6mbhs"].map { suffix in
            let name = stem + suffix + ".JPG"
            return NameCandidate(name: name, key: name.lowercased())
        }
        self.init(
            sourceItem: id,
            filename: "IMG_\(digits).JPG",
            mimeType: "image/jpeg",
            captureTime: "\(folder.prefix(4))-\(folder.suffix(2))-" + Self.twoDigits(28 - day) + "T"
                + Self.twoDigits(23 - number / 12 % 24) + ":" + Self.twoDigits(55 - number % 12 * 5) + ":00Z",
            captureFrom: "api",
            width: 4032,
            height: 3024,
            isVideo: false,
            parts: [NewPart(kind: .still, folderMonth: folder, names: names)]
        )
    }

    private static func twoDigits(_ number: Int) -> String { (number < 10 ? "0" : "") + "\(number)" }
}

extension ObjectRecord {
    /// What a bucket would have answered.
    init(part: Int64) {
        self.init(
            generation: 1_704_067_200_000_000 + part,
            size: 3_000_000 + part,
            crc32c: UInt32(truncatingIfNeeded: part &* 2_654_435_761),
            md5: "1B2M2Y8AsgTpgAmY7PhCfg==",
            fidelity: .rendition,
            mediaKind: "jpeg",
            adopted: false
        )
    }
}
