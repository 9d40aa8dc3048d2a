import Foundation
import GoogleSimulator

/// An answer as it came off the wire, whole or not.
struct WireAnswer {
    var status = 0
    var headers: [String: String] = [:]
    var body: [UInt8] = []
    /// Whether the connection ended with a reset.
    var isReset = false

    var text: String { String(decoding: body, as: UTF8.self) }

    /// The body as a JSON object; empty if it is none.
    var json: [String: Any] { (try? JSONSerialization.jsonObject(with: Data(body)) as? [String: Any]) ?? [:] }

    /// Whether as many bytes came as were promised.
    var isWhole: Bool { headers["content-length"].flatMap { Int($0) } == body.count }
}

/// One request a connection over a plain socket: it shows what an HTTP library would hide.
struct WireClient {
    let port: UInt16

    init(_ simulator: Simulator) {
        port = UInt16(simulator.url.split(separator: ":").last ?? "") ?? 0
    }

    func send(
        _ method: String,
        _ target: String,
        _ headers: [String: String] = [:],
        body: [UInt8] = [],
        port other: UInt16? = nil
    ) -> WireAnswer {
        let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        defer { close(descriptor) }
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = (other ?? port).bigEndian
        address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        let size = socklen_t(MemoryLayout<sockaddr_in>.size)
        let status = withUnsafePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { connect(descriptor, $0, size) }
        }
        guard status == 0 else { return WireAnswer() }
        var all = ["Host": "localhost:\(port)", "Connection": "close", "Content-Length": String(body.count)]
        all.merge(headers) { _, given in given }
        let lines = all.map { "\($0.key): \($0.value)\r\n" }.joined()
        let request = Array("\(method) \(target) HTTP/1.1\r\n\(lines)\r\n".utf8) + body
        var sent = 0
        while sent < request.count {
            let count = request[sent...].withUnsafeBytes {
                Glibc.send(descriptor, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL))
            }
            if count <= 0 { break }
            sent += count
        }
        return receive(descriptor)
    }

    private func receive(_ descriptor: Int32) -> WireAnswer {
        var answer = WireAnswer()
        var bytes: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 1 << 16)
        while true {
            let count = recv(descriptor, &buffer, buffer.count, 0)
            if count < 0 { answer.isReset = errno == ECONNRESET }
            if count <= 0 { break }
            bytes += buffer[0..<count]
        }
        guard let end = Data(bytes).range(of: Data("\r\n\r\n".utf8)) else { return answer }
        let lines = String(decoding: bytes[0..<end.lowerBound], as: UTF8.self).components(separatedBy: "\r\n")
        answer.status = Int(lines[0].split(separator: " ").dropFirst().first ?? "") ?? 0
        for line in lines.dropFirst() {
            let parts = line.split(separator: ":", maxSplits: 1)
            let value = parts.count > 1 ? parts[1].drop { $0 == " " } : ""
            answer.headers[parts[0].lowercased()] = String(value)
        }
        answer.body = Array(bytes[end.upperBound...])
        return answer
    }

    /// An Authorization header for one of the logins.
    func authorization(_ file: String) throws -> [String: String] {
        let login =
            try JSONSerialization.jsonObject(with: Data(contentsOf: URL(filePath: file))) as? [String: String] ?? [:]
        let names = ["client_id", "client_secret", "refresh_token"]
        let form = (["grant_type=refresh_token"] + names.map { "\($0)=\(login[$0] ?? "")" }).joined(separator: "&")
        let answer = send("POST", "/token", body: Array(form.utf8))
        return ["Authorization": "Bearer \(answer.json["access_token"] as? String ?? "none")"]
    }

    /// The items of one page.
    func items(_ authorization: [String: String]) -> [[String: Any]] {
        send("GET", "/v1/mediaItems?pageSize=100", authorization).json["mediaItems"] as? [[String: Any]] ?? []
    }

    /// The path of an address that the simulator gave.
    static func path(_ url: String) -> String {
        "/" + url.split(separator: "/", maxSplits: 2, omittingEmptySubsequences: true)[2]
    }
}

/// A simulator with a small made-up library, which is stopped afterwards.
func withSimulator(
    _ change: (inout SimulatorConfiguration) -> Void = { _ in },
    _ body: (Simulator, WireClient) throws -> Void
) throws {
    var configuration = SimulatorConfiguration()
    configuration.synthesis = SynthesisOptions(count: 12, sizes: 300_000...400_000, videoPercent: 30)
    change(&configuration)
    let simulator = try Simulator.start(configuration)
    defer { simulator.stop() }
    try body(simulator, WireClient(simulator))
}
