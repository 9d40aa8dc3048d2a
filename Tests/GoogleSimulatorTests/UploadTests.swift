import Foundation
import Glibc
import GoogleSimulator
import Testing

/// One resumable upload and the bytes that it is for.
private struct Upload {
    let client: WireClient
    let path: String
    let bytes: [UInt8]

    init(_ simulator: Simulator, _ client: WireClient, query: String = "", metadata: String = "{}") throws {
        let headers = try client.authorization(simulator.storageUserCredentialsFile)
        let answer = client.send(
            "POST",
            "/upload/storage/v1/b/archive/o?uploadType=resumable&name=a%2Fb.jpg" + query,
            headers.merging(["Content-Type": "application/json"]) { first, _ in first },
            body: Array(metadata.utf8)
        )
        self.client = client
        path = WireClient.path(try #require(answer.headers["location"]))
        bytes = (0..<1_000_000).map { UInt8(truncatingIfNeeded: $0 &* 31 ^ $0 >> 8) }
    }

    func put(_ range: String, _ body: ArraySlice<UInt8> = [], _ headers: [String: String] = [:]) -> WireAnswer {
        let all = ["Content-Range": "bytes " + range].merging(headers) { first, _ in first }
        return client.send("PUT", path, all, body: Array(body))
    }

    var persisted: Int {
        let range = put("*/*").headers["range"]
        return range.flatMap { $0.split(separator: "-").last }.flatMap { Int($0) }.map { $0 + 1 } ?? 0
    }
}

@Suite(.timeLimit(.minutes(5))) struct UploadTests {
    @Test func aBrokenRequestLeavesWholeQuantaAndTheRestCompletesTheObject() throws {
        try withSimulator { simulator, client in
            let upload = try Upload(simulator, client)
            simulator.setFaults(try FaultRule.rules(jsonText: #"[{"on":"uploadData","do":"cut","at":0.6,"nth":1}]"#))
            #expect(upload.put("0-999999/1000000", upload.bytes[...]).status == 0)
            #expect(upload.persisted == 524_288)
            let rest = upload.put("262144-999999/1000000", upload.bytes[262_144...])
            #expect(rest.status == 200)
            let object = try #require(simulator.objects().first)
            #expect(object.crc32c == crc(upload.bytes) && object.size == 1_000_000 && object.name == "a/b.jpg")
        }
    }

    @Test func aSecondRequestTakesTheSessionOverFromOneThatHangs() throws {
        try withSimulator { simulator, client in
            let upload = try Upload(simulator, client)
            let hanging = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
            defer { close(hanging) }
            var address = sockaddr_in()
            address.sin_family = sa_family_t(AF_INET)
            address.sin_port = client.port.bigEndian
            address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
            _ = withUnsafePointer(to: &address) {
                $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                    connect(hanging, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
                }
            }
            let head = "PUT \(upload.path) HTTP/1.1\r\nHost: x\r\nContent-Length: 1000000\r\n"
            let part = Array((head + "Content-Range: bytes 0-999999/1000000\r\n\r\n").utf8) + upload.bytes[0..<300_000]
            _ = part.withUnsafeBytes { write(hanging, $0.baseAddress, $0.count) }
            while upload.persisted < 262_144 {}
            let next = upload.put("262144-786431/1000000", upload.bytes[262_144..<786_432])
            #expect(next.status == 308 && next.headers["range"] == "bytes=0-786431")
            // What the first request still sends changes nothing, and breaks its connection.
            let late = [UInt8](repeating: 7, count: 400_000)
            _ = late.withUnsafeBytes { send(hanging, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL)) }
            var byte: UInt8 = 0
            #expect(recv(hanging, &byte, 1, 0) <= 0)
            #expect(upload.put("786432-999999/1000000", upload.bytes[786_432...]).status == 200)
            #expect(simulator.objects().map(\.crc32c) == [crc(upload.bytes)])
        }
    }

    @Test func fewerBytesMayBeAcknowledgedThanWereSent() throws {
        try withSimulator { simulator, client in
            let upload = try Upload(simulator, client)
            simulator.setFaults(try FaultRule.rules(jsonText: #"[{"on":"uploadData","do":"persist_less","times":1}]"#))
            let answer = upload.put("0-999999/1000000", upload.bytes[...])
            #expect(answer.status == 308 && answer.headers["range"] == "bytes=0-262143")
            #expect(upload.put("262144-999999/1000000", upload.bytes[262_144...]).status == 200)
            #expect(simulator.objects().map(\.crc32c) == [crc(upload.bytes)])
        }
    }

    @Test func aLostAnswerIsFoundAgainByAStatusQuery() throws {
        try withSimulator { simulator, client in
            let upload = try Upload(simulator, client)
            simulator.setFaults(try FaultRule.rules(jsonText: #"[{"on":"uploadData","do":"lose_answer"}]"#))
            #expect(upload.put("0-999999/1000000", upload.bytes[...]).status == 0)
            let answer = upload.put("*/*")
            #expect(answer.status == 200 && answer.json["size"] as? String == "1000000")
        }
    }

    @Test func gapsShortChunksAndWrongChecksumsAreRefused() throws {
        try withSimulator { simulator, client in
            let upload = try Upload(simulator, client)
            #expect(upload.put("*/*").headers["range"] == nil)
            let gap = upload.put("300000-999999/1000000", upload.bytes[300_000...])
            #expect(gap.status == 503 && gap.text.contains("exceeds already uploaded size of 0 byte(s)"))
            let short = upload.put("0-999/1000000", upload.bytes[0..<1000])
            #expect(short.status == 400 && short.headers["content-type"]?.hasPrefix("text/plain") == true)
            let wrong = upload.put("0-999999/1000000", upload.bytes[...], ["X-Goog-Hash": "crc32c=AAAAAA=="])
            #expect(wrong.status == 400 && wrong.text.contains("doesn't match calculated CRC32C"))
            #expect(simulator.objects().isEmpty)
        }
    }

    @Test func conditionsAreLookedAtWhenAnUploadEnds() throws {
        try withSimulator { simulator, client in
            let first = try Upload(simulator, client, query: "&ifGenerationMatch=0")
            let second = try Upload(simulator, client, query: "&ifGenerationMatch=0")
            #expect(first.put("0-999999/1000000", first.bytes[...]).status == 200)
            #expect(second.put("0-999999/1000000", second.bytes[...]).status == 412)
            // One write a second to an object: on a machine that is busy two may take longer.
            for _ in 0..<20 {
                let third = try Upload(simulator, client)
                let again = third.put("0-999999/1000000", third.bytes[...])
                guard again.status != 200 else { continue }
                #expect(again.status == 429 && again.text.contains("rateLimitExceeded"))
                return
            }
            Issue.record("an object was written twenty times in a row")
        }
    }

    @Test func aCancelledSessionAnswers499AndAnUnknownOne404() throws {
        try withSimulator { simulator, client in
            let upload = try Upload(simulator, client)
            #expect(client.send("DELETE", upload.path).status == 499)
            #expect(upload.put("*/*").status == 499)
            #expect(client.send("PUT", upload.path + "x", ["Content-Range": "bytes */*"]).status == 404)
        }
    }

    @Test func objectsInAFolderAreThereAfterANewStart() throws {
        let folder = NSTemporaryDirectory() + "/simulator-storage-\(UUID().uuidString)"
        defer { try? FileManager.default.removeItem(atPath: folder) }
        var before: [StoredObject] = []
        try withSimulator {
            $0.storage = .directory(folder)
        } _: { simulator, client in
            let upload = try Upload(simulator, client, metadata: #"{"metadata":{"k":"å"},"storageClass":"ARCHIVE"}"#)
            #expect(upload.put("0-999999/1000000", upload.bytes[...]).status == 200)
            before = simulator.objects()
            let path = try #require(before.first?.path)
            #expect([UInt8](try Data(contentsOf: URL(filePath: path))) == upload.bytes)
        }
        try withSimulator {
            $0.storage = .directory(folder)
        } _: { simulator, _ in
            #expect(simulator.objects() == before && before.first?.metadata == ["k": "å"])
        }
    }
}
