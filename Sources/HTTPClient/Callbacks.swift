import CCurl

// What libcurl calls while a transfer runs: on the loop's thread, with the transfer as context. They move bytes and set
// flags; none of them calls back into libcurl, which would enter the same transfer a second time.

private func transfer(_ context: UnsafeMutableRawPointer?) -> Transfer {
    // Never nil: `EventLoop.start` sets it, and the loop keeps the transfer until it has taken the handle off.
    unsafe Unmanaged<Transfer>.fromOpaque(context!).takeUnretainedValue()
}

/// One line of a head, or a trailer.
func receiveHeader(
    _ bytes: UnsafeMutablePointer<CChar>?,
    _ size: Int,
    _ count: Int,
    _ context: UnsafeMutableRawPointer?
) -> Int {
    let transfer = unsafe transfer(context)
    transfer.activity &+= 1
    transfer.loop.received(transfer)
    unsafe transfer.parser.consume(UnsafeRawBufferPointer(start: bytes, count: size * count))
    guard !transfer.parser.isTooLong else {
        transfer.failure = HTTPError(code: .cut, message: "\(transfer.target.host) sent a head that does not end.")
        return 0
    }
    guard let head = transfer.parser.head else { return size * count }
    // Which body belongs to it is decided by the status that libcurl reads: a head that can be read in two ways is none.
    var status = 0
    guard let easy = unsafe transfer.easy, unsafe ccurl_get_long(easy, CURLINFO_RESPONSE_CODE, &status) == CURLE_OK,
        status == head.status
    else {
        transfer.failure = HTTPError(code: .cut, message: "\(transfer.target.host) sent a head that makes no sense.")
        return 0
    }
    // An early refusal ends the upload, but libcurl 7.88 does not see that it is over while our half is paused.
    if transfer.sendingIsPaused { transfer.wake() }
    // A caller that waits for the head of a download goes on while its body arrives.
    if transfer.streams {
        transfer.outcome.fire(.success(HTTPResponse(head: head, body: [])))
    }
    return size * count
}

/// A piece of the answer's body, at most 16 KiB (CURL_MAX_WRITE_SIZE).
func receiveBody(
    _ bytes: UnsafeMutablePointer<CChar>?,
    _ size: Int,
    _ count: Int,
    _ context: UnsafeMutableRawPointer?
) -> Int {
    let transfer = unsafe transfer(context)
    let piece = unsafe UnsafeRawBufferPointer(start: bytes, count: size * count)
    transfer.activity &+= 1
    transfer.loop.received(transfer)
    switch transfer.sink {
    case .store(let store) where transfer.streams:
        switch unsafe store.fill(piece) {
        case .taken:
            transfer.loop.pace.add(piece.count)
            return piece.count
        case .full:
            transfer.receivingIsPaused = true
            return Int(CURL_WRITEFUNC_PAUSE)
        case .refused:
            transfer.failure = .abandoned
            return 0
        }
    case .store:
        let room = Transfer.errorBodyLimit - transfer.collected.count
        unsafe transfer.collected.append(contentsOf: piece.prefix(room))
        transfer.isTruncated = piece.count > room
        return transfer.isTruncated ? 0 : piece.count
    case .memory(let limit):
        guard piece.count <= limit - transfer.collected.count else {
            let host = transfer.target.host
            transfer.failure = HTTPError(code: .tooLarge, message: "\(host) answered with more than \(limit) bytes.")
            return 0
        }
        unsafe transfer.collected.append(contentsOf: piece)
        return piece.count
    }
}

/// libcurl asks for the next bytes of the request's body.
func sendBody(
    _ bytes: UnsafeMutablePointer<CChar>?,
    _ size: Int,
    _ count: Int,
    _ context: UnsafeMutableRawPointer?
) -> Int {
    let transfer = unsafe transfer(context)
    let target = unsafe UnsafeMutableRawBufferPointer(start: bytes, count: size * count)
    transfer.activity &+= 1
    switch unsafe transfer.source?.read(into: target, for: transfer) ?? .bytes(0) {
    case .bytes(let count):
        transfer.loop.pace.add(count)
        transfer.loop.sends(transfer)
        return count
    case .starved:
        transfer.sendingIsPaused = true
        return Int(CURL_READFUNC_PAUSE)
    case .broken:
        let message =
            "The upload to \(transfer.target.host) stopped: the body that it was to send failed or is too short."
        transfer.failure = HTTPError(code: .bodyFailed, message: message)
        return Int(CURL_READFUNC_ABORT)
    }
}

/// libcurl repeats a request whose reused connection turned out to be dead, and wants the body from its start.
func rewindBody(_ context: UnsafeMutableRawPointer?, _ offset: curl_off_t, _ origin: Int32) -> Int32 {
    guard offset == 0, origin == 0, unsafe transfer(context).source?.rewind() ?? true else { return CURL_SEEKFUNC_FAIL }
    return CURL_SEEKFUNC_OK
}
