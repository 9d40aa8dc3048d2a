import Archiver
import CloudStorage
import GoogleAuth
import GooglePhotos
import HTTPClient
import JobQueue
import Postgres
import PrivatePostgres

extension ExitStatus {
    /// The one place that decides which exit code an error that ended a command has.
    init(of error: any Error) {
        self =
            switch error {
            case is CommandFault, is SettingsError, is NotAgreed: .usage
            case let error as CommandFailure: error.status
            case let error as UnreadableLogin: Self(of: error.cause)
            case is CancellationError: .interrupted
            case let error as ArchiverError: Self.of(error.code)
            case let error as AuthError: Self.of(error.code)
            case let error as PhotosError: Self.of(error.code)
            case let error as StorageError: Self.of(error.code)
            case let error as PostgresError: Self.of(error.code)
            case let error as LedgerError: Self.of(error.code)
            case let error as HTTPError: Self.of(error.code)
            default: .unreachable
            }
    }

    private static func of(_ code: ArchiverError.Code) -> ExitStatus {
        switch code {
        case .foreignLedger, .nothingFound: .dead
        case .noArchive: .usage
        case .credentials, .login: .credentials
        case .unavailable, .noSpace: .unreachable
        case .outOfTime, .notPicked: .unfinished
        case .interrupted: .interrupted
        }
    }

    private static func of(_ code: AuthError.Code) -> ExitStatus {
        switch code {
        case .loginRequired, .badCredentials: .credentials
        case .unavailable, .untrusted: .unreachable
        }
    }

    private static func of(_ code: PhotosError.Code) -> ExitStatus {
        switch code {
        case .insufficientScopes, .unauthenticated, .noAccount: .credentials
        case .sessionOver, .notPicked: .unfinished
        case .auth(let code): of(code)
        case .transport(let code): of(code)
        case .quota, .dailyQuota, .budgetSpent: .unfinished
        default: .unreachable
        }
    }

    private static func of(_ code: StorageError.Code) -> ExitStatus {
        switch code {
        case .denied: .credentials
        case .noBucket, .rejected: .usage
        default: .unreachable
        }
    }

    /// SQLSTATEs: PostgreSQL documentation, appendix A.
    private static func of(_ code: PostgresError.Code) -> ExitStatus {
        guard case .server(let state) = code else { return .unreachable }
        // 28: the server refused the role or its password. 42501: the role may not do this.
        if state.hasPrefix("28") || state == "42501" { return .credentials }
        // No such database, schema, table, column or function: the settings name another database, or setup has not run.
        if ["3D000", "3F000", "42P01", "42703", "42883"].contains(state) { return .usage }
        // A function of the ledger refused what it was asked (class CR is its own), or a pattern cannot be read (class 22).
        if state.hasPrefix("CR") || state.hasPrefix("22") { return .usage }
        return .unreachable
    }

    private static func of(_ code: LedgerError.Code) -> ExitStatus {
        switch code {
        case .foreignArchive, .foreignClient, .foreignAccount, .schema, .elsewhere, .target: .usage
        case .forbidden: .credentials
        case .scanBusy, .scanLost, .scanRewound, .busy, .halfway: .unfinished
        }
    }

    private static func of(_ code: HTTPError.Code) -> ExitStatus {
        switch code {
        case .badURL: .usage
        case .cancelled: .interrupted
        default: .unreachable
        }
    }
}
