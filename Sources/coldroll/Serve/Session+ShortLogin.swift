import Foundation
import GoogleAuth
import HTTPClient
import Logging

extension Session {
    /// Refuses a schedule that the login does not live to see twice: an app in testing has to be logged in to each week.
    ///
    /// - Throws: `CommandFailure` with how to publish the app.
    func refuseShortLogin(_ schedule: Schedule, _ http: HTTPClient) async throws {
        guard let life = await loginLife(http) else { return }
        let gap = schedule.greatestGap(from: Int(Date.now.timeIntervalSince1970))
        guard Double(gap) >= life else { return }
        throw CommandFailure(
            .credentials,
            "The login to Google Photos ends \(Quantity.duration(life)) after it was made, since the app is in testing, and "
                + "'\(schedule.expression)' has runs that are \(Quantity.duration(Double(gap))) apart: each would need a new login. "
                + "Publish the app (Google Cloud console, Google Auth Platform, Audience: 'Publish app'), then run 'coldroll "
                + "login' once more. --force takes the schedule all the same."
        )
    }

    /// How long Google lets a login to an app in testing live (OAuth 2.0 docs, "Refresh token expiration"), in seconds.
    private static let testingLife = 7.0 * 86_400

    /// How many seconds a login lives from its beginning on; nil where it has no end that is known, or nothing can be asked now.
    private func loginLife(_ http: HTTPClient) async -> Double? {
        // Whatever is wrong with the credentials is told by the run that needs them, each time.
        do {
            if settings.photosCredentials != nil {
                let access = try await openPhotosAlone(.library, http)
                // Google says how much is left of it.
                return await access.granted()?.life.map { max(Double($0.components.seconds), Self.testingLife) }
            }
            guard let (login, _, _) = try await keptLogin(try openStores(http)) else { return nil }
            return login.endsAt.map { max($0.timeIntervalSince(login.signedInAt), Self.testingLife) }
        } catch {
            logger.log(
                .warning,
                "how long the login lives is not known now",
                ["error": .string(sentence(of: error))]
            )
            return nil
        }
    }
}
