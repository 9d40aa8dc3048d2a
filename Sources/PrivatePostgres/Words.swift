/// What matters in what PostgreSQL's programs say.
enum Words {
    /// The lines that tell of a fault, without time stamps, and what to do where that is clear.
    static func gist(_ text: String) -> String {
        let lines = text.split(whereSeparator: \.isNewline).map(String.init)
        let telling = lines.compactMap { line -> String? in
            guard
                let match = line.firstMatch(
                    of:
                        #/(?:PANIC|FATAL|ERROR|HINT|DETAIL|LOG:  (?:invalid|unrecognized|syntax|could not)|error|detail|hint).*/#
                )
            else {
                return nil
            }
            return String(match.0)
        }
        var gist = (telling.isEmpty ? lines.suffix(3) : telling.suffix(4)).joined(separator: "; ")
        if gist.isEmpty { gist = "it said nothing" }
        // semget(2) uses the same words for a lack of semaphores.
        if gist.contains("No space left on device"), !gist.contains("semaphore") {
            gist += "; the disk is full: free some space and run the same command again"
        }
        return gist
    }

    /// Whether processes of an earlier server are in the way, which end by themselves.
    static func blamesPredecessor(_ log: String) -> Bool {
        log.contains("pre-existing shared memory block") || log.contains("already exists")
            || log.contains("already in use")
    }
}
