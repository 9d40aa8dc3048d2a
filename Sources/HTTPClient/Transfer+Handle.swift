import CCurl

extension Transfer {
    /// Bytes that libcurl reads from a connection at once: a TLS record of the greatest size, and what it hands to a callback.
    private static let readSize = 16 << 10
    /// Bytes that libcurl asks of an upload at once.
    private static let writeSize = 64 << 10

    /// Sets a fresh or reset handle up for this request.
    func configure(_ easy: UnsafeMutableRawPointer, _ configuration: HTTPClient.Configuration) {
        unsafe self.easy = unsafe easy
        // The loop keeps the transfer until it has taken the handle off: libcurl may borrow it.
        let context = unsafe Unmanaged.passUnretained(self).toOpaque()
        set(CURLOPT_URL, target.url)
        set(CURLOPT_NOSIGNAL, 1)
        set(CURLOPT_PROTOCOLS_STR, "http,https")
        set(CURLOPT_HTTP_VERSION, Int(CURL_HTTP_VERSION_1_1))
        set(CURLOPT_CONNECTTIMEOUT_MS, Int(configuration.connectTimeout.milliseconds))
        set(CURLOPT_SUPPRESS_CONNECT_HEADERS, 1)
        set(CURLOPT_TCP_KEEPALIVE, 1)
        set(CURLOPT_BUFFERSIZE, Self.readSize)
        set(CURLOPT_USERAGENT, configuration.userAgent)
        unsafe TLSTuning.configure(easy, readsAhead: isDownload)
        if isDirect { set(CURLOPT_NOPROXY, "*") }
        if let file = configuration.certificateAuthorities { set(CURLOPT_CAINFO, file) }
        let words = UnsafeMutablePointer<CChar>.allocate(capacity: Int(CURL_ERROR_SIZE))
        unsafe words.initialize(repeating: 0, count: Int(CURL_ERROR_SIZE))
        unsafe self.words = unsafe words
        _ = unsafe ccurl_set_pointer(easy, CURLOPT_ERRORBUFFER, words)
        _ = unsafe ccurl_set_write(easy, receiveBody, context)
        _ = unsafe ccurl_set_header(easy, receiveHeader, context)
        unsafe configureMethod(context)
        configureFields()
    }

    private var isDownload: Bool { if case .store = sink { true } else { false } }

    private func configureMethod(_ context: UnsafeMutableRawPointer) {
        switch (method, source) {
        case ("GET", nil): set(CURLOPT_HTTPGET, 1)
        case ("HEAD", nil): set(CURLOPT_NOBODY, 1)
        // A method whose body has a meaning says that there is none: Content-Length: 0 (RFC 9110, 8.6).
        case ("POST", nil), ("PUT", nil), ("PATCH", nil): unsafe configureUpload(0, context)
        case (_, nil): set(CURLOPT_CUSTOMREQUEST, method)
        case (_, let source?): unsafe configureUpload(source.length, context)
        }
    }

    /// Never by CURLOPT_POST, which adds a Content-Type of its own.
    private func configureUpload(_ length: Int64, _ context: UnsafeMutableRawPointer) {
        guard let easy = unsafe easy else { return }
        set(CURLOPT_UPLOAD, 1)
        set(CURLOPT_CUSTOMREQUEST, method)
        set(CURLOPT_UPLOAD_BUFFERSIZE, Self.writeSize)
        _ = unsafe ccurl_set_offset(easy, CURLOPT_INFILESIZE_LARGE, curl_off_t(length))
        _ = unsafe ccurl_set_read(easy, sendBody, context)
        _ = unsafe ccurl_set_seek(easy, rewindBody, context)
    }

    private func configureFields() {
        guard let easy = unsafe easy else { return }
        // Without it, libcurl waits up to a second for "100 Continue" before each large body.
        unsafe fields = unsafe curl_slist_append(nil, "Expect:")
        for field in headers {
            // libcurl's way to write a field without a value; "Name:" would take one of its own fields away.
            let line = field.value.isEmpty ? "\(field.name);" : "\(field.name): \(field.value)"
            unsafe fields = unsafe curl_slist_append(fields, line)
        }
        _ = unsafe ccurl_set_pointer(easy, CURLOPT_HTTPHEADER, fields)
    }

    private func set(_ option: CURLoption, _ value: Int) {
        guard let easy = unsafe easy else { return }
        let code = unsafe ccurl_set_long(easy, option, value)
        precondition(code == CURLE_OK, "libcurl refuses option \(option.rawValue)")
    }

    private func set(_ option: CURLoption, _ value: String) {
        guard let easy = unsafe easy else { return }
        let code = unsafe ccurl_set_string(easy, option, value)
        precondition(code == CURLE_OK, "libcurl refuses option \(option.rawValue)")
    }

    /// Lets go of what belongs to the handle, once libcurl is done with it.
    func release() {
        unsafe curl_slist_free_all(fields)
        unsafe fields = nil
        unsafe words?.deallocate()
        unsafe words = nil
        unsafe easy = nil
    }

    /// What the stall clock compares.
    func reading(_ sockets: Sockets) -> StallClock.Reading {
        guard let easy = unsafe easy else { return .init(activity: activity, sent: 0, unacknowledged: 0) }
        var sent: curl_off_t = 0
        _ = unsafe ccurl_get_offset(easy, CURLINFO_SIZE_UPLOAD_T, &sent)
        let unacknowledged = sockets.socket(of: UInt(bitPattern: easy)).map(ccurl_unacknowledged) ?? 0
        return .init(activity: activity, sent: Int64(sent), unacknowledged: Int(unacknowledged))
    }
}
