/// Where a request's body comes from, and how far it is read.
///
/// Used on the loop's thread only.
struct RequestSource {
    enum Read { case bytes(Int), starved, broken }

    private enum Content {
        case memory([UInt8])
        case framed(head: [UInt8], BodyStore, held: Int, tail: [UInt8])
        case drain(BodyStore)
    }

    private let content: Content
    /// Bytes of the whole body, its Content-Length.
    let length: Int64
    /// Bytes that were handed to libcurl, counted from the start again after a rewind.
    private(set) var position: Int64 = 0

    /// Nil if there is no body at all.
    init?(_ body: HTTPRequestBody) {
        switch body {
        case .none: return nil
        case .bytes(let bytes):
            content = .memory(bytes)
            length = Int64(bytes.count)
        case .framed(let head, let buffer, let tail):
            let held = buffer.available
            content = .framed(head: head, buffer.store, held: held, tail: tail)
            length = Int64(head.count + held + tail.count)
        case .drain(let buffer, let count):
            content = .drain(buffer.store)
            length = count
        }
    }

    /// Whether the body may be read a second time.
    private var isConsumed: Bool {
        if case .drain = content { position > 0 } else { false }
    }

    /// Starts from the first byte again, for a request that libcurl repeats on a fresh connection.
    /// - Returns: false if the bytes are gone.
    mutating func rewind() -> Bool {
        guard !isConsumed else { return false }
        position = 0
        return true
    }

    /// Reads the next bytes; after the last one, none.
    mutating func read(into buffer: UnsafeMutableRawBufferPointer, for transfer: Transfer) -> Read {
        let target = unsafe UnsafeMutableRawBufferPointer(rebasing: buffer.prefix(Int(clamping: length - position)))
        guard unsafe !target.isEmpty else { return .bytes(0) }
        var count = 0
        switch content {
        case .memory(let bytes):
            count = unsafe Self.copy(bytes, from: Int(position), into: target)
        case .framed(let head, let store, let held, let tail):
            var place = Int(position)
            count = unsafe Self.copy(head, from: place, into: target)
            place = max(0, place + count - head.count)
            if count < target.count, place < held {
                let rest = unsafe UnsafeMutableRawBufferPointer(rebasing: target[count...])
                guard let copied = unsafe store.copy(from: place, into: rest), copied > 0 else { return .broken }
                count += copied
                place += copied
            }
            if count < target.count, place >= held {
                let rest = unsafe UnsafeMutableRawBufferPointer(rebasing: target[count...])
                count += unsafe Self.copy(tail, from: place - held, into: rest)
            }
        case .drain(let store):
            switch unsafe store.drain(into: target, for: transfer) {
            case .bytes(let drained): count = drained
            case .starved: return .starved
            case .broken: return .broken
            }
        }
        position += Int64(count)
        return .bytes(count)
    }

    private static func copy(_ bytes: [UInt8], from start: Int, into target: UnsafeMutableRawBufferPointer) -> Int {
        guard start < bytes.count else { return 0 }
        return unsafe bytes.withUnsafeBytes { all in
            let piece = unsafe all[start...].prefix(target.count)
            unsafe target.copyMemory(from: UnsafeRawBufferPointer(rebasing: piece))
            return unsafe piece.count
        }
    }
}
