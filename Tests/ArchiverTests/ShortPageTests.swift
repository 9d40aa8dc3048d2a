import GooglePhotos
import JobQueue
import TestSupport
import Testing

@testable import Archiver

/// Listings whose answers are given: shorter pages than were asked for, and what a look meets.
@Suite(.migratedDatabase, .timeLimit(.minutes(5))) struct ShortPageTests {
    @Test func `an end as long as the other pages is asked for a third time, though Google could put more on one`()
        async throws
    {
        let bench = try await Bench()
        let ticket = try await bench.context.ledger.openScan(source: bench.fixture.source, since: nil, until: nil)
        let cut = MediaPage.of(MediaPage.ids("b", 80))
        let listing = ScriptedListing([
            nil: [.of(MediaPage.ids("a", 80), next: "b")],
            "b": [cut, cut, .of(MediaPage.ids("b", 80), next: "c")],
            "c": [.of(MediaPage.ids("c", 5))],
        ])
        let end = try await bench.quickScan().listAll(ticket, of: listing, from: nil)
        #expect(end.token == "c" && end.fullPage == 80)
        #expect(listing.requests == [nil, "b", "b", "b", "c", "c"])
        #expect(try await bench.context.ledger.counts(ticket).new == 165)
    }

    @Test func `after the work such an end is none if it goes on, and a shorter one may have grown`() async throws {
        let bench = try await Bench()
        let scan = bench.quickScan()
        let listing = ScriptedListing([
            "b": [.of(MediaPage.ids("b", 80), next: "c")], nil: [.of(["x"], next: "b")],
        ])
        var end = ListingEnd(token: "b", ids: Set(MediaPage.ids("b", 80)))
        #expect(try await scan.sequel(of: listing, to: end) == .grown)
        end.fullPage = 80
        guard case .more = try await scan.sequel(of: listing, to: end) else {
            Issue.record("the listing had not ended there")
            return
        }
        // Nor where its first page had been empty each time.
        end = ListingEnd(token: "b", ids: Set(MediaPage.ids("b", 80)), emptyPages: [nil])
        guard case .more(let reason) = try await scan.sequel(of: listing, to: end) else {
            Issue.record("the first page was not empty")
            return
        }
        #expect(reason.hasPrefix("A page of Google's listing had come without any item of its own each time"))
    }

    @Test func `a token is not kept that leads on behind an entry without an id that has moved`() async throws {
        let bench = try await Bench()
        let ids = MediaPage.ids("a", 99)
        let listing = ScriptedListing([
            nil: [
                .of(ids, unreadable: 1, next: "old"), .of(["new"] + ids),
                .of(["new"] + ids, next: "moved"),
            ]
        ])
        let scan = bench.quickScan()
        let page = try await scan.inEarnest(try listing.page(nil), nil, of: listing)
        #expect(page.nextPageToken == "moved" && page.items.count == 100)
    }

    @Test func `empty pages are asked for again behind one with entries, so that a look at them meets what was listed`()
        async throws
    {
        let bench = try await Bench()
        let ledger = bench.context.ledger
        let ticket = try await ledger.openScan(source: bench.fixture.source, since: nil, until: nil)
        // Both are empty when they are listed, and no more when they are asked for later.
        let empty = { (next: String) in MediaPage.of([], next: next) }
        let listing = ScriptedListing([
            nil: [.of(["a"], next: "b")], "b": [empty("c"), empty("c"), .of(["b"], next: "c")],
            "c": [empty("d"), empty("d"), .of(["c"], next: "d")], "d": [.of(["d"], next: "e")],
            "e": [.of(["e"], next: "f")],
            "f": [.of(["f"])],
        ])
        var scan = bench.quickScan()
        scan.emptyPageAge = .zero
        _ = try await scan.listAll(ticket, of: listing, from: nil)
        // Behind "d" they are known, and due behind "e": from the first one on up to the one that was listed.
        #expect(listing.requests.prefix(7) == [nil, "b", "b", "c", "c", "d", "e"])
        #expect(listing.requests.dropFirst(7).prefix(3) == ["b", "c", "d"])
        #expect(try await ledger.counts(ticket).new == 6)
        #expect(try await ledger.emptyPages(ticket).isEmpty)
    }

    @Test func `a look does not end at what is known and was not met in this pass: it may hide what is new`()
        async throws
    {
        let bench = try await Bench()
        let (ledger, source) = (bench.context.ledger, bench.fixture.source)
        let known = MediaPage.ids("k", 10)
        let earlier = try await ledger.openScan(source: source, since: nil, until: nil)
        _ = try await ledger.record(earlier, known.map { QueueFixture.item($0) }, unreadable: 0, nextPageToken: nil)
        _ = try await ledger.finish(earlier, outcome: "complete", reason: nil)
        let ticket = try await ledger.openScan(source: source, since: nil, until: nil)
        _ = try await ledger.record(ticket, [QueueFixture.item("k0")], unreadable: 0, nextPageToken: "p2")
        _ = try await ledger.record(ticket, [], unreadable: 0, nextPageToken: "p3")
        let rest = known[6...].map { QueueFixture.item($0) }
        _ = try await ledger.record(ticket, rest, unreadable: 0, nextPageToken: nil)
        let empty = try #require(try await ledger.emptyPages(ticket).first)
        // A known photo that came back has moved the new one to the next page.
        let listing = ScriptedListing([
            "p2": [.of(["k2", "k3"], next: "q")], "q": [.of(["new", "k5"], next: "r")],
            "r": [.of(["k6", "k7"], next: "s")],
        ])
        #expect(try await bench.quickScan().askAgain(empty, ticket, of: listing, keeping: nil) == .filled)
        #expect(listing.requests == ["p2", "q", "r"])
        #expect(try await bench.fixture.number("SELECT count(*) FROM coldroll.item WHERE source_item = 'new'") == 1)
    }

    @Test func `a page with what the one before it held is asked for again, and a listing that stands still ends`()
        async throws
    {
        let bench = try await Bench()
        let ledger = bench.context.ledger
        var ticket = try await ledger.openScan(source: bench.fixture.source, since: nil, until: nil)
        let first = MediaPage.of(["a", "b"], next: "2")
        let once = ScriptedListing([
            nil: [first], "2": [.of(["a", "b"], next: "3"), .of(["c", "d"], next: "3")], "3": [.of(["e"])],
        ])
        _ = try await bench.quickScan().listAll(ticket, of: once, from: nil)
        #expect(try await ledger.counts(ticket).new == 5)
        _ = try await ledger.finish(ticket, outcome: "complete", reason: nil)
        // It takes no notice of the token, and gives another one each time.
        ticket = try await ledger.openScan(source: bench.fixture.source, since: nil, until: nil)
        var pages: [String?: [MediaPage]] = [nil: [first]]
        for number in 2..<50 { pages["\(number)"] = [.of(["a", "b"], next: "\(number + 1)")] }
        let still = ScriptedListing(pages)
        let error = await #expect(throws: PhotosError.self) {
            _ = try await bench.quickScan().listAll(ticket, of: still, from: nil)
        }
        #expect(error?.message.contains("leads back to an earlier one") == true)
        #expect(still.requests.count == 9)
    }

    @Test func `a page that repeats the one before it in two answers is asked for once more when the rest is listed`()
        async throws
    {
        let bench = try await Bench()
        let ledger = bench.context.ledger
        let ticket = try await ledger.openScan(source: bench.fixture.source, since: nil, until: nil)
        let stale = MediaPage.of(["a", "b"], next: "3")
        let listing = ScriptedListing([
            nil: [.of(["a", "b"], next: "2")], "2": [stale, stale, .of(["c", "d"], next: "3")], "3": [.of(["e", "f"])],
        ])
        let scan = bench.quickScan()
        var end = try await scan.listAll(ticket, of: listing, from: nil)
        #expect(try await ledger.counts(ticket).new == 4)
        #expect(try await scan.askEmptyPagesAgain(ticket, of: listing, &end) == nil)
        #expect(try await ledger.counts(ticket).new == 6)
        #expect(end.emptyPages.isEmpty)
    }

    @Test func `nor does an empty page between hide that a page repeats`() async throws {
        let bench = try await Bench()
        let ledger = bench.context.ledger
        let ticket = try await ledger.openScan(source: bench.fixture.source, since: nil, until: nil)
        let listing = ScriptedListing([
            nil: [.of(["a", "b"], next: "2")], "2": [.of([], next: "3")],
            "3": [.of(["a", "b"], next: "4"), .of(["c", "d"], next: "4")], "4": [.of(["e"])],
        ])
        _ = try await bench.quickScan().listAll(ticket, of: listing, from: nil)
        #expect(try await ledger.counts(ticket).new == 5)
    }

    @Test func `an end that is empty in one of two answers is asked for a third time, however short it is`()
        async throws
    {
        let bench = try await Bench()
        let listing = ScriptedListing(["2": [.of([]), .of(["c"]), .of(["c"], next: "3")]])
        let scan = bench.quickScan()
        #expect(try await scan.inEarnest(try listing.page("2"), "2", of: listing).nextPageToken == "3")
    }

    @Test func `a look at the front does not take the last page for the first one`() async throws {
        let bench = try await Bench()
        let ledger = bench.context.ledger
        let ticket = try await ledger.openScan(source: bench.fixture.source, since: nil, until: nil)
        _ = try await ledger.record(ticket, [QueueFixture.item("a")], unreadable: 0, nextPageToken: "2")
        _ = try await ledger.record(ticket, [QueueFixture.item("z")], unreadable: 0, nextPageToken: "3")
        let listing = ScriptedListing([
            nil: [.of(["z"], next: "2"), .of(["new"], next: "2")], "2": [.of(["a"], next: "3")], "3": [.of(["z"])],
        ])
        let end = ListingEnd(token: "3", ids: ["z"])
        try await bench.quickScan().lookAtFront(ticket, of: listing, after: end)
        #expect(try await bench.fixture.number("SELECT count(*) FROM coldroll.item WHERE source_item = 'new'") == 1)
    }
}
