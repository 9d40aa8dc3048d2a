import Media
import Synchronization

/// A media inspector that the network's thread feeds and a task reads.
final class Inspection: Sendable {
    private let inspector = Mutex(MediaInspector())

    func consume(_ bytes: UnsafeRawBufferPointer) {
        inspector.withLock { $0.consume(bytes) }
    }

    func report() -> MediaReport {
        inspector.withLock { $0.report() }
    }
}
