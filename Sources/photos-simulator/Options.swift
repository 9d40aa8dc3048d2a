import GoogleSimulator

/// What is wrong with the command line.
struct OptionError: Error, CustomStringConvertible {
    let description: String
}

/// Reads the command line into a configuration.
struct Options {
    var configuration = SimulatorConfiguration()
    var wantsHelp = false
    private var sizes: ClosedRange<Int64>?
    private var videoPercent: Int?
    private var count: Int?
    private var webRedirects: [String] = []

    /// Reads arguments, without the program's name.
    init(_ arguments: [String]) throws(OptionError) {
        configuration.buckets = []
        var rest = arguments[...]
        while let flag = rest.popFirst() {
            if try takeSwitch(flag) { continue }
            guard let value = rest.popFirst() else {
                throw OptionError(description: "\(flag) is unknown, or needs a value; see --help")
            }
            try take(flag, value)
        }
        if !webRedirects.isEmpty { configuration.webRedirectURIs = webRedirects }
        if let count {
            let range = sizes ?? 1_000_000...20_000_000
            configuration.synthesis = SynthesisOptions(count: count, sizes: range, videoPercent: videoPercent ?? 10)
        } else if sizes != nil || videoPercent != nil {
            throw OptionError(description: "--sizes and --video-percent need --synthesize")
        }
    }

    private mutating func takeSwitch(_ flag: String) throws(OptionError) -> Bool {
        switch flag {
        case "--help", "-h": wantsHelp = true
        case "--tls": configuration.hasTLS = true
        case "--google-names": configuration.usesGoogleNames = true
        case "--testing-app": configuration.isTestingApp = true
        case "--no-write-limit": configuration.limitsWrites = false
        case "--no-md5": configuration.hasMD5 = false
        default: return false
        }
        return true
    }

    private mutating func take(_ flag: String, _ value: String) throws(OptionError) {
        switch flag {
        case "--listen": configuration.address = value
        case "--port": configuration.port = try whole(flag, value, UInt16.self)
        case "--state": configuration.stateDirectory = value
        case "--library": configuration.libraries.append(value)
        case "--synthesize": count = try whole(flag, value, Int.self)
        case "--sizes": sizes = try Self.sizes(value)
        case "--video-percent": videoPercent = try whole(flag, value, Int.self)
        case "--storage": configuration.storage = value == "hashes" ? .hashes : .directory(value)
        case "--bucket": configuration.buckets.append(value)
        case "--read-only-bucket":
            configuration.buckets.append(value)
            configuration.readOnlyBuckets.insert(value)
        case "--quirks": configuration.quirks = try Self.quirks(value)
        case "--token-lifetime": configuration.tokenLifetime = try seconds(flag, value)
        case "--code-lifetime": configuration.codeLifetime = try seconds(flag, value)
        case "--refresh-lifetime": configuration.refreshLifetime = try seconds(flag, value)
        case "--web-redirect": webRedirects.append(value)
        case "--base-url-lifetime": configuration.baseURLLifetime = try seconds(flag, value)
        case "--page-token-lifetime": configuration.pageTokenLifetime = try seconds(flag, value)
        case "--session-lifetime": configuration.sessionLifetime = try seconds(flag, value)
        case "--latency-photos": configuration.photosLatency = try seconds(flag, value) / 1000
        case "--latency-storage": configuration.storageLatency = try seconds(flag, value) / 1000
        case "--api-quota": configuration.apiQuota = try whole(flag, value, Int.self)
        case "--media-quota": configuration.mediaQuota = try whole(flag, value, Int.self)
        case "--picker-poll-interval": configuration.pickerPollInterval = try seconds(flag, value)
        case "--picker-timeout": configuration.pickerTimeout = try seconds(flag, value)
        case "--picker-lifetime": configuration.pickerLifetime = try seconds(flag, value)
        case "--picker-sessions": configuration.pickerSessionLimit = try whole(flag, value, Int.self)
        case "--picker-quota": configuration.pickerQuota = try whole(flag, value, Int.self)
        case "--picker-media-quota": configuration.pickerMediaQuota = try whole(flag, value, Int.self)
        case "--seed": configuration.seed = try whole(flag, value, UInt64.self)
        case "--faults": configuration.faults = try Self.faults(value)
        case "--scopes":
            guard ["removed", "appcreated"].contains(value) else {
                throw OptionError(description: "--scopes is '\(value)'; expected removed or appcreated")
            }
            configuration.hasRemovedScopes = value == "removed"
        default: throw OptionError(description: "\(flag) is unknown; see --help")
        }
    }

    private func whole<Number: FixedWidthInteger>(
        _ flag: String,
        _ value: String,
        _: Number.Type
    ) throws(OptionError) -> Number {
        guard let number = Number(value), number >= 0 else {
            throw OptionError(description: "\(flag) is '\(value)'; expected a whole number")
        }
        return number
    }

    private func seconds(_ flag: String, _ value: String) throws(OptionError) -> Double {
        guard let number = Double(value), number >= 0, number.isFinite else {
            throw OptionError(description: "\(flag) is '\(value)'; expected a number of 0 or more")
        }
        return number
    }

    /// `1MB-20MB`, or one size.
    private static func sizes(_ value: String) throws(OptionError) -> ClosedRange<Int64> {
        let ends = value.split(separator: "-", omittingEmptySubsequences: false).map { bytes(String($0)) }
        guard ends.count <= 2, let low = ends[0], let high = ends[ends.count - 1], low >= 4096, low <= high else {
            throw OptionError(
                description: "--sizes is '\(value)'; expected two sizes of at least 4096 bytes, such as 1MB-20MB"
            )
        }
        return low...high
    }

    /// `512`, `4KB`, `20MB`, `20GB` (powers of 1000), `4KiB`, `1MiB`, `1GiB` (of 1024).
    private static func bytes(_ text: String) -> Int64? {
        let units: [(String, Int64)] = [
            ("KiB", 1 << 10), ("MiB", 1 << 20), ("GiB", 1 << 30), ("KB", 1000), ("MB", 1_000_000),
            ("GB", 1_000_000_000), ("B", 1),
        ]
        for (unit, factor) in units where text.hasSuffix(unit) {
            return Double(text.dropLast(unit.count)).flatMap { Int64(exactly: ($0 * Double(factor)).rounded()) }
        }
        return Int64(text)
    }

    private static func quirks(_ value: String) throws(OptionError) -> Set<Quirk> {
        if value == "all" { return Set(Quirk.allCases) }
        var quirks: Set<Quirk> = []
        for name in value.split(separator: ",") {
            guard let quirk = Quirk(rawValue: String(name)) else {
                let known = Quirk.allCases.map(\.rawValue).joined(separator: ", ")
                throw OptionError(description: "--quirks has '\(name)'; expected some of: all, \(known)")
            }
            quirks.insert(quirk)
        }
        return quirks
    }

    private static func faults(_ value: String) throws(OptionError) -> [FaultRule] {
        do { return try FaultRule.rules(jsonText: value) } catch {
            throw OptionError(description: "--faults: \(error)")
        }
    }
}
