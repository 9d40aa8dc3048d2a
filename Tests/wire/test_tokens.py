"""OAuth 2.0: access tokens, what they open, and how they end."""

from urllib.parse import urlencode

PHOTOS_SCOPE = "https://www.googleapis.com/auth/photoslibrary.readonly.appcreateddata"


def test_a_refresh_token_gives_an_access_token_and_no_new_refresh_token(samples):
    # Google Identity docs, OAuth 2.0 for Mobile & Desktop Apps: Refreshing an access token
    granted = samples.refresh("photos").json()
    assert granted["access_token"]
    assert granted["token_type"] == "Bearer"
    assert 0 < granted["expires_in"] <= 3600
    assert PHOTOS_SCOPE in granted["scope"].split()
    assert "refresh_token" not in granted


def test_a_revoked_refresh_token_is_an_invalid_grant(samples):
    # Google Identity docs, Using OAuth 2.0 to Access Google APIs: Refresh token expiration
    answer = samples.refresh("photos", refresh_token="1//revoked")
    assert answer.status == 400
    assert answer.json()["error"] == "invalid_grant"
    assert answer.json()["error_description"]


def test_a_wrong_client_secret_is_an_invalid_client(samples):
    # RFC 6749, 5.2 Error Response
    answer = samples.refresh("photos", client_secret="wrong")
    assert answer.status == 401
    assert answer.json()["error"] == "invalid_client"


def test_an_unknown_kind_of_grant_is_refused(samples):
    # RFC 6749, 5.2 Error Response
    answer = samples.refresh("photos", grant_type="password")
    assert answer.status == 400
    assert answer.json()["error"] == "unsupported_grant_type"


def test_the_token_endpoint_reads_forms_and_not_query_strings(samples):
    # RFC 6749, 6. Refreshing an Access Token: parameters are in the request body
    file = samples.credentials("photos")
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
    answer = samples.caller(samples.token("storage")).get("/v1/mediaItems")
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
