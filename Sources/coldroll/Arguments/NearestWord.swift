/// The known word that somebody who typed `word` probably meant; nil if none is near.
///
/// Near is at most two edits (insert, delete, replace, swap of neighbours), fewer for short words.
func nearest(to word: String, among known: [String]) -> String? {
    let limit = min(2, max(1, word.filter { $0 != "-" }.count / 3))
    let ranked = known.map { (word: $0, distance: editDistance(word.lowercased(), $0.lowercased())) }
    if let best = ranked.filter({ $0.distance <= limit }).min(by: { $0.distance < $1.distance }) { return best.word }
    // A word that was cut short: `stat` for `status`, `--drai` for `--drain`.
    let longer = known.filter { word.count >= 3 && $0.hasPrefix(word) }
    return longer.count == 1 ? longer[0] : nil
}

/// Optimal string alignment distance.
func editDistance(_ left: String, _ right: String) -> Int {
    let left = Array(left)
    let right = Array(right)
    guard !left.isEmpty, !right.isEmpty else { return max(left.count, right.count) }
    var before: [Int] = []
    var previous = Array(0...right.count)
    for i in 1...left.count {
        var row = [i] + Array(repeating: 0, count: right.count)
        for j in 1...right.count {
            let replaced = previous[j - 1] + (left[i - 1] == right[j - 1] ? 0 : 1)
            row[j] = min(replaced, previous[j] + 1, row[j - 1] + 1)
            if i > 1, j > 1, left[i - 1] == right[j - 2], left[i - 2] == right[j - 1] {
                row[j] = min(row[j], before[j - 2] + 1)
            }
        }
        before = previous
        previous = row
    }
    return previous[right.count]
}
