import GoogleAuth
import HTTPClient
import Testing

@testable import CloudStorage

@Suite struct OpenStoreTests {
    private func open(_ url: String, endpoint: String = "https://storage.googleapis.com") throws(StorageError)
        -> any ObjectStore
    {
        try openStore(url, http: HTTPClient(), tokens: .anonymous, endpoint: endpoint)
    }

    @Test(
        "a place keeps one spelling of its URL",
        arguments: [
            ("gs://photos", "gs://photos"), ("gs://photos/", "gs://photos"), ("gs://photos/a/b/", "gs://photos/a/b"),
            ("file:///srv/photos/", "file:///srv/photos"), ("file:///srv/my%20photos", "file:///srv/my%20photos"),
            ("file://localhost/srv", "file:///srv"),
        ]
    )
    func url(text: String, url: String) throws {
        #expect(try open(text).url == url)
    }

    @Test(
        "what is no place is refused with what is wanted",
        arguments: [
            "", "photos", "s3://photos", "gs://", "gs://Photos", "gs://a", "gs://photos//x", "file://host/dir",
            "file://dir", "file:///a%0",
        ]
    )
    func refused(text: String) {
        #expect { try open(text) } throws: { error in
            (error as? StorageError)?.code == .noBucket && "\(error)".contains("wanted is")
        }
    }

    @Test(
        "STORAGE_EMULATOR_HOST is taken in every form",
        arguments: ["http://127.0.0.1:9000", "127.0.0.1:9000", "http://127.0.0.1:9000/", "127.0.0.1:9000//"]
    )
    func emulator(text: String) throws {
        let endpoint = try StorageEndpoint(text)
        #expect(endpoint.base == "http://127.0.0.1:9000")
        #expect(endpoint.owns(UploadSession(uri: "http://127.0.0.1:9000/upload?upload_id=1", length: nil)))
        #expect(!endpoint.owns(UploadSession(uri: "https://127.0.0.1:9000/upload?upload_id=1", length: nil)))
    }

    @Test(
        "an upload session on a foreign host gets neither token nor bytes",
        arguments: [
            "https://evil.example/upload", "http://storage.googleapis.com/upload",
            "https://storage.googleapis.com:444/upload",
            "https://storage.googleapis.com@evil.example/", "https://user@storage.googleapis.com/", "/upload", "",
            "https://storage.googleapis.com.evil.example/", "https://storage.googleapis.com./upload",
            "https://storage.googleapis.com\\@evil.example/", "https://evil.example\\@storage.googleapis.com/",
            "https://evil.example#@storage.googleapis.com/", "https://storage。googleapis.com/upload",
            "https://storage.googleapis.com%2eevil.example/", "https://[::1]/upload", "https://2130706433/upload",
            "https://storage.googleapis.com/upload\r\nX-Evil: 1", " https://storage.googleapis.com/upload",
            "//storage.googleapis.com/upload", "https:storage.googleapis.com/upload", "https://127.0.0.1/upload",
            "https://www.googleapis.com/upload", "https://storage.googleapis.com:99999/upload",
        ]
    )
    func foreignSession(uri: String) throws {
        #expect(try !StorageEndpoint("https://storage.googleapis.com").owns(UploadSession(uri: uri, length: nil)))
    }

    @Test func aPrivateGoogleEndpointMaySendUploadsToThePublicOne() throws {
        let endpoint = try StorageEndpoint("https://restricted.googleapis.com")
        #expect(endpoint.owns(UploadSession(uri: "https://storage.googleapis.com/upload?upload_id=1", length: nil)))
    }

    @Test func aSessionNeverShowsItsSecret() {
        let session = UploadSession(uri: "https://storage.googleapis.com/?upload_id=SECRET", length: nil)
        #expect(!"\(session)".contains("SECRET"))
        #expect(!String(reflecting: session).contains("SECRET"))
        #expect(!"\(StorageError.Code.interrupted(session))".contains("SECRET"))
    }
}
