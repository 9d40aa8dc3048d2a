import CMicroHTTPD

// libmicrohttpd calls these on a connection's own thread. They are plain functions, not closures, so that no actor's
// isolation is checked there.

/// The request line has arrived: makes the exchange that all later calls of this request get.
func uriCallback(
    _ cls: UnsafeMutableRawPointer?,
    _ uri: UnsafePointer<CChar>?,
    _: OpaquePointer?
) -> UnsafeMutableRawPointer? {
    guard let cls = unsafe cls, let uri = unsafe uri else { return nil }
    let core = unsafe Unmanaged<ServerCore>.fromOpaque(cls).takeUnretainedValue()
    let exchange = unsafe Exchange(core: core, target: String(cString: uri))
    core.exchanges.begin()
    return unsafe Unmanaged.passRetained(exchange).toOpaque()
}

/// Called for the head, for each piece of the body, and once more at its end.
func accessHandler(
    _: UnsafeMutableRawPointer?,
    _ connection: OpaquePointer?,
    _: UnsafePointer<CChar>?,
    _ method: UnsafePointer<CChar>?,
    _: UnsafePointer<CChar>?,
    _ data: UnsafePointer<CChar>?,
    _ size: UnsafeMutablePointer<Int>?,
    _ context: UnsafeMutablePointer<UnsafeMutableRawPointer?>?
) -> MHD_Result {
    guard let connection = unsafe connection, let method = unsafe method, let size = unsafe size,
        let held = unsafe context?.pointee
    else { return .NO }
    let exchange = unsafe Unmanaged<Exchange>.fromOpaque(held).takeUnretainedValue()
    switch unsafe exchange.begin(method: String(cString: method), connection: connection) {
    case .goesOn: break
    case .begun: return .YES
    // An answer before the body: libmicrohttpd reads nothing more, and ends the connection with it.
    case .refused(let answer): return unsafe send(answer, on: connection, core: exchange.core)
    }
    if unsafe size.pointee > 0 {
        let bytes = unsafe UnsafeRawBufferPointer(start: data, count: size.pointee)
        unsafe size.pointee = 0
        if unsafe exchange.take(bytes) { return .YES }
        unsafe coldroll_mhd_reset(connection)
        return .NO
    }
    return unsafe send(exchange.end(), on: connection, core: exchange.core)
}

/// A connection has come or goes; its socket stays open until the second call has returned.
func connectionCallback(
    _ cls: UnsafeMutableRawPointer?,
    _ connection: OpaquePointer?,
    _: UnsafeMutablePointer<UnsafeMutableRawPointer?>?,
    _ event: MHD_ConnectionNotificationCode
) {
    guard let cls = unsafe cls, let connection = unsafe connection else { return }
    let core = unsafe Unmanaged<ServerCore>.fromOpaque(cls).takeUnretainedValue()
    let name = UInt(bitPattern: connection)
    if event == .CONNECTION_NOTIFY_STARTED {
        core.lives?.begin(name, socket: unsafe coldroll_mhd_socket(connection))
    } else {
        core.lives?.end(name)
    }
}

/// The request is over; the exchange goes.
func completedCallback(
    _: UnsafeMutableRawPointer?,
    _: OpaquePointer?,
    _ context: UnsafeMutablePointer<UnsafeMutableRawPointer?>?,
    _: MHD_RequestTerminationCode
) {
    guard let held = unsafe context?.pointee else { return }
    unsafe context?.pointee = nil
    let exchange = unsafe Unmanaged<Exchange>.fromOpaque(held).takeRetainedValue()
    exchange.close()
    exchange.core.exchanges.end()
}
