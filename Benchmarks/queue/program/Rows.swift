import JobQueue

extension FoundItem {
    /// A photo as the Library API lists them: an id of 60 characters, a name of the camera's own, ten years of months.
    init(number: Int) {
        let digits = String(number)
        let id = "AGj1epU" + String(repeating: "x", count: 53 - digits.utf8.count) + digits
        let month = number / 1000 % 12 + 1
        let day = number % 28 + 1
        let folder = "\(2014 + number / 12_000 % 10)" + (month < 10 ? "0" : "") + "\(month)"
        let stem = "\(folder)/IMG_\(digits)"
        let names = ["", "~k3f9a2", "~k3f9a2kyx5q7ptowl4ziv6mbhs"].map { suffix in
            let name = stem + suffix + ".JPG"
            return NameCandidate(name: name, key: name.lowercased())
        }
        self.init(
            sourceItem: id,
            filename: "IMG_\(digits).JPG",
            mimeType: "image/jpeg",
            captureTime: "\(folder.prefix(4))-\(folder.suffix(2))-" + (day < 10 ? "0" : "") + "\(day)T12:00:00Z",
            captureFrom: "api",
            width: 4032,
            height: 3024,
            isVideo: false,
            parts: [NewPart(kind: .still, folderMonth: folder, names: names)]
        )
    }
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
