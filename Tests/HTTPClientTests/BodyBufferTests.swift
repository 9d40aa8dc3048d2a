import Checksums
import HTTPClient
import Synchronization
import Testing

@Suite(.timeLimit(.minutes(5))) struct BodyBufferTests {
    static let block = ByteBudget.block

    static func bytes(_ count: Int) -> [UInt8] {
        (0..<count).map { UInt8(truncatingIfNeeded: $0 ^ $0 >> 8 ^ $0 >> 16) }
    }

    /// Serves `body` once; writes what comes after `pause` bytes when the event fires.
    static func serve(_ body: [UInt8], pause: Int? = nil, until event: Event = Event()) throws -> ScriptedServer {
        try ScriptedServer { connection in
            _ = try connection.readHead()
            try connection.write("HTTP/1.1 200 OK\r\nContent-Length: \(body.count)\r\n\r\n")
            try connection.write(Array(body.prefix(pause ?? body.count)))
            if let pause {
                event.block(for: 1)
                try connection.write(Array(body.dropFirst(pause)))
            }
            connection.waitForClose()
        }
    }

    /// A download that is under way, and everything that must live for it.
    struct Download {
        let client = HTTPClient()
        let budget: ByteBudget
        let buffer: BodyBuffer
        let server: ScriptedServer
    }

    static func download(
        _ body: [UInt8],
        blocks: Int,
        budget: Int = 64,
        pause: Int? = nil,
        until event: Event = Event(),
        observe: (@Sendable (UnsafeRawBufferPointer) -> Void)? = nil
    ) async throws -> Download {
        let budget = ByteBudget(bytes: budget * block)
        let buffer = try await BodyBuffer(budget: budget, allowance: blocks * block, observe: observe)
        let server = try serve(body, pause: pause, until: event)
        let download = Download(budget: budget, buffer: buffer, server: server)
        _ = try await download.client.download(HTTPRequest("GET", server.url), into: buffer)
        return download
    }

    @Test func aFullBufferHoldsExactlyItsAllowance() async throws {
        let body = Self.bytes(1_000_000)
        let download = try await Self.download(body, blocks: 3)
        let buffer = download.buffer
        try await buffer.wait(for: .max)
        #expect(buffer.available == 3 * Self.block)
        #expect(buffer.received == Int64(3 * Self.block))
        #expect(buffer.peek(.max) == Array(body.prefix(3 * Self.block)))
        #expect(buffer.allowance == 3 * Self.block)
        #expect(!buffer.hasEnded)
        #expect(download.budget.peak == 3 * Self.block)
    }

    @Test func takenBytesAreTheBodyInOrderWhateverTheirSizes() async throws {
        let body = Self.bytes(1_500_000)
        let download = try await Self.download(body, blocks: 2)
        let sizes = [1, 70_000, 16_384, 65_536, 131_072, 3, 65_535, 100_000]
        var (taken, turn): ([UInt8], Int) = ([], 0)
        while taken.count < body.count {
            // A wait for as much as the allowance holds must be met in full, also with a drained start of a block.
            let wanted = min(sizes[turn % sizes.count], body.count - taken.count)
            try await download.buffer.wait(for: wanted)
            let piece = download.buffer.take(wanted)
            #expect(piece.count == wanted)
            taken += piece
            turn += 1
        }
        #expect(taken == body)
        try await download.buffer.waitForEnd()
        #expect(download.buffer.hasEnded)
        #expect(download.buffer.crc32c.value == CRC32CReference.sum(body))
        #expect(download.budget.peak <= 2 * Self.block)
    }

    @Test func skippedBytesStillPassTheChecksumAndTheObserver() async throws {
        let body = Self.bytes(2_000_000)
        let seen = Mutex<[UInt8]>([])
        let download = try await Self.download(body, blocks: 2) { bytes in seen.withLock { $0 += bytes } }
        let buffer = download.buffer
        try await buffer.wait(for: .max)
        try await buffer.skip(1_900_000)
        try await buffer.wait(for: 100_000)
        #expect(buffer.take(.max) == Array(body.suffix(100_000)))
        try await buffer.waitForEnd()
        #expect(buffer.crc32c.value == CRC32CReference.sum(body))
        #expect(seen.withLock { $0 } == body)
    }

    @Test func skippingBeyondTheEndIsACut() async throws {
        let download = try await Self.download(Self.bytes(300_000), blocks: 2)
        let error = await #expect(throws: HTTPError.self) { try await download.buffer.skip(300_001) }
        #expect(error?.code == .cut)
        let ended = BodyBuffer(ended: [1, 2, 3])
        try await ended.skip(2)
        #expect(ended.peek(5) == [3])
        let second = await #expect(throws: HTTPError.self) { try await ended.skip(2) }
        #expect(second?.code == .cut)
    }

    @Test func growingLetsAPausedDownloadGoOn() async throws {
        let body = Self.bytes(500_000)
        let download = try await Self.download(body, blocks: 2, budget: 8)
        let buffer = download.buffer
        try await buffer.wait(for: .max)
        #expect(!buffer.tryGrow(to: 9 * Self.block))
        #expect(buffer.allowance == 2 * Self.block)
        #expect(buffer.tryGrow(to: 8 * Self.block))
        try await buffer.waitForEnd()
        #expect(buffer.peek(.max) == body)
        let error = await #expect(throws: HTTPError.self) {
            try await BodyBuffer(budget: download.budget, allowance: 9 * Self.block)
        }
        #expect(error?.code == .tooLarge)
    }

    @Test func roomThatComesWhileAPieceIsLookedAtIsNotMissed() async throws {
        let body = Self.bytes(500_000)
        let grown = Mutex(0)
        let held = Mutex<BodyBuffer?>(nil)
        let seen = Mutex(0)
        let budget = ByteBudget(bytes: 64 * Self.block)
        let buffer = try await BodyBuffer(budget: budget, allowance: 2 * Self.block) { piece in
            // The piece that fills the buffer: what does not fit of it is refused after this.
            let count = seen.withLock { seen in
                seen += piece.count
                return seen
            }
            guard count >= 2 * Self.block, grown.withLock({ $0 }) == 0, let buffer = held.withLock({ $0 }) else {
                return
            }
            if buffer.tryGrow(to: 600_000) { grown.withLock { $0 += 1 } }
        }
        held.withLock { $0 = buffer }
        // After this much no piece ends where the buffer does.
        let event = Event()
        let server = try Self.serve(body, pause: 1000, until: event)
        let client = HTTPClient()
        _ = try await client.download(HTTPRequest("GET", server.url), into: buffer)
        try await buffer.wait(for: 1000)
        event.fire()
        try await buffer.waitForEnd()
        #expect(grown.withLock { $0 } == 1)
        #expect(buffer.take(.max) == body)
        held.withLock { $0 = nil }
    }

    @Test func theEndThatFitsComesAlthoughLessThanHalfIsFree() async throws {
        let body = Self.bytes(7 * Self.block + 1000)
        let download = try await Self.download(body, blocks: 6)
        let buffer = download.buffer
        try await buffer.wait(for: .max)
        // A pause ends by itself only once half of the buffer is free.
        #expect(buffer.take(2 * Self.block) == Array(body.prefix(2 * Self.block)))
        #expect(!buffer.hasEnded)
        try await buffer.waitForEnd()
        #expect(buffer.take(.max) == Array(body.dropFirst(2 * Self.block)))
    }

    @Test func growWaitsUntilOthersGiveBack() async throws {
        let body = Self.bytes(300_000)
        let download = try await Self.download(body, blocks: 2, budget: 6)
        let other = try await BodyBuffer(budget: download.budget, allowance: 4 * Self.block)
        let growth = Task { try await download.buffer.grow(to: 6 * Self.block) }
        try await download.buffer.wait(for: .max)
        #expect(!download.buffer.tryGrow(to: 6 * Self.block))
        other.abandon()
        try await growth.value
        try await download.buffer.waitForEnd()
        #expect(download.buffer.take(.max) == body)
    }

    /// A budget far larger than memory (reserving takes none), a holder, and a task in line for all of it.
    struct Line {
        let budget = ByteBudget(bytes: 1 << 40)
        let holder: BodyBuffer
        let all: Task<BodyBuffer, any Error>

        init() async throws {
            let budget = budget
            let holder = try await BodyBuffer(budget: budget, allowance: 2 * block)
            self.holder = holder
            all = Task { try await BodyBuffer(budget: budget, allowance: 1 << 40) }
            // Once somebody stands in line, nobody can grow out of turn, however much is free.
            while holder.tryGrow(to: holder.allowance + block) { await Task.yield() }
        }
    }

    @Test func whoAskedFirstIsServedFirst() async throws {
        let line = try await Line()
        let allIsServed = Mutex(false)
        let small = Task {
            let buffer = try await BodyBuffer(budget: line.budget, allowance: 2 * Self.block)
            #expect(allIsServed.withLock { $0 })
            return buffer
        }
        for _ in 0..<100 { await Task.yield() }
        line.holder.abandon()
        let all = try await line.all.value
        allIsServed.withLock { $0 = true }
        all.abandon()
        _ = try await small.value
    }

    @Test func aCancelledWaiterDoesNotHoldUpThoseBehind() async throws {
        let line = try await Line()
        let small = Task { try await BodyBuffer(budget: line.budget, allowance: 2 * Self.block) }
        for _ in 0..<100 { await Task.yield() }
        line.all.cancel()
        let error = await #expect(throws: HTTPError.self) { try await line.all.value }
        #expect(error?.code == .cancelled)
        _ = try await small.value
    }

    @Test func anEndedBodyKeepsNoMoreThanItNeeds() async throws {
        let download = try await Self.download(Self.bytes(100_000), blocks: 8, budget: 8)
        try await download.buffer.waitForEnd()
        #expect(download.buffer.allowance == 2 * Self.block)
        let other = try await BodyBuffer(budget: download.budget, allowance: 6 * Self.block)
        #expect(download.buffer.take(70_000).count == 70_000)
        #expect(download.buffer.allowance == Self.block)
        #expect(other.tryGrow(to: 7 * Self.block))
    }

    @Test func abandoningStopsTheDownloadAndGivesEverythingBack() async throws {
        let closed = Event()
        let server = try ScriptedServer { connection in
            _ = try connection.readHead()
            try connection.write("HTTP/1.1 200 OK\r\nContent-Length: 100000000\r\n\r\n")
            while (try? connection.write([UInt8](repeating: 7, count: 65_536))) != nil {}
            closed.fire()
        }
        let client = HTTPClient()
        let budget = ByteBudget(bytes: 4 * Self.block)
        // Once by hand, once by letting go of it.
        for byHand in [true, false] {
            var buffer: BodyBuffer? = try await BodyBuffer(budget: budget, allowance: 4 * Self.block)
            _ = try await client.download(HTTPRequest("GET", server.url), into: try #require(buffer))
            try await buffer?.wait(for: .max)
            if byHand {
                buffer?.abandon()
                buffer?.abandon()
                #expect(buffer?.available == 0)
                let error = await #expect(throws: HTTPError.self) { try await buffer?.waitForEnd() }
                #expect(error?.code == .cancelled)
            }
            buffer = nil
            await closed.wait(for: byHand ? 1 : 2)
        }
        _ = try await BodyBuffer(budget: budget, allowance: 4 * Self.block)
    }

    @Test func aWaitingTaskCanBeCancelled() async throws {
        let event = Event()
        let download = try await Self.download(Self.bytes(10), blocks: 2, pause: 5, until: event)
        defer { event.fire() }
        let task = Task { try await download.buffer.wait(for: 10) }
        task.cancel()
        let error = await #expect(throws: HTTPError.self) { try await task.value }
        #expect(error?.code == .cancelled)
    }

    @Test func anUnsuccessfulAnswerFailsTheBufferAndComesBackWithItsBody() async throws {
        let text = String(repeating: "x", count: 200_000)
        for (status, body, kept) in [("403 Forbidden", "why", 3), ("500 No", text, 64 << 10), ("404 Not Found", "", 0)]
        {
            let server = try ScriptedServer { connection in
                _ = try connection.readHead()
                try connection.answer(status, body)
                connection.waitForClose()
            }
            let buffer = try await BodyBuffer(budget: ByteBudget(bytes: 1 << 20), allowance: 1 << 20)
            let answer = try await HTTPClient().download(HTTPRequest("GET", server.url), into: buffer)
            #expect(answer.status == Int(status.prefix(3)))
            #expect(answer.body == Array(body.utf8.prefix(kept)))
            #expect(buffer.received == 0)
            let error = await #expect(throws: HTTPError.self) { try await buffer.wait(for: 1) }
            #expect(error?.code == .bodyFailed)
        }
    }

    @Test func anEmptyBodyEndsAtOnce() async throws {
        let download = try await Self.download([], blocks: 2)
        try await download.buffer.waitForEnd()
        try await download.buffer.wait(for: 1)
        #expect(download.buffer.take(1) == [])
        #expect(download.buffer.crc32c.value == 0)
        let buffer = BodyBuffer(ended: [])
        #expect(buffer.hasEnded)
        try await buffer.waitForEnd()
    }

    @Test func endedBytesAreABufferLikeAnyOther() async throws {
        let body = Self.bytes(200_000)
        let buffer = BodyBuffer(ended: body)
        #expect(buffer.received == 200_000)
        #expect(buffer.crc32c.value == CRC32CReference.sum(body))
        #expect(buffer.peek(.max) == body)
        #expect(buffer.take(100) + buffer.take(.max) == body)
    }

    @Test func aDownloadWhoseBufferNobodyDrainsEndsAsAnError() async throws {
        let server = try Self.serve(Self.bytes(400_000))
        let client = HTTPClient()
        let buffer = try await BodyBuffer(budget: ByteBudget(bytes: 2 * Self.block), allowance: 2 * Self.block)
        var request = HTTPRequest("GET", server.url)
        request.pauseTimeout = .milliseconds(300)
        let start = ContinuousClock.now
        _ = try await client.download(request, into: buffer)
        let error = await #expect(throws: HTTPError.self) { try await buffer.waitForEnd() }
        withExtendedLifetime(client) {}
        #expect(error?.code == .stalled && error?.message.contains("for its other half") == true)
        #expect(ContinuousClock.now - start >= .milliseconds(300))
    }

    @Test func aStallIsNotCountedWhileTheBufferIsFull() async throws {
        let body = Self.bytes(400_000)
        let server = try Self.serve(body)
        let client = HTTPClient()
        let buffer = try await BodyBuffer(budget: ByteBudget(bytes: 2 * Self.block), allowance: 2 * Self.block)
        var request = HTTPRequest("GET", server.url)
        // Long enough for a busy machine to let a byte through, and shorter than the wait below.
        request.stallTimeout = .seconds(1)
        _ = try await client.download(request, into: buffer)
        try await buffer.wait(for: .max)
        try await Task.sleep(for: .milliseconds(2500))
        var taken: [UInt8] = []
        while taken.count < body.count {
            try await buffer.wait(for: 1)
            taken += buffer.take(.max)
        }
        #expect(taken == body)
    }
}

/// The checksum's definition, for comparison.
enum CRC32CReference {
    static func sum(_ bytes: [UInt8]) -> UInt32 {
        let table = (0..<256).map { byte in
            var sum = UInt32(byte)
            for _ in 0..<8 { sum = sum & 1 == 1 ? sum >> 1 ^ 0x82f6_3b78 : sum >> 1 }
            return sum
        }
        var sum = UInt32.max
        for byte in bytes { sum = sum >> 8 ^ table[Int((sum ^ UInt32(byte)) & 255)] }
        return ~sum
    }
}
