/// A word of the protocol, such as `invalid_scope`, to be shown: nil for what is none.
///
/// All of RFC 6749 and Google's are small letters with underscores; anything else could be what nobody should read.
func oauthWord(_ text: String?) -> String? {
    guard let text, (1...40).contains(text.utf8.count),
        text.utf8.allSatisfy({ $0 == 0x5F || (0x61...0x7A).contains($0) })
    else { return nil }
    return text
}
