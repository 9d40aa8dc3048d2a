import FoundationEssentials
import HTTPClient

/// What is asked of a bucket, with the permission that it takes (Cloud Storage docs: "IAM permissions for JSON methods").
enum BucketOperation: String {
    case create = "storage.objects.create"
    case get = "storage.objects.get"
    case list = "storage.objects.list"
    /// Overwriting what exists takes delete as well; only the state store does that.
    case replace = "storage.objects.delete"
    case readBucket = "storage.buckets.get"
    case readPolicy = "storage.buckets.getIamPolicy"
    case changeBucket = "storage.buckets.update"
}

/// A 4xx answer in words that say what to do.
struct Refusal {
    let status: Int
    /// The service's own sentence, shortened; nil if there is none that can be shown.
    let detail: String?
    /// `errors[].reason`.
    let reasons: [String]

    /// Reads the JSON API's error body; anything else (the upload servers answer in plain text) has no detail.
    init(_ response: HTTPResponse) {
        status = response.status
        let failure = (try? JSONDecoder().decode(ErrorResource.self, from: Data(response.body)))?.error
        reasons = failure?.errors?.compactMap(\.reason) ?? []
        let text = ServerWords.cleaned(failure?.message ?? "")
        detail = text.isEmpty ? nil : text
    }

    /// 403 that means "slower" (Cloud Storage docs: "HTTP status and error codes").
    var isRateLimit: Bool {
        status == 403 && reasons.contains { $0 == "rateLimitExceeded" || $0 == "userRateLimitExceeded" }
    }

    /// "Provided CRC32C "X" doesn't match calculated CRC32C "Y"." and its MD5 brother.
    var isChecksum: Bool {
        guard status == 400, let text = detail?.lowercased() else { return false }
        return (text.contains("crc32c") || text.contains("md5")) && text.contains("match")
    }

    /// 403 because of what the token is for, whatever its account may do.
    var isScope: Bool {
        status == 403 && (detail?.lowercased().contains("authentication scopes") ?? false)
    }

    /// Whether a 404 is about the bucket rather than the object.
    var isMissingBucket: Bool {
        status == 404 && (detail?.lowercased().contains("bucket does not exist") ?? false)
    }

    /// The error for an answer that nothing else made sense of.
    func error(_ operation: BucketOperation, _ subject: String, bucket: String) -> StorageError {
        let said = detail.map { " (\($0))" } ?? ""
        switch status {
        case 401:
            return StorageError(
                code: .denied,
                message: "\(subject) was refused: Cloud Storage does not accept the credentials\(said)."
            )
        case 403 where isScope:
            return StorageError(
                code: .denied,
                message: """
                    \(subject) was refused: the credentials are for less than it takes. It takes the OAuth scope \
                    devstorage.full_control or cloud-platform, which gcloud auth application-default login gives\(said).
                    """
            )
        case 403:
            return StorageError(
                code: .denied,
                message: """
                    \(subject) was refused: give the account the permission \(operation.rawValue) on \
                    gs://\(bucket)\(said).
                    """
            )
        case 404:
            return StorageError(
                code: .noBucket,
                message: """
                    There is no bucket gs://\(bucket). 'coldroll setup' makes it; or correct COLDROLL_ARCHIVE or \
                    COLDROLL_STATE, if its name is misspelled there. Or make it yourself,
                    as the archive: \(Self.making(bucket, "ARCHIVE"))
                    as the state store: \(Self.making(bucket, "STANDARD"))
                    """
            )
        case 400..<500:
            return StorageError(code: .rejected, message: "\(subject) was refused with status \(status)\(said).")
        default:
            return StorageError(
                code: .malformed,
                message: "\(subject) had the answer \(status), which the API does not promise."
            )
        }
    }

    /// What makes a bucket of this class, to be typed as it stands.
    private static func making(_ bucket: String, _ storageClass: String) -> String {
        "gcloud storage buckets create gs://\(bucket) --location=europe-north1 --uniform-bucket-level-access "
            + "--public-access-prevention --default-storage-class=\(storageClass)"
    }
}
