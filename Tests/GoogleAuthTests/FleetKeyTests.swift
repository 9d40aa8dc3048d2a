import Foundation
import Testing

@testable import GoogleAuth

@Suite struct FleetKeyTests {
    private let directory: String

    init() throws {
        directory = NSTemporaryDirectory() + "fleet-key-" + UUID().uuidString
        try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true)
    }

    private var path: String { directory + "/key" }

    private func write(_ text: String, mode: Int = 0o600) throws {
        try Data(text.utf8).write(to: URL(filePath: path))
        try FileManager.default.setAttributes([.posixPermissions: mode], ofItemAtPath: path)
    }

    @Test func `a key is made once, for its owner only, and read again`() throws {
        #expect(try FleetKey.load(path) == nil)
        let made = try FleetKey.loadOrMake(path)
        let mode = try FileManager.default.attributesOfItem(atPath: path)[.posixPermissions] as? Int
        #expect(mode == 0o600)
        #expect(try FleetKey.loadOrMake(path).id == made.id)
        #expect(try FileManager.default.contentsOfDirectory(atPath: directory) == ["key"])
        let text = try String(contentsOfFile: path, encoding: .utf8)
        #expect(text.hasPrefix("coldroll-key-1 ") && !text.contains(made.id))
    }

    @Test func `many that make it at once all have the same`() async throws {
        let path = path
        let ids = try await withThrowingTaskGroup(of: String.self) { group in
            for _ in 0..<20 { group.addTask { try FleetKey.loadOrMake(path).id } }
            return try await group.reduce(into: Set()) { $0.insert($1) }
        }
        #expect(ids.count == 1)
    }

    @Test(arguments: [0o640, 0o604, 0o620, 0o666])
    func `a key that others may read or write is refused`(_ mode: Int) throws {
        try write("coldroll-key-1 " + base64URL([UInt8](repeating: 1, count: 32)) + "\n", mode: mode)
        #expect {
            try FleetKey.load(path)
        } throws: { "\($0)".contains("chmod 600 \(path)") }
    }

    @Test(arguments: ["", "x", "coldroll-key-1 AAAA", "coldroll-key-2 " + base64URL([UInt8](repeating: 1, count: 32))])
    func `a file that is no key is refused, and stays`(_ text: String) throws {
        try write(text)
        #expect { try FleetKey.loadOrMake(path) } throws: { "\($0)".contains("holds no key") }
        #expect(try String(contentsOfFile: path, encoding: .utf8) == text)
    }

    @Test func `what was sealed opens with the same key and context only, and not at all if one bit differs`() throws {
        let key = try FleetKey.loadOrMake(path)
        let plain = Array("1//0refresh token, öfter".utf8)
        let sealed = key.seal(plain, context: "here")
        #expect(key.unseal(sealed, context: "here") == plain)
        #expect(key.seal(plain, context: "here") != sealed)
        #expect(key.unseal(sealed, context: "there") == nil)
        #expect(key.unseal(key.seal([], context: ""), context: "") == [])
        let all = try #require(bytes(base64URL: sealed))
        for index in all.indices {
            var changed = all
            changed[index] ^= 1
            #expect(key.unseal(base64URL(changed), context: "here") == nil, "byte \(index)")
            #expect(key.unseal(base64URL(Array(all.prefix(index))), context: "here") == nil, "cut at \(index)")
        }
        let other = try FleetKey.loadOrMake(directory + "/other")
        #expect(other.id != key.id)
        #expect(other.unseal(sealed, context: "here") == nil)
    }

    @Test func `it is the AES-256-GCM of everybody else`() throws {
        // Test case 14 of McGrew and Viega, "The Galois/Counter Mode of Operation": all zero.
        try write("coldroll-key-1 " + base64URL([UInt8](repeating: 0, count: 32)) + "\n")
        let key = try #require(try FleetKey.load(path))
        let ciphertext: [UInt8] = [
            0xCE, 0xA7, 0x40, 0x3D, 0x4D, 0x60, 0x6B, 0x6E, 0x07, 0x4E, 0xC5, 0xD3, 0xBA, 0xF3, 0x9D, 0x18,
        ]
        let tag: [UInt8] = [
            0xD0, 0xD1, 0xC8, 0xA7, 0x99, 0x99, 0x6B, 0xF0, 0x26, 0x5B, 0x98, 0xB5, 0xD4, 0x8A, 0xB9, 0x19,
        ]
        let sealed = base64URL([UInt8](repeating: 0, count: 12) + ciphertext + tag)
        #expect(key.unseal(sealed, context: "") == [UInt8](repeating: 0, count: 16))
    }
}
