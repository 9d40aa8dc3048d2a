import Media
import Testing

@Suite("Real files of every format")
struct RealFileTests {
    struct Expected: Sendable, CustomTestStringConvertible {
        let name: String
        let report: MediaReport
        var testDescription: String { name }
        /// What a piece of it says: nil for formats that do not mark their end.
        var whenCut: Bool? { report.isComplete == nil && !report.isMotionPhoto ? nil : false }

        init(_ name: String, _ kind: MediaKind, _ width: Int?, _ height: Int?, complete: Bool?, motion: Bool = false) {
            self.name = name
            report = MediaReport(kind: kind, width: width, height: height, isComplete: complete, isMotionPhoto: motion)
        }
    }

    static let files: [Expected] = [
        Expected("exif-thumbnail.jpg", .jpeg, 320, 240, complete: true),
        Expected("progressive.jpg", .jpeg, 240, 320, complete: true),
        Expected("restarts.jpg", .jpeg, 81, 61, complete: true),
        Expected("truecolor.png", .png, 81, 61, complete: true),
        Expected("interlaced.png", .png, 81, 61, complete: true),
        Expected("still.gif", .gif, 81, 61, complete: true),
        Expected("animated.gif", .gif, 53, 40, complete: true),
        Expected("lossy.webp", .webp, 81, 61, complete: true),
        Expected("lossless.webp", .webp, 40, 30, complete: true),
        Expected("extended.webp", .webp, 81, 61, complete: true),
        Expected("windows.bmp", .bmp, 81, 61, complete: nil),
        Expected("os2.bmp", .bmp, 20, 15, complete: nil),
        Expected("still.tif", .tiff, nil, nil, complete: nil),
        Expected("landscape.heic", .heic, 320, 240, complete: true),
        Expected("thumbnail.heic", .heic, 240, 320, complete: true),
        Expected("still.avif", .avif, 81, 61, complete: true),
        Expected("moov-last.mp4", .mp4, 176, 144, complete: true),
        Expected("moov-first.mp4", .mp4, 176, 144, complete: true),
        Expected("fragmented.mp4", .mp4, 176, 144, complete: true),
        Expected("clip.3gp", .mp4, 176, 144, complete: true),
        Expected("clip.mov", .quicktime, 176, 144, complete: true),
        Expected("clip.mkv", .matroska, nil, nil, complete: nil),
        Expected("clip.webm", .matroska, nil, nil, complete: nil),
        Expected("clip.avi", .avi, 176, 144, complete: nil),
        Expected("clip.ts", .mpegTransportStream, nil, nil, complete: nil),
        Expected("clip.m2ts", .mpegTransportStream, nil, nil, complete: nil),
        Expected("clip.mpg", .mpegProgramStream, nil, nil, complete: nil),
        Expected("motion.jpg", .jpeg, 81, 61, complete: true, motion: true),
        Expected("motion-element.jpg", .jpeg, 81, 61, complete: true, motion: true),
        Expected("motion-container.jpg", .jpeg, 81, 61, complete: true, motion: true),
        Expected("motion-off.jpg", .jpeg, 81, 61, complete: true),
        // The clip that its XMP speaks of is not in the file.
        Expected("motion.heic", .heic, 240, 320, complete: nil, motion: true),
        Expected("motion.webp", .webp, 81, 61, complete: true, motion: true),
    ]

    @Test("A file is told by its bytes: kind, size, end and motion", arguments: files)
    func reports(_ expected: Expected) throws {
        #expect(inspect(try Fixture.bytes(expected.name)) == expected.report)
    }

    @Test func everyFileOfTheFolderIsExpected() throws {
        #expect(try Fixture.all().map(\.name) == Self.files.map(\.name).sorted())
    }

    @Test("The pieces in which a file comes change nothing", arguments: files)
    func piecesDoNotMatter(_ expected: Expected) throws {
        let bytes = try Fixture.bytes(expected.name)
        for piece in [1, 7, 1023, 1024, 1025, 4096] {
            #expect(inspect(bytes, piece: piece) == expected.report, "pieces of \(piece) bytes")
        }
    }

    @Test("A file that lost its last byte, or its second half, is not complete", arguments: files)
    func truncationIsSeen(_ expected: Expected) throws {
        let bytes = try Fixture.bytes(expected.name)
        // The end of the photo, not that of the clip behind it, is what a JPEG tells.
        let clip = expected.name == "motion.jpg" ? try Fixture.bytes("clip.3gp").count : 0
        let end = bytes.count - clip
        for length in [end - 1, end - 2, end / 2, end * 9 / 10] {
            let report = inspect(Array(bytes.prefix(length)))
            #expect(report.kind == expected.report.kind)
            #expect(report.isComplete == expected.whenCut, "\(length) of \(end) bytes")
        }
    }
}
