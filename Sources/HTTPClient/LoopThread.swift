#if canImport(Glibc)
import Glibc
#else
import Darwin
#endif

extension EventLoop {
    /// Starts the thread, which keeps the loop until `close`.
    func startThread() {
        #if canImport(Glibc)
        var thread = pthread_t()
        #else
        var thread: pthread_t?
        #endif
        let context = unsafe Unmanaged.passRetained(self).toOpaque()
        let code = unsafe pthread_create(&thread, nil, loopThread, context)
        precondition(code == 0, "no thread for the HTTP client: error \(code) of pthread_create")
        #if canImport(Glibc)
        pthread_detach(thread)
        #else
        if let thread { pthread_detach(thread) }
        #endif
    }
}

private func loopThread(_ context: UnsafeMutableRawPointer?) -> UnsafeMutableRawPointer? {
    // A write to a closed connection must be an error, not the end of the process; CURLOPT_NOSIGNAL keeps libcurl from
    // touching signals, so that OpenSSL's writes are left to us (libcurl docs, CURLOPT_NOSIGNAL).
    var signals = sigset_t()
    unsafe sigemptyset(&signals)
    unsafe sigaddset(&signals, SIGPIPE)
    unsafe pthread_sigmask(SIG_BLOCK, &signals, nil)
    // Never nil: `startThread` passes the loop.
    unsafe Unmanaged<EventLoop>.fromOpaque(context!).takeRetainedValue().run()
    return nil
}
