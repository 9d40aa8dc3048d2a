import HTTPClient

extension BodyBuffer {
    /// Bytes from the start of the body that have left the buffer, drained or skipped; exact while nobody drains.
    var consumed: Int64 {
        while true {
            let before = received
            let held = available
            // A download that moved on between the two reads would falsify the difference.
            if before == received { return before - Int64(held) }
        }
    }
}
