extension Scan {
    /// Whether the person wants to pick in another session; false where nobody picks.
    func wantsMore() async -> Bool {
        guard let picker = context.picker, stop.level == .none else { return false }
        let (stop, deadline) = (stop, deadline())
        let wants = await picker.wantsMore { stop.level == .none && deadline.map { .now < $0 } ?? true }
        return wants && stop.level == .none
    }
}
