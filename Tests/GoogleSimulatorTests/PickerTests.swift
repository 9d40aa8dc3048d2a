import Foundation
import Testing

@testable import GoogleSimulator

@Suite(.timeLimit(.minutes(5))) struct PickerTests {
    @Test(
        arguments: [(0, "0s"), (-3, "0s"), (5, "5s"), (3.5, "3.5s"), (0.25, "0.25s"), (1800.0004, "1800s")]
            as [(Double, String)]
    )
    func aSpanIsSecondsWithTheFractionThatItHas(seconds: Double, text: String) {
        #expect(JSONValue.span(seconds) == .string(text))
    }

    @Test func aBaseURLKeepsItsItemItsSessionAndItsTime() throws {
        let urls = BaseURLs(lifetimeSeconds: 60)
        for (reference, session) in [(0, 0), (7, 1), (-1, 3), (.min, .max), (.max, 0)] as [(Int32, UInt32)] {
            let (ticket, isAlive) = try #require(urls.read(urls.mint(reference, session: session)))
            #expect(ticket.reference == reference && ticket.session == session && isAlive)
        }
        let old = urls.mint(1, session: 2, now: Timestamp.now.adding(seconds: -61))
        #expect(urls.read(old)?.isAlive == false)
    }

    @Test func aQuotaLetsAsManyThroughAsItSaysUntilTheNextMinute() {
        let quota = MinuteQuota(2)
        #expect((0..<4).map { _ in quota.isExceeded() } == [false, false, true, true])
        #expect(quota.counts.used == 4 && quota.counts.refused == 2)
        quota.renew()
        #expect(!quota.isExceeded() && quota.counts.used == 1)
        let none = MinuteQuota(nil)
        #expect((0..<1000).allSatisfy { _ in !none.isExceeded() })
    }

    @Test func aTestInThisProcessPicksAndSeesWhatIsLeft() throws {
        try withSimulator { simulator, client in
            let owner = try client.authorization(simulator.pickerCredentialsFile)
            let session = client.send("POST", "/v1/sessions", owner).json["id"] as? String ?? ""
            #expect(throws: SimulatorError.self) { try simulator.pick(json: #"{"count":13}"#) }
            try simulator.pick(json: #"{"count":12}"#)
            #expect(throws: SimulatorError.self) { try simulator.pick(json: #"{"all":true}"#) }
            let items = client.send("GET", "/v1/mediaItems?sessionId=\(session)", owner).json["mediaItems"]
            let ids = (items as? [[String: Any]] ?? []).compactMap { $0["id"] as? String }
            #expect(try ids == simulator.library.map(\.pickerID))
            #expect(try Set(ids).isDisjoint(with: simulator.library.map(\.id)))
            #expect(simulator.pickerSessionCount == 1)
            simulator.expirePickerSessions()
            #expect(client.send("GET", "/v1/sessions/\(session)", owner).status == 403)
            #expect(client.send("DELETE", "/v1/sessions/\(session)", owner).status == 200)
            #expect(simulator.pickerSessionCount == 0)
        }
    }
}
