import JobQueue

/// Decides whether a still has a clip to fetch.
enum MotionRule {
    /// - Returns: true where the still's bytes or its name say so, or the owner wants every still asked.
    static func hasClip(_ job: ClaimedJob, isMotionPhoto: Bool, mode: MotionMode) -> Bool {
        guard job.kind == .still else { return false }
        switch mode {
        case .never: return false
        case .always: return true
        case .auto: return isMotionPhoto || job.filename.map(isMotionName) ?? false
        }
    }

    /// `MVIMG_*` (Pixel 2 to 4) and `*.MP.jpg` (later Pixels), in any case.
    static func isMotionName(_ filename: String) -> Bool {
        let name = filename.lowercased()
        guard !name.hasPrefix("mvimg_") else { return true }
        guard let dot = name.lastIndex(of: ".") else { return false }
        return name[..<dot].hasSuffix(".mp") && ["jpg", "jpeg", "heic"].contains(String(name[dot...].dropFirst()))
    }

    /// The motion part of a still: in the same folder, under the still's name as an MP4.
    static func part(of job: ClaimedJob, sourceLabel: String) -> NewPart {
        NewPart(
            kind: .motion,
            folderMonth: job.folderMonth,
            names: ObjectName.candidates(
                filename: job.filename,
                mimeType: nil,
                folder: job.folderMonth,
                identity: Identity(source: sourceLabel, item: job.sourceItem, part: .motion)
            )
        )
    }
}
