"""OAuth 2.0: access tokens, what they open, and how they end."""

import time
from urllib.parse import urlencode

PHOTOS_SCOPE = "https://www.googleapis.com/auth/photoslibrary.readonly.appcreateddata"


def test_a_refresh_token_gives_an_access_token_and_no_new_refresh_token(samples):
    # Google Identity docs, OAuth 2.0 for Mobile & Desktop Apps: Refreshing an access token
    granted = samples.refresh().json()
    assert granted["access_token"]
    assert granted["token_type"] == "Bearer"
    assert 0 < granted["expires_in"] <= 3600
    assert PHOTOS_SCOPE in granted["scope"].split()
    assert "refresh_token" not in granted


def test_a_revoked_refresh_token_is_an_invalid_grant(samples):
    # Google Identity docs, Using OAuth 2.0 to Access Google APIs: Refresh token expiration
    answer = samples.refresh(refresh_token="1//revoked")
    assert answer.status == 400
    assert answer.json()["error"] == "invalid_grant"
    assert answer.json()["error_description"]


def test_a_wrong_client_secret_is_an_invalid_client(samples):
    # RFC 6749, 5.2 Error Response
    answer = samples.refresh(client_secret="wrong")
    assert answer.status == 401
    assert answer.json()["error"] == "invalid_client"


def test_an_unknown_kind_of_grant_is_refused(samples):
    # RFC 6749, 5.2 Error Response
    answer = samples.refresh(grant_type="password")
    assert answer.status == 400
    assert answer.json()["error"] == "unsupported_grant_type"


def test_the_token_endpoint_reads_forms_and_not_query_strings(samples):
    # RFC 6749, 6. Refreshing an Access Token: parameters are in the request body
    file = samples.user()
    query = urlencode({key: file[key] for key in ("client_id", "client_secret", "refresh_token")})
    answer = samples.caller().send("POST", f"/token?grant_type=refresh_token&{query}", b"")
    assert answer.status == 400


def test_the_library_answers_401_without_a_token_and_with_an_unknown_one(samples):
    # Google Cloud API design guide, Errors: UNAUTHENTICATED is HTTP 401
    for token in (None, "unknown"):
        answer = samples.caller(token).get("/v1/mediaItems")
        assert answer.status == 401
        assert answer.json()["error"]["code"] == 401
        assert answer.json()["error"]["status"] == "UNAUTHENTICATED"


def test_a_token_without_the_scope_of_the_library_is_a_403_that_says_so(samples):
    # Google Photos APIs updates, 31 March 2025: removed scopes answer 403 PERMISSION_DENIED
    answer = samples.caller(samples.storage_token()).get("/v1/mediaItems")
    assert answer.status == 403
    error = answer.json()["error"]
    assert error["code"] == 403
    assert error["status"] == "PERMISSION_DENIED"
    assert error["message"] == "Request had insufficient authentication scopes."


def test_the_bucket_answers_401_without_a_token_and_with_an_unknown_one(samples):
    # Cloud Storage docs, HTTP status and error codes for JSON: 401 Unauthorized
    for token in (None, "unknown"):
        answer = samples.caller(token).get("/storage/v1/b/archive/o")
        assert answer.status == 401
        assert answer.json()["error"]["code"] == 401


def test_a_token_for_photos_does_not_open_the_bucket(samples):
    # Cloud Storage docs, OAuth 2.0 scopes
    answer = samples.photos().get("/storage/v1/b/archive/o")
    assert answer.status == 403
    assert answer.json()["error"]["code"] == 403


def test_a_signed_jwt_gives_a_service_account_its_token(samples):
    # Google Identity docs, Using OAuth 2.0 for Server to Server Applications: Making the access token request
    granted = samples.grant(samples.assertion()).json()
    assert granted["access_token"] and granted["token_type"] == "Bearer"
    assert 0 < granted["expires_in"] <= 3600


def test_a_jwt_that_is_over_or_meant_for_somebody_else_is_an_invalid_grant(samples):
    # Google Identity docs, Using OAuth 2.0 for Server to Server Applications: JWT error codes
    hour_ago = int(time.time()) - 3700
    for changed in (
        {"iat": hour_ago - 3600, "exp": hour_ago},
        {"aud": "https://example.com/token"},
        {"iss": "somebody@else.iam.gserviceaccount.com"},
    ):
        answer = samples.grant(samples.assertion(**changed))
        assert answer.status == 400, changed
        assert answer.json()["error"] == "invalid_grant", changed


def test_a_jwt_whose_signature_does_not_fit_is_an_invalid_grant(samples):
    # Google Identity docs, Using OAuth 2.0 for Server to Server Applications: JWT error codes
    first, claims, signature = samples.assertion().split(".")
    other = samples.assertion(scope="https://www.googleapis.com/auth/cloud-platform").split(".")[1]
    assert samples.grant(f"{first}.{other}.{signature}").json()["error"] == "invalid_grant"


def test_an_expired_token_is_a_401_and_a_new_one_works(fragile):
    # Google Identity docs, Using OAuth 2.0 to Access Google APIs: access tokens have limited lifetimes
    photos, bucket = fragile.photos(), fragile.bucket()
    assert photos.get("/v1/mediaItems").status == 200
    fragile.control("expire-tokens")
    assert photos.get("/v1/mediaItems").status == 401
    assert bucket.caller.get("/storage/v1/b/archive/o").status == 401
    assert fragile.photos().get("/v1/mediaItems").status == 200


def test_a_login_from_before_the_change_of_scopes_gets_403(spawn):
    # Google Photos APIs updates, 31 March 2025: photoslibrary.readonly alone opens nothing any more
    before = spawn("--synthesize", "1", "--sizes", "10KB", "--scopes", "removed")
    answer = before.photos().get("/v1/mediaItems")
    assert answer.status == 403
    assert answer.json()["error"]["message"] == "Request had insufficient authentication scopes."


def test_a_revoked_login_is_an_invalid_grant(spawn):
    # Google Identity docs, OAuth 2.0 for Mobile & Desktop Apps: Revoking a token
    owner = spawn("--synthesize", "1", "--sizes", "10KB")
    assert owner.refresh().status == 200
    owner.control("revoke-photos-login")
    answer = owner.refresh()
    assert answer.status == 400
    assert answer.json() == {"error": "invalid_grant", "error_description": "Token has been expired or revoked."}
