import CPostgres

#if canImport(Glibc)
import Glibc
#else
import Darwin
#endif

/// Owner of one libpq connection: the one place that uses and frees it.
///
/// `@unchecked` because every use after `open` comes from the owning actor's queue, but for `cancel`, which libpq
/// made safe for any thread.
@safe final class Handle: @unchecked Sendable {
    private let raw: OpaquePointer
    private let cancellation: OpaquePointer?

    private init(_ raw: OpaquePointer) {
        unsafe self.raw = raw
        unsafe self.cancellation = unsafe PQgetCancel(raw)
    }

    deinit {
        unsafe PQfreeCancel(cancellation)
        unsafe PQfinish(raw)
    }

    /// Connects, blocking the calling thread.
    static func open(_ conninfo: String, defaults: [(String, String)]) -> Result<Handle, PostgresError> {
        // `dbname` may be a whole connection string; what stands before it is a default, what it says itself wins.
        let options = defaults + [("dbname", conninfo)]
        let keys = unsafe options.map { unsafe strdup($0.0) } + [nil]
        let values = unsafe options.map { unsafe strdup($0.1) } + [nil]
        defer { unsafe (keys + values).forEach { unsafe free($0) } }
        let raw = unsafe PQconnectdbParams(
            keys.map { unsafe UnsafePointer($0) },
            values.map { unsafe UnsafePointer($0) },
            1
        )
        guard let raw = unsafe raw else {
            return .failure(PostgresError(code: .connectionLost, message: "out of memory", statement: nil))
        }
        let handle = unsafe Handle(raw)
        guard unsafe PQstatus(raw) == CONNECTION_OK else {
            return .failure(PostgresError(code: .connectionLost, message: handle.lastMessage, statement: nil))
        }
        unsafe PQsetNoticeProcessor(raw, { _, _ in }, nil)
        return .success(handle)
    }

    var socket: Int32 { unsafe PQsocket(raw) }

    var isLost: Bool { unsafe PQstatus(raw) != CONNECTION_OK }

    /// Asks the server to stop the running statement; from any thread.
    func cancel() {
        var text = [CChar](repeating: 0, count: 256)
        _ = unsafe PQcancel(cancellation, &text, 256)
    }

    private var lastMessage: String {
        unsafe String(cString: PQerrorMessage(raw)).trimmed
    }

    func run(_ statement: Statement, _ values: [PostgresValue]) throws(PostgresError) -> Answer {
        var pointers: [UnsafePointer<CChar>?] = unsafe []
        var buffers: [UnsafeMutableRawBufferPointer] = unsafe []
        defer { unsafe buffers.forEach { unsafe $0.deallocate() } }
        for value in values {
            guard let bytes = value.encoded else {
                unsafe pointers.append(nil)
                continue
            }
            let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: max(1, bytes.count), alignment: 8)
            unsafe buffer.copyBytes(from: bytes)
            unsafe buffers.append(buffer)
            unsafe pointers.append(UnsafePointer(buffer.baseAddress!.assumingMemoryBound(to: CChar.self)))
        }
        let result = unsafe PQexecParams(
            raw,
            statement.sql,
            Int32(values.count),
            values.map { Oid($0.type) },
            pointers,
            values.map { Int32($0.encoded?.count ?? 0) },
            values.map { $0.isBinary ? 1 : 0 },
            0
        )
        return try unsafe judge(result, statement.name)
    }

    /// Several statements by the simple protocol.
    func script(_ sql: String, _ name: String) throws(PostgresError) {
        _ = try unsafe judge(PQexec(raw, sql), name)
    }

    func describe(_ statement: Statement) throws(PostgresError) -> Answer {
        _ = try unsafe judge(PQprepare(raw, "", statement.sql, 0, nil), statement.name)
        return try unsafe judge(PQdescribePrepared(raw, ""), statement.name)
    }

    /// What has arrived; nil once the connection is lost.
    func takeNotifications() -> [String]? {
        guard unsafe PQconsumeInput(raw) == 1 else { return nil }
        var payloads: [String] = []
        while let note = unsafe PQnotifies(raw) {
            unsafe payloads.append(String(cString: note.pointee.extra))
            unsafe PQfreemem(note)
        }
        return payloads
    }

    private func judge(_ result: OpaquePointer?, _ name: String) throws(PostgresError) -> Answer {
        guard let result = unsafe result else {
            throw PostgresError(code: .connectionLost, message: lastMessage, statement: name)
        }
        let status = unsafe PQresultStatus(result)
        if status == PGRES_TUPLES_OK || status == PGRES_COMMAND_OK || status == PGRES_EMPTY_QUERY {
            return unsafe Answer(result, statement: name)
        }
        defer { unsafe PQclear(result) }
        // The primary message alone: DETAIL would repeat bound values.
        guard !isLost, let state = unsafe field(result, "C") else {
            throw unsafe PostgresError(
                code: .connectionLost,
                message: field(result, "M") ?? lastMessage,
                statement: name
            )
        }
        throw unsafe PostgresError(
            code: .server(sqlState: state),
            message: field(result, "M") ?? "",
            statement: name,
            constraint: field(result, "n")
        )
    }

    private func field(_ result: OpaquePointer, _ code: Unicode.Scalar) -> String? {
        guard let text = unsafe PQresultErrorField(result, Int32(code.value)) else { return nil }
        return unsafe String(cString: text)
    }
}

extension String {
    /// libpq ends its messages with a newline and may write several lines.
    fileprivate var trimmed: String {
        split(whereSeparator: \.isNewline).map { $0.trimmingPrefix(while: \.isWhitespace) }.joined(separator: "; ")
    }
}
