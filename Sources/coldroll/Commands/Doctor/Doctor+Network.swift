import HTTPClient

extension Doctor {
    /// A check that an error ended, with what to do where nothing answers.
    func failure(_ check: Diagnosis.Check, _ error: any Error) -> Diagnosis {
        var line = Diagnosis.failed(check, error)
        line.fix = networkFix(line.message)
        return line
    }

    /// What to do about a message that speaks of a host to which there is no connection; nil for any other.
    func networkFix(_ message: String) -> String? {
        guard message.contains(HTTPError.noConnection) else { return nil }
        return Self.networkFix(
            endpoints: session.settings.endpoints,
            proxies: session.settings.environment.keys.filter {
                ["http_proxy", "https_proxy", "all_proxy"].contains($0.lowercased())
            }
        )
    }

    /// What to look at where a host cannot be reached; the names of settings that say where to go come last.
    static func networkFix(endpoints: [String], proxies: [String]) -> String {
        let proxy =
            proxies.isEmpty
            ? "the proxy, if this network wants one (https_proxy is not set)"
            : "the proxy that \(proxies.sorted().joined(separator: ", ")) names"
        let settings = endpoints.isEmpty ? "" : ", and where \(endpoints.joined(separator: ", ")) leads"
        return "Look at this host's network, its DNS and \(proxy)\(settings); then run 'coldroll doctor' again."
    }
}
