import GooglePhotos
import JobQueue
import Testing

@testable import Archiver

/// What the ledger keeps of entries without an id.
struct UnreadEntryTests {
    private let whole = MediaPage.Unreadable(
        filename: "a.jpg",
        mimeType: "image/jpeg",
        creationTime: "2024-05-31T12:00:00Z",
        width: 40,
        height: 30,
        isVideo: false,
        productURL: "https://photos.google.com/lr/photo/A"
    )

    @Test func `two entries are the same if all that is known of them is, and by nothing less`() {
        var others = Array(repeating: whole, count: 8)
        others[0].filename = "b.jpg"
        others[1].filename = nil
        others[2].mimeType = "image/png"
        others[3].creationTime = "2024-05-31T12:00:01Z"
        others[4].width = 30
        others[4].height = 40
        others[5].height = nil
        others[6].isVideo = true
        others[7].productURL = "https://photos.google.com/lr/photo/B"
        let identities = (others + [whole]).map { UnreadEntry($0).identity }
        #expect(Set(identities).count == 9)
        #expect(UnreadEntry(whole) == UnreadEntry(whole))
        #expect(identities.allSatisfy { $0.wholeMatch(of: /[0-9a-f]{64}/) != nil })
    }

    /// Names that run together in a careless digest.
    @Test(arguments: [("a b", "c", "a", "b c"), ("a 1:b", "c", "a", "b 1:c"), ("-", "a", "- -", "a")])
    func `two entries differ although their facts make one text`(
        _ name: String,
        _ type: String,
        _ otherName: String,
        _ otherType: String
    ) {
        let one = MediaPage.Unreadable(filename: name, mimeType: type)
        let other = MediaPage.Unreadable(filename: otherName, mimeType: otherType)
        #expect(UnreadEntry(one).identity != UnreadEntry(other).identity)
    }

    @Test func `an entry of which nothing is known has no identity, and a long name is cut where it is shown alone`() {
        #expect(UnreadEntry(MediaPage.Unreadable()) == UnreadEntry(identity: ""))
        let long = String(repeating: "é", count: 5_000)
        let one = UnreadEntry(MediaPage.Unreadable(filename: long + "1"))
        let two = UnreadEntry(MediaPage.Unreadable(filename: long + "2"))
        #expect(one.filename == two.filename && one.filename?.unicodeScalars.count == UnreadEntry.shownLength)
        #expect(one.identity != two.identity)
    }
}
