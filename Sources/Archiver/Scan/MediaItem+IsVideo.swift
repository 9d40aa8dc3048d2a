import GooglePhotos

extension MediaItem {
    /// Whether it is a video: as Google says, else by the ending of its name; nil where neither tells, or Google contradicts
    /// itself.
    var isVideo: Bool? {
        let type = mimeType?.lowercased() ?? ""
        switch kind {
        case .video: return type.hasPrefix("image/") ? nil : true
        case .photo: return type.hasPrefix("video/") ? nil : false
        case .unknown: break
        }
        guard let filename, let dot = filename.lastIndex(of: ".") else { return nil }
        let ending = filename[filename.index(after: dot)...].lowercased()
        if Self.videoEndings.contains(ending) { return true }
        return Self.photoEndings.contains(ending) ? false : nil
    }

    // The types that Google Photos takes (Library API, "Upload media": file types and sizes), and their usual other endings.
    private static let videoEndings: Set<String> = [
        "3g2", "3gp", "asf", "avi", "divx", "m2t", "m2ts", "m4v", "mkv", "mmv", "mod", "mov", "mp4", "mpeg", "mpg",
        "mts", "tod", "wmv",
    ]
    private static let photoEndings: Set<String> = [
        "avif", "bmp", "gif", "heic", "heif", "ico", "jpeg", "jpg", "png", "tif", "tiff", "webp",
    ]
}
