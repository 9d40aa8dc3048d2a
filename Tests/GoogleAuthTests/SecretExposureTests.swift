import Foundation
import Testing

@testable import GoogleAuth

@Suite struct SecretExposureTests {
    @Test func `a secret is its reader's alone, or root's, who may give it to a group`() {
        for mode: mode_t in [0o100600, 0o100400, 0o100700] {
            #expect(SecretExposure(mode: mode, owner: 10, reader: 10) == nil)
            #expect(SecretExposure(mode: mode, owner: 0, reader: 0) == nil)
        }
        for mode: mode_t in [0o100640, 0o100660, 0o100604, 0o100620, 0o100610] {
            #expect(SecretExposure(mode: mode, owner: 10, reader: 10) == .others)
            #expect(SecretExposure(mode: mode, owner: 0, reader: 0) == .others)
        }
        #expect(SecretExposure(mode: 0o100640, owner: 0, reader: 10) == nil)
        for mode: mode_t in [0o100644, 0o100660, 0o100604] {
            #expect(SecretExposure(mode: mode, owner: 0, reader: 10) == .others)
        }
    }

    @Test func `a file of another user is theirs, whatever its mode`() {
        #expect(SecretExposure(mode: 0o100600, owner: 11, reader: 10) == .owner(11))
        #expect(SecretExposure(mode: 0o100600, owner: 11, reader: 0) == .owner(11))
    }

    @Test func `a key of another user is refused, and a file that is not there is nobody's`() throws {
        let path = NSTemporaryDirectory() + "exposed-" + UUID().uuidString
        #expect(SecretExposure(ofFile: path) == nil)
        let key = try FleetKey.loadOrMake(path)
        defer { try? FileManager.default.removeItem(atPath: path) }
        #expect(SecretExposure(ofFile: path) == nil)
        // Only root can give a file away.
        guard geteuid() == 0 else { return }
        try FileManager.default.setAttributes([.ownerAccountID: 65534], ofItemAtPath: path)
        #expect(SecretExposure(ofFile: path) == .owner(65534))
        #expect { try FleetKey.load(path) } throws: {
            "\($0)".contains("belongs to another user") && "\($0)".contains("chown 0 \(path)")
        }
        try FileManager.default.setAttributes([.ownerAccountID: 0], ofItemAtPath: path)
        #expect(try FleetKey.load(path)?.id == key.id)
    }
}
