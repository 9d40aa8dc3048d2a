import Synchronization

/// What the simulated accounts may do, in one bucket or one project (Cloud Storage: IAM permissions).
enum Permissions: Sendable, Equatable {
    case all
    /// What only looks: permissions that end in `.get` or `.list`.
    case reading
    case only(Set<String>)
    case allBut(Set<String>)

    func holds(_ permission: String) -> Bool {
        switch self {
        case .all: true
        case .reading: permission.hasSuffix(".get") || permission.hasSuffix(".list")
        case .only(let names): names.contains(permission)
        case .allBut(let names): !names.contains(permission)
        }
    }

    /// Whether a text could name a permission of Cloud Storage: `storage`, a kind of resource, a verb.
    static func isName(_ text: String) -> Bool {
        let parts = text.split(separator: ".", omittingEmptySubsequences: false)
        guard parts.count == 3, parts[0] == "storage" else { return false }
        return kinds.contains(String(parts[1])) && !parts[2].isEmpty && parts[2].allSatisfy { $0.isLetter }
    }

    private static let kinds: Set = [
        "anywhereCaches", "bucketOperations", "buckets", "folders", "managedFolders", "multipartUploads", "objects",
    ]

    /// Reads `"permissions": […]` (these alone) or `"without": […]` (all but these); nil if a document has neither.
    ///
    /// - Throws: `SimulatorError` for a name that is none, so that a test cannot take away what does not exist.
    static func read(_ json: JSONValue) throws(SimulatorError) -> Permissions? {
        if let names = json["permissions"]?.elements { return .only(try known(names)) }
        if let names = json["without"]?.elements { return .allBut(try known(names)) }
        return nil
    }

    private static func known(_ names: [JSONValue]) throws(SimulatorError) -> Set<String> {
        var known: Set<String> = []
        for name in names {
            guard let text = name.text, isName(text) else {
                throw SimulatorError(description: "\(name.text ?? "a permission") is no permission of Cloud Storage")
            }
            known.insert(text)
        }
        return known
    }
}

/// What the accounts may do in projects; in one that was never named they may do everything.
final class Projects: Sendable {
    private struct State {
        var permissions: [String: Permissions] = [:]
        var unknown: Set<String> = []
    }
    private let state = Mutex(State())

    /// Says what may be done in a project; nil for one that Google does not know.
    func set(_ project: String, _ permissions: Permissions?) {
        state.withLock { state in
            if let permissions {
                state.permissions[project] = permissions
                state.unknown.remove(project)
            } else {
                state.unknown.insert(project)
            }
        }
    }

    /// Refuses without a project (`nil`), for one that nobody knows, and without the permission.
    func check(_ project: String?, _ permission: String) throws(StorageRefusal) -> String {
        guard let project, !project.isEmpty else { throw .missing(parameter: "project") }
        let (isUnknown, held) = state.withLock { state in
            (state.unknown.contains(project), state.permissions[project] ?? .all)
        }
        if isUnknown { throw .invalid("Unknown project id: \(project)") }
        guard held.holds(permission) else { throw .denied(permission, on: "project") }
        return project
    }
}
