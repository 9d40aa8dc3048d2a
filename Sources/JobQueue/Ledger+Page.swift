import Postgres

extension Ledger {
    /// Records one page in one transaction: items, parts, jobs, next page token, lease renewed.
    ///
    /// Known items cost no writes. Each part gets the first of its names that is free in the ledger and within the page; two that want the same
    /// plain name: the first in page order. Who repeats a page after a lost connection passes the same random `page`: it
    /// is recorded once, and the answer is what the first one was. A known item whose filename, time or size is reported differently now is updated; its parts never change.
    ///
    /// `picked` says through which page of a Picker session the items can be fetched.
    /// `unreadable` are the entries of the page that are no items; they are counted, and up to 1000 different ones of a
    /// scan are known again later. Throws `LedgerError.scanLost`,
    /// `.scanRewound` (go on with `rewind`), or a `PostgresError` with the constraint `scan_counts_agree` or `scan_parts_have_jobs` if an item of the page would
    /// vanish (it has no part, or a part no free name); nothing is written then.
    package func record(
        _ scan: ScanTicket,
        _ items: [FoundItem],
        unreadable: [UnreadEntry],
        nextPageToken: String?,
        page: Int64 = .random(in: 1...Int64.max),
        order: WorkOrder = .newest,
        picked: PickPlace? = nil
    ) async throws -> PageCounts {
        let before = scan.position.pages
        func values(_ columns: PageColumns, withOtherNames: Bool) -> [PostgresValue] {
            [.integer(scan.id), .integer(scan.lease), .text(nextPageToken), .integer(Int64(unreadable.count))]
                + columns.values + [
                    .integer(page), .integer(order.direction), .boolean(withOtherNames),
                    .integer(Int64(items.count)), .integer(before),
                ] + UnreadColumns(unreadable).values + [.booleans(columns.sharedNames)]
                + (picked.map { [.integer($0.session), .text($0.pageToken)] } ?? [])
        }
        func run(withOtherNames: Bool) async throws -> Row? {
            let values = values(PageColumns(items, withOtherNames: withOtherNames), withOtherNames: withOtherNames)
            let statement = picked == nil ? PageStatements.record : PageStatements.recordPicked
            return try await retryingNameRaces { () throws(PostgresError) in
                try await pool.run(statement, values).first
            }
        }
        var recorded: Row?
        var wasAsExpected = true
        if picked == nil, unreadable.isEmpty, !items.isEmpty, scan.position.expectsNew {
            let columns = PageColumns(items, withOtherNames: false)
            if columns.isSimple {
                recorded = try await recordNew(scan, items.count, columns, nextPageToken, page, order)
                if recorded == nil { scan.position.wasWrong() }
            }
        }
        if recorded == nil { recorded = try await run(withOtherNames: false) }
        if let row = recorded, try row.integerOrNil(0) == nil {
            wasAsExpected = false
            recorded = try await run(withOtherNames: true)
        }
        guard let row = recorded else {
            let repeated = try await pool.run(
                ScanStatements.repeatedPage,
                [.integer(scan.id), .integer(scan.lease), .integer(page)]
            )
            guard let first = repeated.first else { throw try await rewoundOrLost(scan) }
            scan.position.pages = try first.integer(1)
            let new = Int(try first.integer(0))
            return PageCounts(seen: items.count, new: new, known: items.count - new)
        }
        let counts = PageCounts(
            seen: Int(try row.integer(0)),
            new: Int(try row.integer(1)),
            known: Int(try row.integer(2))
        )
        scan.position.recorded(pages: before + 1, isAllNew: wasAsExpected && counts.known == 0 && counts.new > 0)
        return counts
    }
}

extension Ledger {
    /// Nil where something of the page is known after all, or a name taken, or it is recorded already.
    private func recordNew(
        _ scan: ScanTicket,
        _ entries: Int,
        _ columns: PageColumns,
        _ nextPageToken: String?,
        _ page: Int64,
        _ order: WorkOrder
    ) async throws(PostgresError) -> Row? {
        do {
            return try await pool.run(
                NewPageStatements.record,
                [
                    .integer(scan.id), .integer(scan.lease), .text(nextPageToken), .integer(page),
                    .integer(order.direction), .integer(Int64(entries)), .integer(scan.position.pages),
                ] + columns.items + columns.plainNames
            ).first
        } catch  where error.isLostRace {
            return nil
        }
    }
}

extension WorkOrder {
    /// What a time is multiplied with, so that what comes first is less.
    fileprivate var direction: Int64 { self == .newest ? -1 : 1 }
}

/// Text that is equal byte by byte, as in the database: Swift's own equality takes two spellings of one accent for the
/// same, and one of two items would be taken for a repetition.
private struct ExactText: Hashable {
    let text: String

    static func == (a: ExactText, b: ExactText) -> Bool { a.text.utf8.elementsEqual(b.text.utf8) }

    func hash(into hasher: inout Hasher) {
        var text = text
        text.withUTF8 { unsafe hasher.combine(bytes: UnsafeRawBufferPointer($0)) }
    }
}

/// Entries without an id, each with how often it comes.
private struct UnreadColumns {
    private var identities: [String?] = [], counts: [Int64?] = [], filenames: [String?] = [], times: [String?] = []

    init(_ entries: [UnreadEntry]) {
        var places: [String: Int] = [:]
        for entry in entries {
            if let place = places[entry.identity] {
                counts[place] = (counts[place] ?? 0) + 1
                continue
            }
            places[entry.identity] = identities.count
            identities.append(entry.identity)
            counts.append(1)
            filenames.append(entry.filename)
            times.append(entry.captureTime)
        }
    }

    /// `$27` to `$30`.
    var values: [PostgresValue] { [.texts(identities), .integers(counts), .texts(filenames), .texts(times)] }
}

/// The columns of a page, each built once.
private struct PageColumns {
    private var ids: [String?] = [], filenames: [String?] = [], mimeTypes: [String?] = [], times: [String?] = []
    private var timesFrom: [String?] = [], widths: [Int64?] = [], heights: [Int64?] = [], videos: [Bool?] = []
    private var partItems: [Int64?] = [], kinds: [String?] = [], months: [String?] = []
    private var names: [String?] = [], keys: [String?] = []
    private var otherParts: [Int64?] = [], positions: [Int64?] = [], otherNames: [String?] = [],
        otherKeys: [String?] = []

    /// `withOtherNames` false leaves the names beside the plain ones out.
    init(_ items: [FoundItem], withOtherNames: Bool) {
        reserve(items.count, withOtherNames)
        var seen = Set<ExactText>(minimumCapacity: items.count)
        // The first of several entries of one id.
        for item in items where seen.insert(ExactText(text: item.sourceItem)).inserted {
            ids.append(item.sourceItem)
            filenames.append(item.filename)
            mimeTypes.append(item.mimeType)
            times.append(item.captureTime)
            timesFrom.append(item.captureFrom)
            widths.append(item.width)
            heights.append(item.height)
            videos.append(item.isVideo)
            for part in item.parts {
                append(part, item: ids.count, withOtherNames)
            }
        }
    }

    private mutating func append(_ part: NewPart, item: Int, _ withOtherNames: Bool) {
        partItems.append(Int64(item))
        kinds.append(part.kind.rawValue)
        months.append(part.folderMonth)
        names.append(part.names.first?.name)
        keys.append(part.names.first?.key)
        guard withOtherNames else { return }
        for (position, candidate) in part.names.enumerated().dropFirst() {
            otherParts.append(Int64(partItems.count))
            positions.append(Int64(position))
            otherNames.append(candidate.name)
            otherKeys.append(candidate.key)
        }
    }

    private mutating func reserve(_ count: Int, _ withOtherNames: Bool) {
        ids.reserveCapacity(count)
        filenames.reserveCapacity(count)
        mimeTypes.reserveCapacity(count)
        times.reserveCapacity(count)
        timesFrom.reserveCapacity(count)
        widths.reserveCapacity(count)
        heights.reserveCapacity(count)
        videos.reserveCapacity(count)
        partItems.reserveCapacity(count)
        kinds.reserveCapacity(count)
        months.reserveCapacity(count)
        names.reserveCapacity(count)
        keys.reserveCapacity(count)
        guard withOtherNames else { return }
        otherParts.reserveCapacity(count * 2)
        positions.reserveCapacity(count * 2)
        otherNames.reserveCapacity(count * 2)
        otherKeys.reserveCapacity(count * 2)
    }

    /// Whether each item has one part, and no two of those want the same plain name.
    var isSimple: Bool {
        partItems.count == ids.count && zip(partItems, 1...).allSatisfy { $0 == $1 } && !sharedNames.contains(true)
    }

    /// Of each part, whether another one of the page wants its plain name too.
    var sharedNames: [Bool?] {
        var counts: [ExactText: Int] = [:]
        counts.reserveCapacity(keys.count)
        for key in keys { counts[ExactText(text: key ?? ""), default: 0] += 1 }
        guard counts.count < keys.count else { return [Bool?](repeating: false, count: keys.count) }
        return keys.map { counts[ExactText(text: $0 ?? ""), default: 0] > 1 }
    }

    /// One entry an item.
    var items: [PostgresValue] {
        [
            .texts(ids), .texts(filenames), .texts(mimeTypes), .texts(times), .texts(timesFrom), .integers(widths),
            .integers(heights), .booleans(videos),
        ]
    }

    /// One entry a part.
    var plainNames: [PostgresValue] { [.texts(kinds), .texts(months), .texts(names), .texts(keys)] }

    /// `$5` to `$21` of `PageStatements`.
    var values: [PostgresValue] {
        items + [.integers(partItems)] + plainNames
            + [.integers(otherParts), .integers(positions), .texts(otherNames), .texts(otherKeys)]
    }
}
