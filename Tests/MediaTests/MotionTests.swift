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

    private func picture(_ xmp: String, trailing: Int) -> Bool? {
        let frame: [UInt8] = [0xFF, 0xC0, 0, 11, 8, 0, 2, 0, 2, 1, 1, 0x11, 0]
        let scan: [UInt8] = [0xFF, 0xDA, 0, 2, 1, 2]
        let end = [0xFF, 0xD9] + [UInt8](repeating: 0x11, count: trailing)
        return inspect(jpeg(xmp) + frame + scan + end).isComplete
    }

    @Test(
        "The clip that XMP announces follows the picture whole, or not at all",
        arguments: [
            "<r GCamera:MicroVideo=\"1\" GCamera:MicroVideoOffset=\"1000\"/>",
            "<GCamera:MicroVideo>1</GCamera:MicroVideo><GCamera:MicroVideoOffset>1000</GCamera:MicroVideoOffset>",
            """
            <r GCamera:MotionPhoto="1"/><Container:Item Item:Semantic="Primary" Item:Length="0" Item:Padding="0"/>
            <Container:Item Item:Mime="video/mp4" Item:Length="1000" Item:Semantic="MotionPhoto"/>
            """,
            """
            <r GCamera:MotionPhoto="1"/><rdf:li><Container:Item rdf:parseType="Resource">
            <Item:Semantic>MotionPhoto</Item:Semantic> <Item:Length> 1000 </Item:Length></Container:Item></rdf:li>
            """,
        ]
    )
    func clipLength(_ xmp: String) {
        #expect(picture(xmp, trailing: 1000) == true)
        #expect(picture(xmp, trailing: 1200) == true, "cameras write more behind the clip")
        #expect(picture(xmp, trailing: 999) == false)
        #expect(picture(xmp, trailing: 1) == false)
        #expect(picture(xmp, trailing: 0) == nil, "a still is served without its clip, or the answer was cut there")
    }

    @Test func whatStandsBetweenPictureAndClipCountsAsWell() {
        let xmp = """
            <r GCamera:MotionPhoto="1"/><Container:Item Item:Semantic="Primary" Item:Padding="10"/>
            <Container:Item Item:Semantic="GainMap" Item:Length="200"/>
            <Container:Item Item:Semantic="MotionPhoto" Item:Length="1000"/>
            """
        #expect(picture(xmp, trailing: 1210) == true)
        #expect(picture(xmp, trailing: 1209) == false)
        #expect(picture(xmp, trailing: 210) == nil, "the gain map alone: the clip was left out")
        #expect(picture(xmp, trailing: 100) == false)
    }

    @Test func lengthsThatMakeNoSenseAreNotBelieved() {
        let most = UInt64.max
        let xmp =
            "<r GCamera:MotionPhoto=\"1\"/><Container:Item Item:Semantic=\"MotionPhoto\" Item:Length=\"\(most)\"/>"
        #expect(picture(xmp + "<Container:Item Item:Semantic=\"GainMap\" Item:Length=\"5\"/>", trailing: 100) == false)
        #expect(picture("<r GCamera:MotionPhoto=\"1\" GCamera:MicroVideoOffset=\"x\"/>", trailing: 0) == true)
        #expect(picture("<Container:Item Item:Semantic=\"GainMap\" Item:Length=\"5\"/>", trailing: 0) == true)
    }
}
