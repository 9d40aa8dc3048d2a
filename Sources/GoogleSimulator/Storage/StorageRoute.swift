/// What a request asks of Cloud Storage; nil from `init` if it is not for it.
enum StorageRoute: Sendable {
    case bucketInsert
    case bucketList
    case bucketGet(String)
    case bucketPatch(String)
    case bucketPolicy(String)
    case bucketPermissions(String)
    case bucketLock(String)
    case objectList(String)
    case objectGet(String, ObjectName)
    case objectDownload(String, ObjectName)
    case objectDelete(String, ObjectName)
    case uploadMultipart(String)
    case uploadMedia(String)
    case uploadStart(String)
    case uploadData(session: String)
    case uploadStatus(session: String)
    case uploadCancel(session: String)
    /// A method or path that the API has not.
    case unknown

    init?(_ call: Call) {
        var parts = call.path.split(separator: "/", omittingEmptySubsequences: false).dropFirst()
        if parts.first == "resumable" { parts = parts.dropFirst() }
        let door = parts.first
        if door == "upload" || door == "download" { parts = parts.dropFirst() }
        guard parts.prefix(3).elementsEqual(["storage", "v1", "b"]) else { return nil }
        let names = parts.dropFirst(3).compactMap { percentDecoded($0) }
        if door == "upload" {
            self = Self.upload(call, bucket: names.first)
            return
        }
        self = Self.plain(call, names, isDownload: door == "download" || call.query["alt"] == "media")
    }

    private static func upload(_ call: Call, bucket: String?) -> StorageRoute {
        guard let bucket else { return .unknown }
        if let session = call.query["upload_id"] {
            if call.method == "DELETE" { return .uploadCancel(session: session) }
            guard call.method == "PUT" || call.method == "POST" else { return .unknown }
            let range = call.header("content-range").flatMap { UploadRange($0) }
            let isQuery = range.map { $0.first == nil } ?? false
            return isQuery ? .uploadStatus(session: session) : .uploadData(session: session)
        }
        guard call.method == "POST" || call.method == "PUT" else { return .unknown }
        switch call.query["uploadType"] {
        case "multipart": return .uploadMultipart(bucket)
        case "media": return .uploadMedia(bucket)
        case "resumable": return .uploadStart(bucket)
        default: return .unknown
        }
    }

    private static func plain(_ call: Call, _ names: [String], isDownload: Bool) -> StorageRoute {
        switch (call.method, names.count) {
        case ("POST", 0): return .bucketInsert
        case ("GET", 0): return .bucketList
        case ("GET", 1): return .bucketGet(names[0])
        case ("PATCH", 1): return .bucketPatch(names[0])
        case ("GET", 2) where names[1] == "iam": return .bucketPolicy(names[0])
        case ("POST", 2) where names[1] == "lockRetentionPolicy": return .bucketLock(names[0])
        case ("GET", 3) where names[1] == "iam" && names[2] == "testPermissions": return .bucketPermissions(names[0])
        case ("GET", 2) where names[1] == "o": return .objectList(names[0])
        case ("GET", 3) where names[1] == "o", ("HEAD", 3) where names[1] == "o":
            let name = ObjectName(names[2])
            return isDownload ? .objectDownload(names[0], name) : .objectGet(names[0], name)
        case ("DELETE", 3) where names[1] == "o": return .objectDelete(names[0], ObjectName(names[2]))
        default: return .unknown
        }
    }

    /// The name that counters and fault rules use.
    var operation: String {
        switch self {
        case .bucketInsert: "bucketInsert"
        case .bucketList: "bucketList"
        case .bucketGet: "bucketGet"
        case .bucketPatch: "bucketPatch"
        case .bucketPolicy: "bucketPolicy"
        case .bucketPermissions: "bucketPermissions"
        case .bucketLock: "bucketLock"
        case .objectList: "objectList"
        case .objectGet: "objectGet"
        case .objectDownload: "objectDownload"
        case .objectDelete: "objectDelete"
        case .uploadMultipart: "uploadMultipart"
        case .uploadMedia: "uploadMedia"
        case .uploadStart: "uploadStart"
        case .uploadData: "uploadData"
        case .uploadStatus: "uploadStatus"
        case .uploadCancel: "uploadCancel"
        case .unknown: "storageOther"
        }
    }
}

extension StorageRoute {
    /// The permission without which the operation is refused at once; nil if it takes none, or another look first.
    ///
    /// Cloud Storage: IAM permissions for JSON methods. A session's URI is its own permission; a new bucket's is the
    /// project's; replacing an object takes more, which shows when it is replaced.
    var need: (bucket: String, permission: String)? {
        switch self {
        case .bucketGet(let bucket): (bucket, "storage.buckets.get")
        case .bucketPatch(let bucket), .bucketLock(let bucket): (bucket, "storage.buckets.update")
        case .bucketPolicy(let bucket): (bucket, "storage.buckets.getIamPolicy")
        case .objectList(let bucket): (bucket, "storage.objects.list")
        case .objectGet(let bucket, _), .objectDownload(let bucket, _): (bucket, "storage.objects.get")
        case .objectDelete(let bucket, _): (bucket, "storage.objects.delete")
        case .uploadMultipart(let bucket), .uploadMedia(let bucket), .uploadStart(let bucket):
            (bucket, "storage.objects.create")
        case .bucketInsert, .bucketList, .bucketPermissions, .uploadData, .uploadStatus, .uploadCancel, .unknown: nil
        }
    }

    /// Whether a token of these scopes may ask for it (JSON API discovery document: `scopes` of each method).
    ///
    /// Changing a bucket, and reading who may use it, takes `devstorage.full_control` or `cloud-platform`.
    func isCovered(by scopes: Set<String>) -> Bool {
        switch self {
        case .bucketPatch, .bucketPolicy: Scopes.mayAdminister(storage: scopes)
        case .bucketGet, .bucketPermissions, .bucketList, .objectList, .objectGet, .objectDownload:
            Scopes.mayRead(storage: scopes)
        case .bucketInsert, .bucketLock, .objectDelete, .uploadMultipart, .uploadMedia, .uploadStart, .uploadData,
            .uploadStatus, .uploadCancel, .unknown:
            Scopes.mayWrite(storage: scopes)
        }
    }
}

extension Scopes {
    fileprivate static func mayAdminister(storage scopes: Set<String>) -> Bool {
        scopes.contains { $0.hasSuffix("/devstorage.full_control") || $0.hasSuffix("/cloud-platform") }
    }
}
