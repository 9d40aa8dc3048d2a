import Media
import Testing

@Suite("Marks of motion photos in XMP")
struct MotionTests {
    private func jpeg(_ xmp: String) -> [UInt8] {
        let payload = Array("http://ns.adobe.com/xap/1.0/\0".utf8) + Array(xmp.utf8)
        return [0xFF, 0xD8, 0xFF, 0xE1] + bigEndian(UInt64(payload.count + 2), 2) + payload
    }

    @Test(
        "Every spelling of yes is heard",
        arguments: [
            "<rdf:Description GCamera:MotionPhoto=\"1\"/>",
            "<rdf:Description GCamera:MotionPhoto = '1' />",
            "<rdf:Description Camera:MotionPhotoVersion=\"1\" Camera:MotionPhoto=\"1\"/>",
            "<GCamera:MotionPhoto>1</GCamera:MotionPhoto>",
            "<g:MotionPhoto\n rdf:datatype=\"x\">\n 1\n</g:MotionPhoto>",
            "<rdf:Description GCamera:MicroVideo=\"1\" GCamera:MicroVideoVersion=\"1\"/>",
            "<GCamera:MicroVideo>1</GCamera:MicroVideo>",
            "<Container:Item Item:Semantic=\"MotionPhoto\" Item:Length=\"5\"/>",
            "<Item:Semantic>MotionPhoto</Item:Semantic>",
            "<Item:Semantic>\n  MotionPhoto\n</Item:Semantic>",
            "<r GCamera:MicroVideo=\"0\"/><r Item:Semantic='MotionPhoto'/>",
        ]
    )
    func yes(_ xmp: String) {
        #expect(inspect(jpeg(xmp)).isMotionPhoto)
    }

    @Test(
        "Nothing else is taken for yes",
        arguments: [
            "<rdf:Description GCamera:MotionPhoto=\"0\"/>",
            "<rdf:Description GCamera:MotionPhoto=\"2\"/>",
            "<rdf:Description GCamera:MotionPhoto=\"\"/>",
            "<rdf:Description GCamera:MotionPhotoVersion=\"1\"/>",
            "<rdf:Description GCamera:NoMotionPhoto=\"1\"/>",
            "<rdf:Description GCamera:MotionPhoto=\"0\" Item:Semantic=\"MotionPhoto\"/>",
            "<GCamera:MotionPhoto>0</GCamera:MotionPhoto>",
            "<GCamera:MotionPhoto/>1<a/>",
            "<dc:title>MotionPhoto</dc:title>",
            "<dc:title>about MotionPhoto=\"1",
            "<Item:Semantic>Primary</Item:Semantic>",
            "<GCamera:MicroVideo>0</GCamera:MicroVideo>",
            "MotionPhoto", "<MotionPhoto", "MotionPhoto=", "MotionPhoto='1", "<MotionPhoto>", "\"MotionPhoto\"", "",
        ]
    )
    func no(_ xmp: String) {
        #expect(!inspect(jpeg(xmp)).isMotionPhoto)
    }

    @Test func wordsOutsideXMPDoNotCount() {
        let text = Array("<rdf:Description GCamera:MotionPhoto=\"1\"/>".utf8)
        let comment = [0xFF, 0xD8, 0xFF, 0xFE] + bigEndian(UInt64(text.count + 2), 2) + text
        #expect(!inspect(comment).isMotionPhoto)
        let other = [0xFF, 0xD8, 0xFF, 0xE1] + bigEndian(UInt64(text.count + 2), 2) + text
        #expect(!inspect(other).isMotionPhoto)
    }
}
