import Checksums
import Testing

@testable import GoogleSimulator

@Suite struct WireFormTests {
    @Test(
        arguments: [
            ("1970-01-01T00:00:00Z", 0), ("2024-02-29T23:59:59Z", 1_709_251_199_000_000),
            ("1969-12-31T23:59:59.500Z", -500_000), ("2024-03-01T01:00:00.000001+01:00", 1_709_251_200_000_001),
            ("1900-03-01T00:00:00Z", -2_203_891_200_000_000),
        ] as [(String, Int64)]
    )
    func timesAreReadAndWritten(text: String, microseconds: Int64) throws {
        let time = try #require(Timestamp(text))
        #expect(time.microseconds == microseconds)
        #expect(Timestamp(time.rfc3339) == time)
    }

    @Test func aMultipartBodyIsTakenApartHoweverItArrives() throws {
        let media = Array("bytes\r\n--x-y\r\nwith \r\n-- almost the end\r\n".utf8)
        let head =
            "--xyz\r\nContent-Type: application/json\r\n\r\n{\"name\":\"n\"}\r\n--xyz\r\nContent-Type: image/png\r\n\r\n"
        let body = Array(head.utf8) + media + Array("\r\n--xyz--\r\n".utf8)
        for step in 1...body.count {
            let sink = try ContentSink(path: nil, hasMD5: true)
            var type = ""
            let parser = MultipartParser(boundary: "xyz") { _, contentType in
                type = contentType ?? ""
                return sink
            }
            for start in stride(from: 0, to: body.count, by: step) {
                let piece = Array(body[start..<min(body.count, start + step)])
                try piece.withUnsafeBytes { try parser.take($0) }
            }
            #expect(parser.isComplete && parser.resource["name"]?.text == "n" && type == "image/png")
            #expect(sink.count == Int64(media.count) && sink.digest.crc.value == crc(media))
        }
    }

    @Test func namesAreComparedByTheirBytes() {
        #expect(ObjectName("caf\u{E9}") != ObjectName("cafe\u{301}"))
        #expect(ObjectName("a/b") < ObjectName("a0") && ObjectName("Z") < ObjectName("a"))
        for bad in ["", "a\nb", ".", "..", ".well-known/acme-challenge/x", String(repeating: "é", count: 513)] {
            #expect(throws: StorageRefusal.self) { try ObjectName(bad).validate() }
        }
    }

    @Test(
        arguments: [
            ("bytes 0-9/*", 0, 9, nil), ("bytes 5-*/*", 5, nil, nil), ("bytes */7", nil, nil, 7),
            ("bytes */*", nil, nil, nil),
        ] as [(String, Int64?, Int64?, Int64?)]
    )
    func rangesOfUploadsAreRead(text: String, first: Int64?, last: Int64?, total: Int64?) throws {
        let range = try #require(UploadRange(text))
        #expect(range.first == first && range.last == last && range.total == total)
    }

    @Test(arguments: ["0-9/10", "bytes 9-0/10", "bytes 0-10/10", "bytes a-b/c", "bytes 1"])
    func otherRangesAreRefused(text: String) {
        #expect(UploadRange(text) == nil)
    }

    @Test func fieldsChooseMembers() throws {
        let value = try #require(
            JSONValue.parse(Array(#"{"items":[{"name":"a","size":"1","m":{"x":1,"y":2}}],"t":"n","k":1}"#.utf8))
        )
        let chosen = FieldMask("items(name,m/x),t").applied(to: value)
        #expect(chosen["k"] == nil && chosen["t"]?.text == "n")
        let item = try #require(chosen["items"]?.elements?.first)
        #expect(
            item["name"]?.text == "a" && item["size"] == nil && item["m"]?["x"]?.whole == 1 && item["m"]?["y"] == nil
        )
    }

    @Test func aTokenOfAPageIsGoodForItsOwnParametersOnly() {
        let tokens = PageTokens(lifetimeSeconds: 100)
        let ticket = PageTicket(place: PhotoLibrary.Place(creation: -5, reference: -3), page: 2)
        let text = tokens.mint(ticket, parameters: "list/100")
        #expect(tokens.read(text, parameters: "list/100")?.place == ticket.place)
        #expect(tokens.read(text, parameters: "list/50") == nil)
        #expect(tokens.read("Ck" + text, parameters: "list/100") == nil)
        tokens.expireAll()
        #expect(tokens.read(text, parameters: "list/100") == nil)
    }
}
