import Archiver
import Foundation
import Logging
import QRCode

/// The person who picks in Google's Picker, as a terminal, a browser or a log reaches one.
struct Picking: Sendable {
    let reporter: Reporter
    let environment: [String: String]

    var desk: PickerDesk {
        PickerDesk(
            invite: { invitation in
                invite(invitation)
                reporter.awaitPick(true)
            },
            waitEnds: { reporter.awaitPick(false) },
            looksAgain: { duration in
                reporter.say(
                    "All that Google lists of what you picked is queued. Google is asked again for "
                        + "\(Quantity.duration(Double(duration.components.seconds))) whether that is all."
                )
            },
            wantsMore: { isAwaited in await wantsMore(while: isAwaited) }
        )
    }

    private func invite(_ invitation: PickerDesk.Invitation) {
        let most = Quantity.grouped(Int64(invitation.mostItems))
        let wait = invitation.patience.map { ", within \(Quantity.duration(Double($0.components.seconds)))" } ?? ""
        let again = invitation.isResumed ? "This is the same page as before. " : ""
        guard reporter.isForPerson else {
            return reporter.say(
                "\(again)Open the link in a browser, as the owner of the photos, pick up to \(most) photos and videos in it and "
                    + "press Done\(wait).",
                ["link": .string(invitation.link)]
            )
        }
        reporter.say(
            "\(again)Pick up to \(most) photos and videos in Google's page, and press Done there\(wait). Open this link, or scan "
                + "the code with a phone that is logged in to the same Google account:"
        )
        var block = invitation.link + "\n"
        if let code = QRCode(invitation.link), code.columns <= StandardStream.error.columns { block += drawn(code) }
        reporter.show(block)
        guard let browser = Browser(environment: environment) else { return }
        // The tab closes itself when the picking is done.
        do throws(CommandFailure) { try browser.open(invitation.link + "/autoclose") } catch {
            reporter.warn(error.message)
        }
    }

    /// White on black whatever the terminal's colours are, as far as it knows colours.
    private func drawn(_ code: QRCode) -> String {
        let knowsColours = environment["TERM"].map { $0 != "dumb" && !$0.isEmpty } ?? false
        let (start, end) = knowsColours ? ("\u{1B}[40;97m", "\u{1B}[0m") : ("", "")
        return code.lines.map { start + $0 + end + "\n" }.joined()
    }

    /// Asks at the terminal; without one, or once nobody waits for the answer, it is no.
    private func wantsMore(while isAwaited: @Sendable () -> Bool) async -> Bool {
        guard reporter.isForPerson, StandardStream.error.isTerminal, isatty(STDIN_FILENO) == 1 else { return false }
        reporter.say("Pick more? Type y and Enter for another page of Google's Picker; Enter alone if that was all.")
        while isAwaited() {
            var waiting = pollfd(fd: STDIN_FILENO, events: Int16(POLLIN), revents: 0)
            guard poll(&waiting, 1, 0) > 0 else {
                // A cancelled task is seen by the next line.
                try? await Task.sleep(for: .milliseconds(100))
                if Task.isCancelled { return false }
                continue
            }
            var bytes = [UInt8](repeating: 0, count: 1024)
            let count = read(STDIN_FILENO, &bytes, bytes.count)
            guard count > 0 else { return false }
            let answer = String(decoding: bytes.prefix(count), as: UTF8.self).trimmingCharacters(
                in: .whitespacesAndNewlines
            )
            return ["y", "yes"].contains(answer.lowercased())
        }
        return false
    }
}
