import GoogleSimulator
import Testing

extension Stage {
    /// Compares the bucket with the library: every part exactly once, every byte, nothing else.
    ///
    /// `clips` says whether motion clips are expected; `id` how a source calls the items; `foreign` names objects that are not
    /// coldroll's.
    func proveEverythingIsStored(
        clips: Bool = true,
        id: (LibraryEntry) -> String = \.id,
        foreign: Set<String> = [],
        sourceLocation: SourceLocation = #_sourceLocation
    ) throws {
        var wanted: [String: LibraryEntry.Expected] = [:]
        for entry in try simulator.library {
            if entry.kind == "video" {
                wanted[id(entry) + " video"] = entry.video
            } else {
                wanted[id(entry) + " still"] = entry.download
                if clips, let clip = entry.video { wanted[id(entry) + " motion"] = clip }
            }
        }
        var found: Set<String> = []
        for object in simulator.objects() where object.bucket == "archive" && !foreign.contains(object.name) {
            let item = object.metadata["coldroll-item"] ?? "none"
            let key = "\(item) \(object.metadata["coldroll-part"] ?? "none")"
            #expect(found.insert(key).inserted, "\(key) is stored twice", sourceLocation: sourceLocation)
            let expected = wanted[key]
            #expect(object.size == expected?.size, "\(key) \(object.name)", sourceLocation: sourceLocation)
            #expect(object.crc32c == expected?.crc32c, "\(key) \(object.name)", sourceLocation: sourceLocation)
            #expect(object.storageClass == "ARCHIVE", sourceLocation: sourceLocation)
        }
        #expect(Set(wanted.keys).subtracting(found).isEmpty, "missing in the bucket", sourceLocation: sourceLocation)
    }
}
