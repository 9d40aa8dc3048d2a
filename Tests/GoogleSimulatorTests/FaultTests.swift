import GoogleSimulator
import Testing

@Suite(.timeLimit(.minutes(5))) struct FaultTests {
    @Test func eachFaultOnADownloadDoesWhatItsNameSays() throws {
        try withSimulator { simulator, client in
            let path = try firstPath(simulator, client, kind: "photo")
            func answer(_ rule: String) throws -> WireAnswer {
                simulator.setFaults(try FaultRule.rules(jsonText: "[\(rule)]"))
                return client.send("GET", path + "=d")
            }
            let whole = client.send("GET", path + "=d").body
            let refused = try answer(#"{"on":"download","do":"status","status":429,"retry_after":7,"body":"slow"}"#)
            #expect(refused.status == 429 && refused.headers["retry-after"] == "7" && refused.text == "slow")
            let cut = try answer(#"{"on":"download","do":"cut","at":0.25}"#)
            #expect(cut.body == Array(whole[0..<whole.count / 4]) && !cut.isWhole)
            #expect(try answer(#"{"on":"download","do":"reset"}"#).isReset)
            let lost = try answer(#"{"on":"download","do":"lose_answer"}"#)
            #expect(lost.status == 0 && !lost.isReset)
            #expect(try answer(#"{"on":"download","do":"html"}"#).text.hasPrefix("<!DOCTYPE html>"))
            #expect(try answer(#"{"on":"download","do":"empty"}"#).body.isEmpty)
            let endless = try answer(#"{"on":"download","do":"no_length"}"#)
            #expect(endless.headers["content-length"] == nil && endless.headers["transfer-encoding"] == nil)
            #expect(endless.body == whole)
            #expect(try answer(#"{"on":"download","do":"chunked"}"#).headers["transfer-encoding"] == "chunked")
            #expect(try answer(#"{"on":"download","do":"smaller"}"#).body.count < 2000)
            #expect(try answer(#"{"on":"download","do":"wrong_item"}"#).body != whole)
            let (first, second) = try (
                answer(#"{"on":"download","do":"different"}"#).body, client.send("GET", path + "=d").body
            )
            #expect(first.count == whole.count && first != whole && second != first && second != whole)
        }
    }

    @Test func aStallHoldsTheBodyAndThenGoesOn() throws {
        try withSimulator { simulator, client in
            let path = try firstPath(simulator, client, kind: "photo")
            let text = #"[{"on":"download","do":"stall","seconds":0.4},{"on":"*","do":"latency","ms":300}]"#
            simulator.setFaults(try FaultRule.rules(jsonText: text))
            let clock = ContinuousClock()
            var answer = WireAnswer()
            let time = clock.measure { answer = client.send("GET", path + "=d") }
            #expect(time >= .milliseconds(690) && answer.isWhole)
        }
    }

    @Test func rulesStrikeByCountAndByName() throws {
        try withSimulator { simulator, client in
            let path = try firstPath(simulator, client, kind: "photo")
            func statuses(_ rule: String, _ count: Int) throws -> [Int] {
                simulator.setFaults(try FaultRule.rules(jsonText: "[\(rule)]"))
                return (0..<count).map { _ in client.send("GET", path + "=d").status }
            }
            #expect(try statuses(#"{"on":"download","do":"status","nth":[2,3]}"#, 4) == [200, 503, 503, 200])
            #expect(try statuses(#"{"on":"download","do":"status","after":1,"times":1}"#, 3) == [200, 503, 200])
            #expect(try statuses(#"{"on":"download","do":"status","match":"no such"}"#, 1) == [200])
            #expect(try statuses(#"{"on":"download","do":"status","for_seconds":0}"#, 1) == [200])
            let some = try statuses(#"{"on":"download","do":"status","rate":0.5}"#, 40)
            let again = try statuses(#"{"on":"download","do":"status","rate":0.5}"#, 40)
            #expect(some == again && (8...32).contains(some.count { $0 == 503 }))
        }
    }

    @Test(arguments: [
        #"[{"on":"download","do":"explode"}]"#, #"[{"do":"reset"}]"#, #"[{"on":"list","do":"reset","ratio":1}]"#, "{}",
        #"[{"on":"list","do":"cut","at":2}]"#,
    ])
    func aRuleThatItDoesNotUnderstandIsRefused(text: String) {
        #expect(throws: FaultRuleError.self) { try FaultRule.rules(jsonText: text) }
    }
}
