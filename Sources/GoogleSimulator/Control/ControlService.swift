import HTTPServer

/// The simulator's own requests: what a test outside its process sees and turns.
struct ControlService: Sendable {
    let hub: Hub

    func receive(_ call: Call) -> Reception {
        let name = call.path.dropFirst("/control/".count)
        switch (call.method, name) {
        case ("GET", "counters"): return .answer(.json(200, counters()))
        case ("GET", "library"): return answer { .json(200, try library()) }
        case ("GET", "objects"): return .answer(.json(200, objects()))
        case ("GET", "buckets"): return .answer(.json(200, BucketSetup(storage: hub.storage).all))
        case ("GET", "picker"): return .answer(.json(200, picker.all))
        case ("POST", "pick"): return setting { try picker.pick($0) }
        case ("POST", "picker"): return setting { try picker.set($0) }
        case ("POST", "new-minute"): [hub.pickerQuota, hub.pickerMediaQuota].forEach { $0.renew() }
        case ("POST", "bucket"): return setting { try BucketSetup(storage: hub.storage).setUp($0) }
        case ("POST", "project"): return setting { try BucketSetup(storage: hub.storage).setProject($0) }
        case ("POST", "faults"): return .receive(CollectingReceiver(answer: setFaults))
        case ("POST", "library/add"): return .receive(CollectingReceiver(answer: add))
        case ("POST", "reset-counters"): hub.resetCounters()
        case ("POST", "new-day"): hub.quotas.newDay()
        case ("POST", "expire-tokens"): hub.accounts.desk.expireAll()
        case ("POST", "expire-base-urls"): hub.baseURLs.expireAll()
        case ("POST", "expire-page-tokens"): hub.pageTokens.expireAll()
        case ("POST", "revoke-photos-login"): hub.accounts.revoke(hub.accounts.identities.photos.holder)
        case ("POST", "revoke-logins"): return .receive(CollectingReceiver(answer: revokeLogins))
        case ("POST", "refresh-lifetime"): return .receive(CollectingReceiver(answer: setRefreshLifetime))
        case ("POST", "rotate-identity-key"): return .receive(CollectingReceiver(answer: rotateIdentityKey))
        case ("POST", "identity-token"): return .receive(CollectingReceiver(answer: mintIdentityToken))
        case ("POST", "library-owner"): return .receive(CollectingReceiver(answer: setLibraryOwner))
        default: return .answer(.page(404, "There is no such control"))
        }
        return .answer(.json(200, .object([])))
    }

    private var picker: PickerSetup { PickerSetup(library: hub.library, sessions: hub.pickerSessions) }

    private func answer(_ make: @escaping @Sendable () throws -> ServerAnswer) -> Reception {
        .receive(
            CollectingReceiver { _ in
                do { return try make() } catch { return .refusal(500, "INTERNAL", "\(error)") }
            }
        )
    }

    /// Takes a JSON document; what is wrong with it is a 400.
    private func setting(_ take: @escaping @Sendable (JSONValue) throws -> Void) -> Reception {
        .receive(
            CollectingReceiver { bytes in
                guard let wanted = JSONValue.parse(bytes), wanted.fields != nil else {
                    return .refusal(400, "INVALID_ARGUMENT", "send a JSON object")
                }
                do { try take(wanted) } catch { return .refusal(400, "INVALID_ARGUMENT", "\(error)") }
                return .json(200, .object([]))
            }
        )
    }

    private func counters() -> JSONValue {
        let counters = hub.board.snapshot
        func object(_ values: [String: Int64]) -> JSONValue {
            .object(values.keys.sorted().map { .init(name: $0, value: .integer(values[$0] ?? 0)) })
        }
        let struck = hub.faults.report.map { rule, count in
            JSONValue.members(
                ("on", .string(rule.operations.joined(separator: ","))),
                ("do", .string(rule.action.rawValue)),
                ("match", rule.match.map { .string($0) }),
                ("struck", .integer(Int64(count)))
            )
        }
        let statuses = Dictionary(uniqueKeysWithValues: counters.statuses.map { (String($0.key), Int64($0.value)) })
        return .members(
            ("requests", object(counters.requests.mapValues { Int64($0) })),
            ("statuses", object(statuses)),
            ("oauth", object(counters.oauth.mapValues { Int64($0) })),
            ("bytes_in", object(counters.bytesIn)),
            ("bytes_out", object(counters.bytesOut)),
            ("faults", .array(struck)),
            ("redirect_authorizations", .integer(Int64(counters.redirectAuthorizations))),
            ("most_at_once", .integer(Int64(counters.mostAtOnce))),
            ("quotas", quotas),
            ("open_sessions", .integer(Int64(hub.storage.sessions.openCount)))
        )
    }

    private var quotas: JSONValue {
        func counted(_ quota: (used: Int, refused: Int)) -> JSONValue {
            .members(("used", .integer(Int64(quota.used))), ("refused", .integer(Int64(quota.refused))))
        }
        return .members(
            ("api", counted(hub.quotas.counts(.api))),
            ("media", counted(hub.quotas.counts(.media))),
            ("picker", counted(hub.pickerQuota.counts)),
            ("picker_media", counted(hub.pickerMediaQuota.counts))
        )
    }

    private func library() throws -> JSONValue {
        func expected(_ value: LibraryEntry.Expected) -> JSONValue {
            .members(
                ("size", .integer(value.size)),
                ("crc32c", .string(base64(value.crc32c.bigEndianBytes)))
            )
        }
        return .array(
            try hub.entries.all().map { entry in
                .members(
                    ("id", .string(entry.id)),
                    ("picker_id", .string(entry.pickerID)),
                    ("filename", .string(entry.filename)),
                    ("mimeType", .string(entry.mimeType)),
                    ("kind", .string(entry.kind)),
                    ("creationTime", .string(entry.creationTime)),
                    ("width", entry.width.map { .integer($0) }),
                    ("height", entry.height.map { .integer($0) }),
                    ("status", entry.videoStatus.map { .string($0) }),
                    ("bad_id", .boolean(entry.isBad)),
                    ("path", entry.path.map { .string($0) }),
                    ("d", expected(entry.download)),
                    ("dv", entry.video.map(expected) ?? .null)
                )
            }
        )
    }

    private func objects() -> JSONValue {
        let store = hub.storage.store
        return .array(
            store.everything.map { object in
                let path = object.file.map { JSONValue.string(store.shelf.absolute($0)) }
                return .object((object.resource(origin: "").fields ?? []) + [.init(name: "path", value: path ?? .null)])
            }
        )
    }

    private func setFaults(_ bytes: [UInt8]) -> ServerAnswer {
        do {
            hub.faults.replace(try FaultRule.rules(json: JSONValue.parse(bytes) ?? .null))
            return .json(200, .object([]))
        } catch {
            return .refusal(400, "INVALID_ARGUMENT", "\(error)")
        }
    }

    /// Adds a file (`path`) or a made-up item (`kind`, `size`, `filename`, `creationTime`, …).
    private func add(_ bytes: [UInt8]) -> ServerAnswer {
        guard let wanted = JSONValue.parse(bytes), wanted.fields != nil else {
            return .refusal(400, "INVALID_ARGUMENT", "send a JSON object")
        }
        do {
            guard let item = try AddedItem.make(wanted, number: hub.library.count) else {
                return .refusal(400, "INVALID_ARGUMENT", "that is no photo or video")
            }
            guard hub.library.add(item) else { return .refusal(409, "ALREADY_EXISTS", "there is an item of that id") }
            return .json(200, .members(("id", .string(item.id))))
        } catch {
            return .refusal(400, "INVALID_ARGUMENT", "\(error)")
        }
    }
}
