import Foundation
import HTTPClient
import Postgres

extension Doctor {
    /// Seconds by which a clock may be wrong before it is worth a word: a minute is what certificates and logs bear.
    static let clockTolerance = 60.0

    /// Compares this host's clock with the database's and with Google's.
    ///
    /// Leases, quotas and dates of runs go by the database's clock, and a service account's key by Google's.
    func clocks(_ database: Database?) async throws -> [Diagnosis] {
        var lines: [Diagnosis] = []
        if let database {
            let before = Date.now.timeIntervalSince1970
            let there = try await database.pool.run(DoctorStatements.clock).first?.double(0) ?? before
            let after = Date.now.timeIntervalSince1970
            lines.append(Self.compared((before + after) / 2 - there, with: "the database's"))
        } else {
            lines.append(.skipped(.clock, "Not compared with the database's clock: it could not be asked."))
        }
        lines.append(await google())
        return lines
    }

    private func google() async -> Diagnosis {
        guard let url = googleAddress else {
            return .skipped(.clock, "Not compared with Google's clock: the settings use nothing of Google's.")
        }
        var request = HTTPRequest("GET", url)
        request.stallTimeout = .seconds(20)
        do throws(HTTPError) {
            // Any answer will do, a refusal too.
            let answer = try await http.send(request, limit: 1 << 20)
            guard let error = answer.head.clockError else {
                return .skipped(.clock, "Not compared with Google's clock: its answer bears no date.")
            }
            return Self.compared(Double(error.components.seconds), with: "Google's")
        } catch {
            let fix =
                error.code == .untrusted
                ? "If the certificate is right, name its CA bundle in SSL_CERT_FILE; if not, look who answers in Google's name."
                : networkFix(error.message)
            return .failed(.clock, "Google does not answer: \(error.message)", fix: fix, ExitStatus(of: error))
        }
    }

    /// An address that answers anybody, and counts in no quota.
    private var googleAddress: String? {
        let settings = session.settings
        if settings.usesBuckets {
            let base = settings.storageEmulator ?? Settings.storageEndpoint
            return (base.contains("://") ? base : "http://" + base) + "/"
        }
        return switch settings.source {
        case .library: settings.photosEndpoint + "/"
        case .picker: settings.pickerEndpoint + "/"
        default: nil
        }
    }

    /// What it means that this host's clock is so many seconds ahead of another.
    static func compared(_ seconds: Double, with whose: String) -> Diagnosis {
        let size = abs(seconds)
        guard size >= clockTolerance else {
            let words = size < 2 ? "agrees with" : "is within \(Quantity.duration(size.rounded(.up))) of"
            return .ok(.clock, "This host's clock \(words) \(whose).")
        }
        return .warning(
            .clock,
            "This host's clock is \(Quantity.duration(size)) \(seconds > 0 ? "ahead of" : "behind") \(whose). coldroll goes by "
                + "the database's and by Google's, but certificates and logs do not.",
            fix: "timedatectl set-ntp true"
        )
    }
}
