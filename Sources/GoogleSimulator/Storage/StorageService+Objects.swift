import HTTPServer

extension StorageService {
    /// Answers `GET …/o/{object}`.
    func get(_ bucket: String, _ name: ObjectName, _ call: Call) -> ServerAnswer {
        do {
            let object = try find(bucket, name, call)
            let kept = store.bucket(bucket)?.expiration(of: object)
            let resource = object.resource(origin: call.origin, kept: kept)
            return .json(200, call.query["fields"].map { FieldMask($0).applied(to: resource) } ?? resource)
        } catch {
            return refusal(error)
        }
    }

    /// `GET …/o/{object}?alt=media`, with one byte range at most.
    func download(_ bucket: String, _ name: ObjectName, _ call: Call) -> ServerAnswer {
        do {
            let object = try find(bucket, name, call)
            var headers: [(name: String, value: String)] = [
                (name: "Content-Type", value: object.settings.contentType ?? "application/octet-stream"),
                (name: "X-Goog-Generation", value: String(object.generation)),
                (name: "X-Goog-Hash", value: "crc32c=" + base64(object.crc32c.bigEndianBytes)),
                (name: "X-Goog-Storage-Class", value: object.settings.storageClass),
                (name: "ETag", value: base64(object.generation.bigEndianBytes)),
            ]
            if let md5 = object.md5 { headers.append((name: "X-Goog-Hash", value: "md5=" + base64(md5))) }
            guard let text = call.header("range") else {
                return ServerAnswer(200, headers: headers, body: try body(object, 0..<object.size))
            }
            guard let range = byteRange(text, size: object.size) else {
                headers.append((name: "Content-Range", value: "bytes */\(object.size)"))
                return ServerAnswer(416, headers: headers)
            }
            let ends = "bytes \(range.lowerBound)-\(range.upperBound - 1)/\(object.size)"
            headers.append((name: "Content-Range", value: ends))
            return ServerAnswer(206, headers: headers, body: try body(object, range))
        } catch {
            return error.status == 404 ? error.plainAnswer : refusal(error)
        }
    }

    private func body(_ object: ObjectRecord, _ range: Range<Int64>) throws(StorageRefusal) -> ServerAnswer.Body {
        if let file = object.file {
            let count = range.upperBound - range.lowerBound
            return .file(path: store.shelf.absolute(file), offset: range.lowerBound, count: count)
        }
        guard let bytes = object.bytes else {
            throw StorageRefusal(
                status: 501,
                reason: "notImplemented",
                message: "This simulator keeps only the hashes of objects of this size (--storage hashes)."
            )
        }
        return .bytes(Array(bytes[Int(range.lowerBound)..<Int(range.upperBound)]))
    }

    /// Answers `DELETE …/o/{object}`.
    func delete(_ bucket: String, _ name: ObjectName, _ call: Call) -> ServerAnswer {
        do {
            try store.delete(bucket: bucket, name: name, conditions: Preconditions(call.query))
            return ServerAnswer(204)
        } catch {
            return refusal(error)
        }
    }

    private func find(_ bucket: String, _ name: ObjectName, _ call: Call) throws(StorageRefusal) -> ObjectRecord {
        guard let record = store.bucket(bucket) else { throw .noBucket() }
        guard let object = store.object(bucket, name) else {
            // Who may not list is not told what is not there.
            try record.require("storage.objects.list")
            throw .noObject(bucket, name.text)
        }
        if let generation = call.query["generation"], generation != String(object.generation) {
            throw .noObject(bucket, name.text)
        }
        try Preconditions(call.query).check(object)
        return object
    }

    /// Answers `GET …/o`.
    func list(_ bucket: String, _ call: Call) -> ServerAnswer {
        do {
            let page = try ObjectPage(bucket: bucket, query: call.query, store: store)
            let record = store.bucket(bucket)
            let value = page.value(origin: call.origin) { record?.expiration(of: $0) }
            return .json(200, call.query["fields"].map { FieldMask($0).applied(to: value) } ?? value)
        } catch {
            return error.answer
        }
    }
}

/// Reads `bytes=a-b`, `bytes=a-` or `bytes=-n`; nil if nothing of it can be given.
private func byteRange(_ text: String, size: Int64) -> Range<Int64>? {
    guard text.hasPrefix("bytes=") else { return nil }
    let ends = text.dropFirst(6).split(separator: "-", omittingEmptySubsequences: false)
    guard ends.count == 2 else { return nil }
    if ends[0].isEmpty {
        guard let count = Int64(ends[1]), count > 0, size > 0 else { return nil }
        return max(0, size - count)..<size
    }
    guard let first = Int64(ends[0]), first < size else { return nil }
    let last = ends[1].isEmpty ? size - 1 : Int64(ends[1]).map { min($0, size - 1) }
    guard let last, last >= first else { return nil }
    return first..<last + 1
}
