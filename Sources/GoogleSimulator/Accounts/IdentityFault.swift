/// What can be wrong with an ID token that somebody shows; each is what an attacker, or a mistake, could bring.
package enum IdentityFault: String, Sendable, CaseIterable {
    /// It ended an hour ago.
    case expired
    /// It begins in an hour.
    case notYetValid = "not_yet_valid"
    /// For an address that begins as the wanted one does.
    case otherAudience = "other_audience"
    /// From a name that begins as Google's does.
    case otherIssuer = "other_issuer"
    /// Google does not vouch for the address.
    case unverifiedEmail = "unverified_email"
    /// Of an account of the same name in another project: anybody can have Google sign such a token.
    case otherAccount = "other_account"
    /// Not signed, and it says so: `"alg":"none"` (RFC 7519, section 6).
    case algNone = "alg_none"
    /// Signed with HMAC, whose secret is the PEM text of the published key (RFC 8725, section 2.1).
    case hs256
    /// Signed with a key of somebody else, under the id of the key that signs now.
    case otherKey = "other_key"
    /// Signed with a key of somebody else, under an id that is not published.
    case unknownKeyID = "unknown_kid"
    /// Its end is missing.
    case cut
    /// Its header names no key.
    case noKeyID = "no_kid"
}
