/// What Cloud Storage charges, in US dollars without tax, as its price list had it in September 2026.
///
/// <https://cloud.google.com/storage/pricing>; prices change, and the list is what counts.
package struct BucketPrice: Sendable, Equatable {
    /// For a GB (10⁹ bytes) and month.
    package let perGigabyteMonth: Double
    /// Days that each object is charged for, also when it is deleted or replaced earlier; 0: none.
    ///
    /// Cloud Storage docs, "Storage classes": minimum storage duration.
    package let minimumDays: Int
    /// For 1,000 operations of class A: what stores a file, or lists 1,000.
    package let perThousandWrites: Double
    /// Whether the list was seen to say that of this class; if not, it is what it was said to be elsewhere.
    package let isWriteConfirmed: Bool
    /// For a GB that is read back, without the network.
    package let perGigabyteRead: Double

    /// The price of a class in a location; nil where it is not known here.
    package static func of(_ storageClass: String, in location: String) -> BucketPrice? {
        guard let known = classes[storageClass],
            let atRest = known.atRest[location.lowercased()]
        else { return nil }
        return BucketPrice(
            perGigabyteMonth: atRest,
            minimumDays: known.days,
            perThousandWrites: known.writes,
            isWriteConfirmed: known.isWriteConfirmed,
            perGigabyteRead: known.read
        )
    }

    private struct Known {
        let atRest: [String: Double]
        let days: Int
        let writes: Double
        let isWriteConfirmed: Bool
        let read: Double
    }

    private static let classes: [String: Known] = [
        "STANDARD": Known(
            atRest: ["europe-north1": 0.020, "us-central1": 0.020],
            days: 0,
            writes: 0.005,
            isWriteConfirmed: true,
            read: 0
        ),
        "ARCHIVE": Known(
            atRest: [
                "europe-north1": 0.0012, "us-central1": 0.0012, "europe-central2": 0.0025, "europe-north2": 0.0025,
                "europe-west2": 0.0025,
            ],
            days: 365,
            writes: 0.05,
            isWriteConfirmed: false,
            read: 0.05
        ),
    ]
}
