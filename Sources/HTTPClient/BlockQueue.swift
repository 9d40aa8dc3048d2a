/// Bytes in blocks borrowed from a budget, first in, first out.
///
/// A value without a lock: its owner guards it.
struct BlockQueue {
    private let budget: ByteBudget
    private var blocks: [Block] = []
    /// Bytes of the first block that are drained already.
    private var head = 0
    /// Bytes of the last block that are filled; a whole block while there is none.
    private var tail = ByteBudget.block

    init(budget: ByteBudget) { self.budget = budget }

    var blockCount: Int { blocks.count }

    /// Bytes held.
    var count: Int { blocks.count * ByteBudget.block - head - (ByteBudget.block - tail) }

    /// Bytes that fit into `allowance` blocks beside what is held.
    func room(in allowance: Int) -> Int {
        (allowance - blocks.count) * ByteBudget.block + (ByteBudget.block - tail)
    }

    /// Appends bytes; the caller has made sure that there is room.
    mutating func append(_ bytes: UnsafeRawBufferPointer) {
        var rest = unsafe bytes[...]
        while unsafe !rest.isEmpty {
            if tail == ByteBudget.block {
                blocks.append(budget.borrow())
                tail = 0
            }
            let piece = unsafe rest.prefix(ByteBudget.block - tail)
            let target = unsafe UnsafeMutableRawBufferPointer(rebasing: blocks[blocks.count - 1].bytes[tail...])
            unsafe target.copyMemory(from: UnsafeRawBufferPointer(rebasing: piece))
            tail += unsafe piece.count
            unsafe rest = rest.dropFirst(piece.count)
        }
    }

    /// Copies held bytes from `offset` on into `target`.
    /// - Returns: how many; fewer than the target takes only where no more are held.
    func copy(from offset: Int = 0, into target: UnsafeMutableRawBufferPointer) -> Int {
        var done = 0
        let wanted = min(target.count, max(0, count - offset))
        while done < wanted {
            let position = head + offset + done
            let start = position % ByteBudget.block
            let piece = min(ByteBudget.block - start, wanted - done)
            let source = unsafe blocks[position / ByteBudget.block].bytes[start..<start + piece]
            let rest = unsafe UnsafeMutableRawBufferPointer(rebasing: target[done...])
            unsafe rest.copyMemory(from: UnsafeRawBufferPointer(rebasing: source))
            done += piece
        }
        return done
    }

    /// A copy of the first `count` held bytes, or of all if there are fewer.
    func first(_ count: Int) -> [UInt8] {
        let count = min(count, self.count)
        return unsafe [UInt8](unsafeUninitializedCapacity: count) { target, filled in
            let target = UnsafeMutableRawBufferPointer(target)
            unsafe filled = copy(into: UnsafeMutableRawBufferPointer(rebasing: target[..<count]))
        }
    }

    /// Drops the first `count` held bytes; blocks that are empty then go back at once.
    /// - Returns: how many blocks went back.
    mutating func drop(_ count: Int) -> Int {
        guard count < self.count else { return dropAll() }
        head += count
        let drained = head / ByteBudget.block
        for block in blocks.prefix(drained) { budget.giveBack(block) }
        blocks.removeFirst(drained)
        head -= drained * ByteBudget.block
        return drained
    }

    /// Drops everything.
    /// - Returns: how many blocks went back.
    mutating func dropAll() -> Int {
        let drained = blocks.count
        for block in blocks { budget.giveBack(block) }
        blocks = []
        head = 0
        tail = ByteBudget.block
        return drained
    }

    /// Moves what is held to the start of its first block, so that no drained bytes take up room.
    mutating func compact() {
        guard head > 0 else { return }
        let (held, shift) = (count, head)
        for index in blocks.indices {
            let bytes = unsafe blocks[index].bytes
            unsafe UnsafeMutableRawBufferPointer(rebasing: bytes[..<(ByteBudget.block - shift)])
                .copyMemory(from: UnsafeRawBufferPointer(rebasing: bytes[shift...]))
            guard index + 1 < blocks.count else { break }
            let next = unsafe blocks[index + 1].bytes
            unsafe UnsafeMutableRawBufferPointer(rebasing: bytes[(ByteBudget.block - shift)...])
                .copyMemory(from: UnsafeRawBufferPointer(rebasing: next[..<shift]))
        }
        head = 0
        while blocks.count > ByteBudget.blocks(for: held) { budget.giveBack(blocks.removeLast()) }
        tail = held - (blocks.count - 1) * ByteBudget.block
    }
}
