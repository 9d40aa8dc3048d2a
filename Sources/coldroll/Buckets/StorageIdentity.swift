import Foundation
import GoogleAuth
import HTTPClient

/// Whom Cloud Storage sees, as far as that is written down: for command lines that give rights, and for a project.
struct StorageIdentity: Sendable, Equatable {
    /// As IAM writes a member; a person's login does not say whose it is.
    let member: String
    /// The project that the credentials belong to, or count their quota against.
    let project: String?

    static let unknown = StorageIdentity(member: "user:YOUR-ACCOUNT", project: nil)

    /// Reads a credentials file; nothing of it but names is kept.
    init?(json bytes: Data) {
        struct Content: Decodable {
            let client_email: String?
            let project_id: String?
            let quota_project_id: String?
        }
        guard let content = try? JSONDecoder().decode(Content.self, from: bytes) else { return nil }
        let email = content.client_email.flatMap { Self.isEmail($0) ? $0 : nil }
        self.init(
            member: email.map { "serviceAccount:\($0)" } ?? Self.unknown.member,
            project: [content.project_id, content.quota_project_id].compactMap { $0 }.first(where: isCloudName)
        )
    }

    init(member: String, project: String?) {
        self.member = member
        self.project = project
    }

    /// What stands in a command line must be nothing but an address.
    static func isEmail(_ text: String) -> Bool {
        text.utf8.count <= 200 && text.contains("@")
            && text.utf8.allSatisfy { byte in
                (97...122).contains(byte) || (65...90).contains(byte) || (48...57).contains(byte)
                    || "@.-_+".utf8.contains(byte)
            }
    }
}

extension Session {
    /// Whom the credentials for Cloud Storage stand for, by the file that holds them or by the metadata server.
    ///
    /// Call it after a request has succeeded: then a machine without a file has a metadata server.
    func storageIdentity(_ http: HTTPClient) async -> StorageIdentity {
        if let path = storageCredentialsFile {
            return FileManager.default.contents(atPath: path).flatMap(StorageIdentity.init(json:)) ?? .unknown
        }
        guard settings.storageEmulator == nil else { return .unknown }
        let host = metadataHost
        async let email = metadata("instance/service-accounts/default/email", host, http)
        async let project = metadata("project/project-id", host, http)
        let (name, id) = await (email, project)
        return StorageIdentity(
            member: name.flatMap { StorageIdentity.isEmail($0) ? "serviceAccount:\($0)" : nil }
                ?? StorageIdentity.unknown.member,
            project: id.flatMap { isCloudName($0) ? $0 : nil }
        )
    }

    /// The file that Google's search order for credentials ends at, nil where that is the metadata server.
    var storageCredentialsFile: String? {
        let environment = settings.environment
        func value(_ name: String) -> String? { environment[name].flatMap { $0.isEmpty ? nil : $0 } }
        if let named = value("GOOGLE_APPLICATION_CREDENTIALS") { return named }
        if settings.storageEmulator != nil { return nil }
        let folder = value("CLOUDSDK_CONFIG") ?? environment["HOME"].map { $0 + "/.config/gcloud" }
        let path = folder.map { $0 + "/application_default_credentials.json" }
        return path.flatMap { FileManager.default.fileExists(atPath: $0) ? $0 : nil }
    }

    /// The access scopes of this machine, as URLs; nil where its credentials are a file's, or no metadata server answers.
    func machineScopes(_ http: HTTPClient) async -> [String]? {
        guard storageCredentialsFile == nil, settings.storageEmulator == nil else { return nil }
        let answer = await metadata("instance/service-accounts/default/scopes", metadataHost, http)
        return answer?.split(whereSeparator: \.isWhitespace).map(String.init)
    }

    private var metadataHost: String {
        settings.environment["GCE_METADATA_HOST"].flatMap { $0.isEmpty ? nil : $0 } ?? "metadata.google.internal"
    }

    /// One value of the metadata server (Compute Engine docs: "View and query VM metadata"); nil where there is none.
    private func metadata(_ path: String, _ host: String, _ http: HTTPClient) async -> String? {
        let patience = MetadataServer.patience(in: settings.environment)
        let request = MetadataServer.request(path, of: host, patience: patience)
        guard let response = try? await http.send(request, limit: 4096), response.status == 200 else { return nil }
        return String(decoding: response.body, as: UTF8.self).trimmingCharacters(in: .whitespacesAndNewlines)
    }
}
