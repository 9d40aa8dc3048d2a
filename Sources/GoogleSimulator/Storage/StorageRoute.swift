/// What a request asks of Cloud Storage; nil from `init` if it is not for it.
enum StorageRoute: Sendable {
    case bucketInsert
    case bucketList
    case bucketGet(String)
    case bucketPermissions(String)
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
        case .bucketPermissions: "bucketPermissions"
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
