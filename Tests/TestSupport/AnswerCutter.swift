import Foundation
import Synchronization

/// A TCP relay before PostgreSQL that takes answers away: the statement has committed, its answer is read to the end and
/// dropped, and the connection is cut.
///
/// A client cannot tell this from a commit that never took place.
package final class AnswerCutter: Sendable {
    package struct Broken: Error {}

    private struct Plan {
        var needles: [[UInt8]] = []
        var every = 1, matched = 0, left = 0, struck = 0

        /// Whether a statement that a client runs asks for its answer to be cut.
        mutating func strikes(_ statement: [UInt8]) -> Bool {
            guard left > 0, needles.contains(where: { statement.firstRange(of: $0) != nil }) else { return false }
            matched += 1
            guard matched % every == 0 else { return false }
            left -= 1
            return true
        }
    }
    private let plan = Mutex(Plan())
    private let listener: Int32
    private let upstream: String
    /// Where clients connect, as the database of the running test.
    package let conninfo: String
    package let port: UInt16
    /// The same as a URI.
    package let url: String

    /// Listens on the loopback interface, before the database that `conninfo` names, on a Unix socket.
    package init(before conninfo: String = MigratedDatabase.conninfo) throws {
        let pairs = conninfo.split(separator: " ").map { $0.split(separator: "=", maxSplits: 1).map(String.init) }
        let values = Dictionary(uniqueKeysWithValues: pairs.map { ($0[0], $0.count > 1 ? $0[1] : "") })
        guard let directory = values["host"], directory.hasPrefix("/"), let database = values["dbname"] else {
            throw Broken()
        }
        upstream = "\(directory)/.s.PGSQL.\(values["port"] ?? "5432")"
        let listener = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = inet_addr("127.0.0.1")
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        let code = withUnsafeMutablePointer(to: &address) { address in
            address.withMemoryRebound(to: sockaddr.self, capacity: 1) { address in
                bind(listener, address, length) + listen(listener, 128) + getsockname(listener, address, &length)
            }
        }
        guard listener >= 0, code == 0 else { throw Broken() }
        self.listener = listener
        let port = UInt16(bigEndian: address.sin_port)
        self.port = port
        url =
            "postgresql://\(values["user"] ?? "postgres")@127.0.0.1:\(port)/\(database)?sslmode=disable&gssencmode=disable"
        self.conninfo =
            "host=127.0.0.1 port=\(port) user=\(values["user"] ?? "postgres") dbname=\(database)"
            + " sslmode=disable gssencmode=disable"
        Thread.detachNewThread { [listener, weak self] in
            while true {
                let client = accept(listener, nil, nil)
                guard client >= 0 else { return }
                self?.relay(client)
            }
        }
    }

    deinit {
        shutdown(listener, Int32(SHUT_RDWR))
        close(listener)
    }

    /// From now on cuts the answer to each `every`th statement that contains one of the texts, this many times at most.
    package func cut(after needles: String..., every: Int = 1, times: Int = 1) {
        plan.withLock {
            $0.needles = needles.map { Array($0.utf8) }
            ($0.every, $0.matched, $0.left) = (every, 0, times)
        }
    }

    /// Answers that were taken away although their statement had committed.
    package var struck: Int { plan.withLock { $0.struck } }

    private func relay(_ client: Int32) {
        guard let server = Self.connect(upstream) else {
            close(client)
            return
        }
        let line = Line(client: client, server: server)
        Thread.detachNewThread { [self] in
            defer { line.hangUp() }
            var requests = Requests()
            while let bytes = Self.read(client) {
                // Before the server has all of it.
                for statement in requests.statements(bytes) where plan.withLock({ $0.strikes(statement) }) {
                    line.isCut.withLock { $0 = true }
                }
                guard Self.write(server, bytes) else { return }
            }
        }
        Thread.detachNewThread { [self] in
            defer { line.hangUp() }
            var taken: [UInt8] = []
            while let bytes = Self.read(server) {
                guard line.isCut.withLock({ $0 }) else {
                    guard Self.write(client, bytes) else { return }
                    continue
                }
                taken += bytes
                guard let answer = Answer(taken) else { continue }
                if answer.isCommitted { plan.withLock { $0.struck += 1 } }
                return
            }
        }
    }

    /// The two ends of one connection, closed when both directions are over.
    private final class Line: Sendable {
        let client: Int32, server: Int32
        let isCut = Mutex(false)
        private let ends = Mutex(0)

        init(client: Int32, server: Int32) {
            self.client = client
            self.server = server
        }

        func hangUp() {
            for end in [client, server] { shutdown(end, Int32(SHUT_RDWR)) }
            let isLast = ends.withLock { ends in
                ends += 1
                return ends == 2
            }
            if isLast { for end in [client, server] { close(end) } }
        }
    }

    /// What a client sends: messages of a type, a length and a body, after the first, which has no type (PostgreSQL
    /// documentation, "Message Formats").
    private struct Requests {
        private var bytes: [UInt8] = []
        private var isStarted = false
        /// Texts of the statements that the server keeps, by their names.
        private var kept: [[UInt8]: [UInt8]] = [:]

        /// Texts of the statements that these bytes have the server run; one that is kept, each time that it is run.
        mutating func statements(_ more: [UInt8]) -> [[UInt8]] {
            bytes += more
            var start = 0
            var run: [[UInt8]] = []
            while true {
                let prefix = isStarted ? 1 : 0
                guard start + prefix + 4 <= bytes.count else { break }
                let length = bytes[(start + prefix)..<(start + prefix + 4)].reduce(0) { $0 << 8 | Int($1) }
                let end = start + prefix + length
                guard end <= bytes.count else { break }
                if isStarted, let text = text(bytes[start], bytes[(start + 5)..<end]) { run.append(text) }
                isStarted = true
                start = end
            }
            bytes.removeFirst(start)
            return run
        }

        private mutating func text(_ type: UInt8, _ body: ArraySlice<UInt8>) -> [UInt8]? {
            let texts = body.split(separator: 0, maxSplits: 2, omittingEmptySubsequences: false).map(Array.init)
            switch type {
            case UInt8(ascii: "Q"): return texts[0]
            case UInt8(ascii: "P"):
                // Name and text.
                guard !texts[0].isEmpty else { return texts[1] }
                kept[texts[0]] = texts[1]
                return nil
            case UInt8(ascii: "B"):
                // Portal and name.
                return kept[texts[1]]
            default: return nil
            }
        }
    }

    /// A whole answer of the server's: messages of a type, a length and a body, up to ReadyForQuery (PostgreSQL
    /// documentation, "Message Formats").
    private struct Answer {
        /// Ended without an error, and no transaction is open.
        var isCommitted = true

        /// Nil as long as the answer is not complete.
        init?(_ bytes: [UInt8]) {
            var start = 0
            while start + 5 <= bytes.count {
                let length = bytes[start + 1..<start + 5].reduce(0) { $0 << 8 | Int($1) }
                guard start + 1 + length <= bytes.count else { return nil }
                switch bytes[start] {
                case UInt8(ascii: "E"): isCommitted = false
                case UInt8(ascii: "Z"):
                    if bytes[start + 5] != UInt8(ascii: "I") { isCommitted = false }
                    return
                default: break
                }
                start += 1 + length
            }
            return nil
        }
    }

    private static func connect(_ path: String) -> Int32? {
        let server = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0)
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        withUnsafeMutableBytes(of: &address.sun_path) { place in
            place.copyBytes(from: path.utf8.prefix(place.count - 1))
        }
        let code = withUnsafePointer(to: &address) { address in
            address.withMemoryRebound(to: sockaddr.self, capacity: 1) { address in
                Glibc.connect(server, address, socklen_t(MemoryLayout<sockaddr_un>.size))
            }
        }
        guard code == 0 else {
            close(server)
            return nil
        }
        return server
    }

    private static func read(_ end: Int32) -> [UInt8]? {
        var bytes = [UInt8](repeating: 0, count: 64 << 10)
        let count = recv(end, &bytes, bytes.count, 0)
        return count > 0 ? Array(bytes[..<count]) : nil
    }

    private static func write(_ end: Int32, _ bytes: [UInt8]) -> Bool {
        var done = 0
        while done < bytes.count {
            let count = bytes[done...].withUnsafeBytes { send(end, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL)) }
            guard count > 0 else { return false }
            done += count
        }
        return true
    }
}
