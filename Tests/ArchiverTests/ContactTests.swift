import Testing

@testable import Archiver

@Suite struct ContactTests {
    private let start = ContinuousClock.now

    private func at(_ seconds: Int) -> ContinuousClock.Instant { start + .seconds(seconds) }

    /// In touch by beats at these seconds, where a death takes 30.
    private func contact(_ beats: some Sequence<Int>) -> Contact {
        var contact = Contact(dead: .seconds(30), now: start)
        for beat in beats { contact.answered(sent: at(beat)) }
        return contact
    }

    @Test func `deaths are declared only after contact that was unbroken for as long as a death takes`() {
        #expect(!contact(stride(from: 0, through: 25, by: 5)).mayDeclareDeath(at: at(29)))
        var contact = contact(stride(from: 0, through: 30, by: 5))
        #expect(contact.mayDeclareDeath(at: at(30)))
        contact.failed(at: at(31))
        contact.answered(sent: at(35))
        #expect(!contact.mayDeclareDeath(at: at(60)))
    }

    @Test func `a machine that slept declares nobody dead when it wakes up`() {
        var contact = contact(stride(from: 0, through: 60, by: 5))
        #expect(!contact.mayDeclareDeath(at: at(3600)))
        contact.answered(sent: at(3601))
        #expect(!contact.mayDeclareDeath(at: at(3602)))
        for beat in stride(from: 3606, through: 3636, by: 5) { contact.answered(sent: at(beat)) }
        #expect(contact.mayDeclareDeath(at: at(3636)))
    }

    @Test func `without an answer nothing is begun after 20 s of 30, and all is let go after 25`() {
        let contact = contact([0])
        #expect(contact.mayStart(at: at(19)) && !contact.mayStart(at: at(20)))
        #expect(!contact.isFenced(at: at(25)) && contact.isFenced(at: at(26)))
    }
}
