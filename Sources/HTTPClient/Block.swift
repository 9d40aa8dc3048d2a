/// `ByteBudget.block` bytes of memory; whoever holds it frees it.
///
/// `@unchecked Sendable` because exactly one owner has it at a time: the budget's idle list or one buffer, each under its lock.
@safe struct Block: @unchecked Sendable {
    private let base: UnsafeMutableRawPointer

    /// Memory from the allocator; aligned to a page it would take a page more.
    init() {
        unsafe base = .allocate(byteCount: ByteBudget.block, alignment: 16)
    }

    var bytes: UnsafeMutableRawBufferPointer {
        unsafe UnsafeMutableRawBufferPointer(start: base, count: ByteBudget.block)
    }

    func free() { unsafe base.deallocate() }
}
