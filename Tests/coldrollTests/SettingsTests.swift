import Foundation
import Testing

@testable import coldroll

@Suite struct SettingsTests {
    private func settings(
        _ environment: [String: String],
        file: [String: String] = [:],
        slots: String? = nil,
        need: Command.Need = .everything,
        isRoot: Bool = false
    ) throws(SettingsError) -> Settings {
        try Settings(
            environment: ["HOME": "/home/ada"].merging(environment) { $1 },
            file: file,
            slots: slots,
            need: need,
            isRoot: isRoot,
            isReadable: { !$0.contains("missing") }
        )
    }

    private func faults(_ environment: [String: String], file: [String: String] = [:]) -> [String] {
        do throws(SettingsError) {
            _ = try settings(environment, file: file)
            return []
        } catch {
            return error.faults
        }
    }

    @Test func withNothingSetTheDefaultsHold() throws {
        let settings = try settings([:])
        #expect(settings.home == "/home/ada/.local/share/coldroll")
        #expect(settings.archive == "file:///home/ada/.local/share/coldroll/archive")
        #expect(settings.state == "file:///home/ada/.local/share/coldroll/state")
        #expect(settings.database == nil)
        #expect(settings.source == nil)
        #expect(settings.account == "default")
        #expect(settings.slots == .auto)
        #expect(settings.photosEndpoint == "https://photoslibrary.googleapis.com")
        #expect(try self.settings([:], isRoot: true).home == "/var/lib/coldroll")
    }

    @Test func aFlagWinsOverTheEnvironmentAndThatOverTheFile() throws {
        let file = ["COLDROLL_SLOTS": "2", "COLDROLL_ACCOUNT": "file", "COLDROLL_HOME": "/file"]
        let environment = ["COLDROLL_SLOTS": "3", "COLDROLL_ACCOUNT": "environment", "COLDROLL_HOME": ""]
        let settings = try settings(environment, file: file, slots: "4")
        #expect(settings.slots == .fixed(4))
        #expect(settings.account == "environment")
        #expect(settings.home == "/file")
        #expect(try self.settings(environment, file: file).slots == .fixed(3))
        #expect(try self.settings([:], file: file).slots == .fixed(2))
    }

    @Test func everyFaultIsInOneMessage() {
        let faults = faults([
            "COLDROLL_SLOTS": "0", "COLDROLL_ARCHIVE": "s3://bucket", "COLDROLL_STATE": "file://state",
            "COLDROLL_SOURCE": "libary", "COLDROLL_HOME": "home", "COLDROLL_PHOTOS_ENDPOINT": "photos",
            "COLDROLL_PHOTOS_CREDENTIALS": "/missing", "COLDROLL_DATABASE_URL": "localhost",
        ])
        #expect(faults.count == 8)
        #expect(SettingsError(faults: faults).description.hasPrefix("8 faults:\n  "))
    }

    @Test(arguments: [
        ("COLDROLL_BEAT", "61s", "COLDROLL_BEAT is '61s'; expected a time from 1s to 60s"),
        ("COLDROLL_BEAT", "5 ms", "COLDROLL_BEAT is '5 ms'; expected a time from 1s to 60s"),
        (
            "COLDROLL_KEEP_FAILURES", "400d",
            "COLDROLL_KEEP_FAILURES is '400d'; expected a span such as 90d, at most 366d"
        ),
        ("COLDROLL_SLOTS", "many", "COLDROLL_SLOTS is 'many'; expected 'auto' or a whole number from 1 to 64"),
        ("COLDROLL_ARCHIVE", "/photos", "COLDROLL_ARCHIVE is a path; write file:///photos"),
        (
            "COLDROLL_SOURCE", "libary",
            "COLDROLL_SOURCE is 'libary'; expected library, picker or takeout:PATH; did you mean library?"
        ),
        (
            "COLDROLL_SOURCE", "takeout:",
            "COLDROLL_SOURCE is 'takeout:'; expected library, picker or takeout:PATH; did you mean takeout?"
        ),
        ("COLDROLL_HOME", "data", "COLDROLL_HOME is 'data'; expected an absolute path"),
        ("COLDROLL_KEY_FILE", "/tmp", "COLDROLL_KEY_FILE is '/tmp', which is a directory; expected a file"),
        ("COLDROLL_KEY_FILE", "key", "COLDROLL_KEY_FILE is 'key'; expected an absolute path"),
        ("COLDROLL_OAUTH_ENDPOINT", "ftp://x", "COLDROLL_OAUTH_ENDPOINT is no http:// or https:// URL without a query"),
        (
            "COLDROLL_PICKER_ENDPOINT", "https://h/?q",
            "COLDROLL_PICKER_ENDPOINT is no http:// or https:// URL without a query"
        ),
        ("STORAGE_EMULATOR_HOST", "ftp://h:1", "STORAGE_EMULATOR_HOST is no http:// or https:// URL and no host:port"),
        ("SSL_CERT_FILE", "/missing.pem", "SSL_CERT_FILE is '/missing.pem', which is no file that can be read"),
        ("COLDROLL_PROJECT", "a project", "COLDROLL_PROJECT is 'a project'; expected the id of a Google Cloud project"),
        ("COLDROLL_ACCOUNT", "a\nb", "COLDROLL_ACCOUNT is longer than 200 bytes or has control characters in it"),
        ("COLDROLL_ARCHVE", "gs://bucket", "COLDROLL_ARCHVE is not a setting; did you mean COLDROLL_ARCHIVE?"),
        ("COLDROL_ARCHIVE", "gs://bucket", "COLDROL_ARCHIVE is not a setting; did you mean COLDROLL_ARCHIVE?"),
        ("coldroll_source", "library", "coldroll_source is not a setting; did you mean COLDROLL_SOURCE?"),
        (
            "COLDROLL_ARCHIVE", "gs://My_Archive",
            "COLDROLL_ARCHIVE names no possible bucket: 'My_Archive'; a name has 3 to 63 characters, with dots up to 222, and of "
                + "lower-case letters, digits, '-', '_' and '.' only"
        ),
        (
            "COLDROLL_STATE", "file:///home/ada/.local/share/coldroll/archive/",
            "COLDROLL_ARCHIVE and COLDROLL_STATE are the same place; the archive holds nothing but photos"
        ),
        (
            "COLDROLL_STATE", "file:///home/ada/.local/share/coldroll/archive/x",
            "COLDROLL_STATE lies inside COLDROLL_ARCHIVE; the archive holds nothing but photos"
        ),
    ])
    func eachFaultIsASentence(name: String, value: String, fault: String) { #expect(faults([name: value]) == [fault]) }

    @Test(arguments: [
        ("gs://b", "gs://b/x", true), ("gs://b/x", "gs://b/x", true), ("gs://b/x", "gs://b/xy", false),
        ("gs://b/x", "gs://b", false), ("file:///", "file:///x", true),
        // One character with the slash before it to Swift, and yet below it.
        ("gs://b/x", "gs://b/x/\u{301}y", true),
        // The same to a reader, other names to a bucket.
        ("gs://b/e\u{301}", "gs://b/\u{e9}/x", false),
    ])
    func placesAreComparedByTheirBytes(outer: String, inner: String, isInside: Bool) {
        #expect(StoreURL.contains(outer, inner) == isInside)
    }

    @Test func aDatabaseURLIsNeverRepeated() {
        let faults = faults(["COLDROLL_DATABASE_URL": "mysql://ada:hunter2@host/db"])
        #expect(faults == ["COLDROLL_DATABASE_URL is no libpq URI; expected postgresql://user@host/database"])
    }

    @Test(arguments: ["postgresql://ada@h/db", "postgres://h", "host=/run/postgresql user=ada"])
    func aConninfoIsTakenAsItStands(text: String) throws {
        #expect(try settings(["COLDROLL_DATABASE_URL": text]).database == text)
    }

    @Test func variablesThatKubernetesAddsAreNoFaults() {
        #expect(faults(["COLDROLL_SERVICE_HOST": "10.0.0.1", "COLDROLL_PORT": "tcp://10.0.0.1:1"]) == [])
        #expect(faults([:], file: ["COLDROLL_SERVICE_HOST": "x"]).count == 1)
    }

    @Test func `a file's names are searched for slips in letters and their case, the environment's for those of ours`()
    {
        let slips = [
            ("GOOGLE_APPLICATION_CREDENTIAL", "GOOGLE_APPLICATION_CREDENTIALS"), ("ssl_cert_file", "SSL_CERT_FILE"),
        ]
        for (name, meant) in slips {
            #expect(faults([:], file: [name: "/x"]) == ["\(name) is not a setting; did you mean \(meant)?"])
            #expect(faults([name: "/x"]) == [])
        }
        #expect(faults([:], file: ["coldroll_attic": "x"]).count == 1)
        #expect(faults([:], file: ["GOOGLE_APPLICATION_NAME": "x", "cold_water": "x"]) == [])
    }

    @Test func googlesCredentialsAreLookedForOnlyWhereABucketIsUsed() throws {
        let environment = ["GOOGLE_APPLICATION_CREDENTIALS": "/missing"]
        #expect(faults(environment) == [])
        #expect(faults(environment.merging(["COLDROLL_ARCHIVE": "gs://photos"]) { $1 }).count == 1)
        _ = try settings(environment.merging(["COLDROLL_ARCHIVE": "gs://photos"]) { $1 }, need: .ledger)
    }

    @Test func theProjectIsThatOfGooglesLibrariesUnlessOurOwnIsSet() throws {
        #expect(try settings([:]).project == nil)
        #expect(try settings(["GOOGLE_CLOUD_PROJECT": "theirs"]).project == "theirs")
        #expect(try settings(["GOOGLE_CLOUD_PROJECT": "theirs", "COLDROLL_PROJECT": "ours"]).project == "ours")
        #expect(try settings(["GOOGLE_CLOUD_PROJECT": "no project"]).project == nil)
    }

    @Test func emulatorsMayBeNamedWithoutAScheme() throws {
        for host in ["localhost:9000", "http://127.0.0.1:9000/", "https://storage.test"] {
            #expect(try settings(["STORAGE_EMULATOR_HOST": host]).storageEmulator == host)
        }
    }

    @Test(arguments: [
        ("gs://photos", "gs://photos"), ("gs://photos/", "gs://photos"),
        ("gs://my.bucket_1/a/b/", "gs://my.bucket_1/a/b"),
        ("file:///srv/photos//x/", "file:///srv/photos/x"), ("file:///a b", "file:///a b"),
    ])
    func aStoresAddressIsNormalised(text: String, expected: String) {
        #expect(StoreURL.normalised(text) == .success(expected))
    }

    @Test(arguments: [
        "gs://", "gs://ab", "gs://Photos", "gs://photos//x", "gs://photos/../x", "gs://photos/.", "gs://pho tos",
        "file://x",
        "file:///", "file:///a/../b", "photos", "https://storage.googleapis.com/photos", "gs:/photos",
    ])
    func aStoresAddressThatCannotBeIsRefused(text: String) {
        guard case .failure = StoreURL.normalised(text) else { return #expect(Bool(false), "\(text)") }
    }

    @Test func aStateStoreMayLieBesideTheArchiveInOneBucket() {
        #expect(
            faults(["COLDROLL_ARCHIVE": "gs://photos/archive", "COLDROLL_STATE": "gs://photos/archive-state"]) == []
        )
    }

    @Test func theDocumentedTableIsTheOneInTheCode() throws {
        let file = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "../../docs/configuration.md")
        let lines = try String(contentsOf: file, encoding: .utf8).split(separator: "\n").map(String.init)
        let rows = lines.filter { $0.hasPrefix("| `") }
        #expect(rows == Setting.all.map { "| `\($0.name)` | \($0.meaning) | \($0.fallback) |" })
    }
}
