import Synchronization

/// The whole simulated library: files, made-up items, and what was added since the start.
final class PhotoLibrary: Sendable {
    /// A place in the order of items: newest first, then by reference.
    struct Place: Sendable, Hashable, Comparable {
        let creation: Int64
        /// Files count from 0 up, made-up items from -1 down.
        let reference: Int32

        static func < (left: Self, right: Self) -> Bool {
            left.creation != right.creation ? left.creation > right.creation : left.reference < right.reference
        }
    }

    private struct State {
        var stored: [LibraryItem]
        var numbers: [String: Int32]
        var order: [Place]
    }

    private let synthetic: SyntheticLibrary
    private let state: Mutex<State>

    init(stored: [LibraryItem], synthetic: SyntheticLibrary) {
        self.synthetic = synthetic
        var order = (0..<synthetic.count).map {
            Place(creation: synthetic.creation($0).microseconds, reference: -1 - Int32($0))
        }
        order += stored.enumerated().map {
            Place(creation: $0.element.creation.microseconds, reference: Int32($0.offset))
        }
        order.sort()
        let numbers = stored.enumerated().map { ($0.element.id, Int32($0.offset)) }
        state = Mutex(
            State(stored: stored, numbers: Dictionary(numbers, uniquingKeysWith: { first, _ in first }), order: order)
        )
    }

    var count: Int { state.withLock { $0.order.count } }

    /// Makes an item visible at once; false if its id is taken.
    func add(_ item: LibraryItem) -> Bool {
        state.withLock { state in
            guard state.numbers[item.id] == nil else { return false }
            let reference = Int32(state.stored.count)
            state.numbers[item.id] = reference
            state.stored.append(item)
            let place = Place(creation: item.creation.microseconds, reference: reference)
            let index = state.order.partitioningIndex { place < $0 }
            state.order.insert(place, at: index)
            return true
        }
    }

    /// Where an item stands; nil if there is none with this id.
    func reference(id: String) -> Int32? {
        if let ordinal = synthetic.ordinal(id: id) { return -1 - Int32(ordinal) }
        return state.withLock { $0.numbers[id] }
    }

    /// The item of a reference that this library gave out.
    func item(_ reference: Int32) -> LibraryItem? {
        if reference < 0 {
            let ordinal = Int(-1 - reference)
            return ordinal < synthetic.count ? synthetic.item(ordinal) : nil
        }
        return state.withLock { Int(reference) < $0.stored.count ? $0.stored[Int(reference)] : nil }
    }

    func item(id: String) -> LibraryItem? { reference(id: id).flatMap(item) }

    /// Places after one, in either direction, at most `limit`; nil means from the start.
    func places(after place: Place?, isOldestFirst: Bool, limit: Int) -> [Place] {
        state.withLock { state in
            let order = state.order
            if isOldestFirst {
                let end = place.map { last in order.partitioningIndex { last <= $0 } } ?? order.count
                return order[max(0, end - limit)..<end].reversed()
            }
            let start = place.map { last in order.partitioningIndex { last < $0 } } ?? 0
            return Array(order[start..<min(order.count, start + limit)])
        }
    }
}

extension Array {
    /// The first index whose element fulfils a condition that holds for all later ones too; `count` if none does.
    func partitioningIndex(where belongs: (Element) -> Bool) -> Int {
        var low = 0
        var high = count
        while low < high {
            let middle = (low + high) / 2
            if belongs(self[middle]) { high = middle } else { low = middle + 1 }
        }
        return low
    }
}
