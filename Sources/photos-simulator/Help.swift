/// The text of `--help`.
let helpText = """
    photos-simulator: plays Google's sign-in, its token endpoint, Google Photos and Cloud Storage, for tests and demos.

    Where
      --listen ADDRESS          IPv4 address to listen on (default 127.0.0.1)
      --port N                  port; 0, the default, lets the kernel choose
      --tls                     speak TLS; certificate authority and certificate are made in --state
      --state DIR               keys, certificates, credentials (default: a temporary folder)
      --google-names            addresses in answers are Google's own (needs names that lead here, --tls, --port 443)
    Library
      --library DIR             a folder of real photos and videos, read recursively; repeatable
      --synthesize N            N made-up items
      --sizes 1MB-20MB          their sizes
      --video-percent P         how many of a hundred are videos (default 10)
      --quirks LIST             empty-pages, repeat-across-pages, missing-fields, bad-id, empty-results,
                                page-token-expiry, or all
      --scopes removed          the login has only the scope that Google removed on 31 March 2025
      --api-quota N             requests a day to the Library API; default: any number (Google: 10000)
      --media-quota N           requests a day for base URLs; default: any number (Google: 75000)
    Picker (at its own host's name; on a shared port by /v1/sessions and /v1/mediaItems?sessionId=, its page at /picker/)
      --picker-poll-interval S  what sessions ask clients to wait between two questions (default 5)
      --picker-timeout S        for how long after its creation asking for a session makes sense (default 1800)
      --picker-lifetime S       of sessions and of what was picked in them (default 604800)
      --picker-sessions N       sessions that the person may have at once (default 100000)
      --picker-quota N          requests a minute; default: any number (Google: 100000)
      --picker-media-quota N    the same for its base URLs; default: any number (Google: 1000000)
    Accounts
      --testing-app             the app's publishing status is Testing: a warning before consent, only test users get in,
                                and logins end after a week
      --refresh-lifetime S      logins end after so long, in Testing or not
      --web-redirect URI        where codes of the web client may go; repeatable
                                (default http://localhost:8080/oauth2callback)
    Storage
      --bucket NAME             a bucket that exists from the start; repeatable
      --read-only-bucket NAME   the same, but nothing may be written to it
      --storage DIR|hashes      where objects' bytes go, or that only the hashes of those above 64 KiB are kept
                                (default hashes)
      --no-write-limit          allow more than one write a second to one object
      --no-md5                  objects have no MD5; saves most of the simulator's work
    Time
      --token-lifetime S        of access tokens (default 3600)
      --code-lifetime S         of authorization codes (default 600)
      --base-url-lifetime S     of base URLs (default 3600)
      --page-token-lifetime S   of page tokens (default 86400; 30 with the quirk page-token-expiry)
      --session-lifetime S      of upload sessions (default 604800)
      --latency-photos MS       added to each answer of the Photos side
      --latency-storage MS      added to each answer of the storage side
    Faults
      --faults JSON             an array of rules, as POST /control/faults takes them:
                                {"on":"download","do":"status","status":503,"retry_after":2,"rate":0.03}
                                also "nth":[3], "times":n, "after":n, "match":"text", "for_seconds":s,
                                and what else "do" takes: "at":0..1, "factor":0..4, "ms":n, "seconds":s, "body":"text"
                                A page of list or search: false_end (200 with {}), lose_token (no nextPageToken),
                                error_object (200 with an error), no_id (entries without id: "at" of them, or one),
                                no_items (nothing but its nextPageToken),
                                also of get and batchGet: no_kind (nothing that tells a photo from a video)
      --seed N                  decides which requests a rate strikes, and the made-up library (default 1)

    File names steer videos: x.processing-30s.mp4 is PROCESSING for 30 s from the start, x.failed.mp4 is FAILED.
    In --state stand the logins photos-, picker- and storage-user-credentials.json, the service account
    storage-credentials.json, and clients as Google's console offers them: client.json (a desktop app, which has added the
    library's items), other-client.json (another, which sees none of them) and web-client.json. People sign in at
    /o/oauth2/v2/auth as owner@, guest@ or stranger@example.com; the last one is no test user.
    Prints one JSON line when it listens; SIGTERM and SIGINT end it. Its own requests: GET /control/counters, library,
    objects, buckets; POST /control/faults, library/add, reset-counters, new-day, expire-tokens, expire-base-urls,
    expire-page-tokens, revoke-photos-login, rotate-identity-key, identity-token, revoke-logins, refresh-lifetime, library-owner,
    bucket, project, pick, picker, new-minute; GET /control/picker.
      revoke-logins             {"account":EMAIL} and {"client":ID}, together or alone, or {} for all
      identity-token            {"audience":URL,"account":EMAIL} answers {"token":…}, the ID token with which Cloud Scheduler
                                calls for a service account; "fault" spoils it: expired, not_yet_valid, other_audience,
                                other_issuer, unverified_email, other_account, alg_none, hs256, other_key, unknown_kid,
                                cut, no_kid. Its keys are at /oauth2/v3/certs, the operation certs of counters and faults
      refresh-lifetime          {"seconds":S} of logins that begin from now on; null for ever
      library-owner             {"account":EMAIL,"client":ID}: whose the library is; without client, in the one as before
      pick                      {"all":true}, {"count":n,"from":n}, {"ids":[…]} or {"filenames":[…]} of the library, in the
                                newest session or {"session":"id"}; presses Done
      picker                    {"session":"id","expire":true}, or {"account":false}: the person has no Google Photos
      bucket                    {"name":"b","resource":{…}} makes or changes a bucket with all that the JSON API takes; also
                                "bindings":[…], "acl" and "default_object_acl":{"allUsers":"READER"}, "project":"p",
                                "owner":"other", and what the accounts may do: "permissions":[these], "without":[these]
      project                   {"project":"p"} with "permissions", "without", or "unknown":true

    """
