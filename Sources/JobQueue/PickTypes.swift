/// A session of Google's Picker, as the ledger keeps it while something of it is to be fetched.
package struct PickSession: Sendable, Equatable {
    /// Key in the ledger.
    package let id: Int64
    /// Google's id of it.
    package let session: String
    /// The page in which the person picks: for the owner's eyes only; nil once nobody needs it.
    package let link: String?
    /// Whether it was seen that the person had pressed Done.
    package let isPicked: Bool
    /// Until Google gives nothing of it any more, negative since then; nil if Google did not say.
    package let secondsLeft: Double?

    package init(id: Int64, session: String, link: String?, isPicked: Bool, secondsLeft: Double?) {
        self.id = id
        self.session = session
        self.link = link
        self.isPicked = isPicked
        self.secondsLeft = secondsLeft
    }
}

/// How a session ended for the ledger.
package enum PickOutcome: String, Sendable {
    /// All that was picked is stored or acknowledged, and Google has deleted it.
    case done
    /// Google gives nothing of it any more.
    case expired
    /// Nobody picked in it in time.
    case unused
}

/// A page of a session.
package struct PickPlace: Sendable, Hashable {
    /// Key of the session in the ledger.
    package let session: Int64
    /// What the page is asked for with; nil: it is the first.
    package let pageToken: String?

    package init(session: Int64, pageToken: String?) {
        self.session = session
        self.pageToken = pageToken
    }
}

/// Where an item was picked last.
package struct PickedItem: Sendable, Equatable {
    /// The source's own id.
    package let sourceItem: String
    package let place: PickPlace
    /// Google's id of the session.
    package let session: String
}
