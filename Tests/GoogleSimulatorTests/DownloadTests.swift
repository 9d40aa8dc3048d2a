import Checksums
import GoogleSimulator
import Testing

@Suite(.timeLimit(.minutes(5))) struct DownloadTests {
    @Test func downloadsGiveTheBytesThatTheLibraryAnnounces() throws {
        try withSimulator { simulator, client in
            let expected = try Dictionary(uniqueKeysWithValues: simulator.library.map { ($0.id, $0) })
            let items = try client.items(client.authorization(simulator.photosCredentialsFile))
            #expect(items.count == 12)
            for item in items {
                let entry = try #require(expected[item["id"] as? String ?? ""])
                let path = WireClient.path(item["baseUrl"] as? String ?? "")
                let still = client.send("GET", path + "=d")
                #expect(crc(still.body) == entry.download.crc32c && still.isWhole)
                guard let video = entry.video else { continue }
                let redirect = client.send("GET", path + "=dv")
                #expect(redirect.status == 302)
                let answer = follow(redirect, client)
                #expect(crc(answer.body) == video.crc32c && Int64(answer.body.count) == video.size)
            }
        }
    }

    @Test func anExpiredBaseURLIsAWebPageWith403() throws {
        try withSimulator { simulator, client in
            let path = try firstPath(simulator, client, kind: "photo")
            #expect(client.send("GET", path + "=d").status == 200)
            simulator.expireBaseURLs()
            let answer = client.send("GET", path + "=d")
            #expect(answer.status == 403)
            #expect(answer.headers["content-type"]?.hasPrefix("text/html") == true)
        }
    }

    @Test func anAuthorizationThatFollowsTheRedirectIsCounted() throws {
        try withSimulator { simulator, client in
            let path = try firstPath(simulator, client, kind: "video")
            let redirect = client.send("GET", path + "=dv")
            _ = follow(redirect, client)
            #expect(simulator.counters.redirectAuthorizations == 0)
            _ = follow(redirect, client, ["Authorization": "Bearer leaked"])
            #expect(simulator.counters.redirectAuthorizations == 1)
            #expect(simulator.counters.requests("redirectTarget") == 2)
        }
    }

    @Test func aRangeOnAVideoIsIgnored() throws {
        try withSimulator { simulator, client in
            let path = try firstPath(simulator, client, kind: "video")
            let answer = follow(client.send("GET", path + "=dv"), client, ["Range": "bytes=5-9"])
            #expect(answer.status == 200 && answer.body.count > 5)
        }
    }

    @Test(arguments: ["=dv", "=w100-h100", "", "=d"])
    func aPlainPhotoGivesItsBytesForOneSuffixOnly(suffix: String) throws {
        try withSimulator { simulator, client in
            let answer = try client.send("GET", firstPath(simulator, client, kind: "photo") + suffix)
            switch suffix {
            case "=dv": #expect(answer.status == 404)
            case "=d": #expect(answer.body.count >= 300_000)
            default: #expect(answer.status == 200 && answer.body.count < 2000)
            }
        }
    }

    @Test func aBodyOfTwentyGigabytesIsMadeUpWithoutBeingHeld() throws {
        try withSimulator { configuration in
            configuration.synthesis = SynthesisOptions(
                count: 1,
                sizes: 20_000_000_000...20_000_000_000,
                videoPercent: 100
            )
            configuration.faults = [cut(at: 0.0005)]
        } _: { simulator, client in
            let path = try firstPath(simulator, client, kind: "video")
            let answer = follow(client.send("GET", path + "=dv"), client)
            #expect(answer.headers["content-length"] == "20000000000")
            #expect(answer.body.count == 10_000_000)
        }
    }

    private func cut(at fraction: Double) -> FaultRule {
        var rule = FaultRule(on: "redirectTarget", .cut)
        rule.at = fraction
        return rule
    }
}

func crc(_ bytes: [UInt8]) -> UInt32 {
    var crc = CRC32C()
    bytes.withUnsafeBytes { crc.consume($0) }
    return crc.value
}

/// The path of the first base URL of a kind, `photo` or `video`.
func firstPath(_ simulator: Simulator, _ client: WireClient, kind: String) throws -> String {
    let items = try client.items(client.authorization(simulator.photosCredentialsFile))
    let item = try #require(items.first { ($0["mediaMetadata"] as? [String: Any])?[kind] != nil })
    return WireClient.path(item["baseUrl"] as? String ?? "")
}

/// Asks where a redirect leads.
func follow(_ redirect: WireAnswer, _ client: WireClient, _ headers: [String: String] = [:]) -> WireAnswer {
    let location = redirect.headers["location"] ?? ""
    let port = location.split(separator: ":").last?.split(separator: "/").first.flatMap { UInt16($0) }
    return client.send("GET", WireClient.path(location), headers, port: port)
}
