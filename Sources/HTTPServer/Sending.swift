import CMicroHTTPD
import Glibc

/// Bytes a callback is asked for at once: eight TLS records.
private let blockSize = 128 * 1024

/// Queues an answer, or breaks the connection where the answer says so.
func send(_ answer: ServerAnswer, on connection: OpaquePointer, core: ServerCore) -> MHD_Result {
    core.nap(seconds: answer.delaySeconds)
    switch answer.fault {
    case .closeWithoutAnswer:
        return .NO
    case .reset:
        unsafe coldroll_mhd_reset(connection)
        return .NO
    case .cut, .stall, nil:
        break
    }
    guard let response = unsafe makeResponse(answer, core: core) else { return .NO }
    defer { unsafe MHD_destroy_response(response) }
    for field in answer.headers {
        _ = unsafe MHD_add_response_header(response, field.name, field.value)
    }
    if answer.framing == .untilClose {
        _ = unsafe MHD_add_response_header(response, "Connection", "close")
        unsafe coldroll_mhd_never_chunk(response)
    }
    return unsafe MHD_queue_response(connection, UInt32(answer.status), response)
}

private func makeResponse(_ answer: ServerAnswer, core: ServerCore) -> OpaquePointer? {
    if answer.framing == .contentLength, answer.fault == nil {
        switch answer.body {
        case .bytes(var bytes):
            let count = bytes.count
            return unsafe bytes.withUnsafeMutableBytes {
                unsafe MHD_create_response_from_buffer(count, $0.baseAddress, .RESPMEM_MUST_COPY)
            }
        case .file(let path, let offset, let count):
            let descriptor = unsafe open(path, O_RDONLY | O_CLOEXEC)
            guard descriptor >= 0 else { return nil }
            return unsafe MHD_create_response_from_fd_at_offset64(UInt64(count), descriptor, UInt64(offset))
        case .generated:
            break
        }
    }
    guard let stream = BodyStream(answer, core: core) else { return nil }
    let size = answer.framing == .contentLength ? UInt64(answer.body.count) : UInt64.max
    return unsafe MHD_create_response_from_callback(
        size,
        blockSize,
        readBody,
        Unmanaged.passRetained(stream).toOpaque(),
        releaseBody
    )
}

private func readBody(
    _ cls: UnsafeMutableRawPointer?,
    _ position: UInt64,
    _ buffer: UnsafeMutablePointer<CChar>?,
    _ count: Int
) -> Int {
    // -1 and -2 are MHD_CONTENT_READER_END_OF_STREAM and MHD_CONTENT_READER_END_WITH_ERROR, macros with casts.
    guard let cls = unsafe cls, let buffer = unsafe buffer else { return -2 }
    let stream = unsafe Unmanaged<BodyStream>.fromOpaque(cls).takeUnretainedValue()
    switch unsafe stream.read(at: Int64(position), into: UnsafeMutableRawBufferPointer(start: buffer, count: count)) {
    case .bytes(let written): return written
    case .end: return -1
    case .broken: return -2
    }
}

private func releaseBody(_ cls: UnsafeMutableRawPointer?) {
    guard let cls = unsafe cls else { return }
    unsafe Unmanaged<BodyStream>.fromOpaque(cls).release()
}
