import Glibc

/// A body on its way out, with the fault that may strike it.
final class BodyStream {
    /// What one read gave.
    enum Piece {
        case bytes(Int)
        case end
        case broken
    }

    private let body: ServerAnswer.Body
    private let core: ServerCore
    private let descriptor: Int32
    private var fault: ServerAnswer.Fault?

    /// Opens the file if there is one; nil if that fails.
    init?(_ answer: ServerAnswer, core: ServerCore) {
        body = answer.body
        fault = answer.fault
        self.core = core
        if case .file(let path, _, _) = answer.body {
            descriptor = unsafe open(path, O_RDONLY | O_CLOEXEC)
            if descriptor < 0 { return nil }
        } else {
            descriptor = -1
        }
    }

    deinit {
        if descriptor >= 0 { close(descriptor) }
    }

    /// Writes what stands at `offset` of the body, up to the next fault.
    func read(at offset: Int64, into buffer: UnsafeMutableRawBufferPointer) -> Piece {
        var limit = min(body.count - offset, Int64(buffer.count))
        switch fault {
        case .cut(let after):
            if offset >= after { return .broken }
            limit = min(limit, after - offset)
        case .stall(let after, let seconds):
            if offset >= after {
                fault = nil
                core.nap(seconds: seconds)
            } else {
                limit = min(limit, after - offset)
            }
        case .closeWithoutAnswer, .reset, nil:
            break
        }
        guard limit > 0 else { return .end }
        let target = unsafe UnsafeMutableRawBufferPointer(rebasing: buffer[0..<Int(limit)])
        switch body {
        case .bytes(let bytes):
            unsafe bytes.withUnsafeBytes { source in
                unsafe target.copyMemory(
                    from: UnsafeRawBufferPointer(rebasing: source[Int(offset)..<Int(offset + limit)])
                )
            }
            return .bytes(Int(limit))
        case .file(_, let start, _):
            let count = unsafe pread(descriptor, target.baseAddress, target.count, Int(start + offset))
            return count > 0 ? .bytes(count) : .broken
        case .generated(let generator):
            unsafe generator.fill(target, from: offset)
            return .bytes(target.count)
        }
    }
}
