import HTTPClient

/// Percent-encodes everything but RFC 3986's unreserved characters: valid in a form and in a query.
func formEncoded(_ text: String) -> String {
    var encoded: [UInt8] = []
    for byte in text.utf8 {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "."), UInt8(ascii: "_"),
            UInt8(ascii: "~"):
            encoded.append(byte)
        default:
            let digits = Array("0123456789ABCDEF".utf8)
            encoded += [UInt8(ascii: "%"), digits[Int(byte >> 4)], digits[Int(byte & 15)]]
        }
    }
    return String(decoding: encoded, as: UTF8.self)
}

/// A token request: a form, as RFC 6749 wants it.
func formPost(_ url: String, _ fields: [(String, String)]) -> HTTPRequest {
    let form = fields.map { "\($0)=\(formEncoded($1))" }.joined(separator: "&")
    var request = HTTPRequest(
        "POST",
        url,
        headers: [HTTPField("Content-Type", "application/x-www-form-urlencoded")],
        body: .bytes(Array(form.utf8))
    )
    request.stallTimeout = .seconds(20)
    return request
}

/// Undoes `formEncoded`, and the plus sign that browsers write for a blank; nil if it is no UTF-8.
func formDecoded(_ text: some StringProtocol) -> String? {
    var decoded: [UInt8] = []
    var rest = Array(text.utf8)[...]
    while let byte = rest.popFirst() {
        switch byte {
        case UInt8(ascii: "+"): decoded.append(UInt8(ascii: " "))
        case UInt8(ascii: "%"):
            let digits = rest.prefix(2)
            guard digits.count == 2, let value = UInt8(String(decoding: digits, as: UTF8.self), radix: 16) else {
                return nil
            }
            rest = rest.dropFirst(2)
            decoded.append(value)
        default: decoded.append(byte)
        }
    }
    return String(validating: decoded, as: UTF8.self)
}
