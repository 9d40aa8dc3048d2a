"""Who somebody is: ID tokens, and the keys that verify them."""

import base64
import hashlib
import json
import time

import pytest
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicNumbers

from signin import GUEST, LIBRARY, OWNER, App


def decoded(text):
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def keys(app):
    answer = app.caller.get("/oauth2/v3/certs")
    assert answer.status == 200, answer
    return {key["kid"]: key for key in answer.json()["keys"]}


def claims(token, key):
    """What a token says, once its signature was checked with this key and no other help."""
    head, body, signature = token.split(".")
    assert json.loads(decoded(head)) == {"alg": "RS256", "kid": key["kid"], "typ": "JWT"}
    numbers = [int.from_bytes(decoded(key[name])) for name in ("e", "n")]
    RSAPublicNumbers(*numbers).public_key().verify(
        decoded(signature), f"{head}.{body}".encode(), PKCS1v15(), hashes.SHA256()
    )
    return json.loads(decoded(body))


def kid(token):
    return json.loads(decoded(token.split(".")[0]))["kid"]


def test_keys_are_published_and_may_be_kept_for_a_while(app):
    # RFC 7517, 4 and 5; Google Identity docs, OpenID Connect: Validating an ID token
    answer = app.caller.get("/oauth2/v3/certs")
    words = [word.strip() for word in answer.header("Cache-Control").split(",")]
    (age,) = [int(word.removeprefix("max-age=")) for word in words if word.startswith("max-age=")]
    assert "public" in words and 5 * 3600 <= age <= 6 * 3600
    for key in answer.json()["keys"]:
        assert (key["kty"], key["alg"], key["use"], key["e"]) == ("RSA", "RS256", "sig", "AQAB")
        assert len(decoded(key["n"])) == 256 and len(key["kid"]) == 40


def test_a_token_says_who_logged_in_to_whom(app):
    # Google Identity docs, OpenID Connect: An ID token's payload
    app.scopes = ("openid", "email", "profile", LIBRARY)
    tokens = app.log_in(account=GUEST, nonce="n-0S6_WzA2Mj")
    said = claims(tokens["id_token"], keys(app)[kid(tokens["id_token"])])
    assert said["iss"] == "https://accounts.google.com"
    assert said["aud"] == said["azp"] == app.id
    assert said["sub"] == app.simulator.person(GUEST)["sub"]
    assert (said["email"], said["email_verified"], said["name"]) == (GUEST, True, "Gil Guest")
    assert said["nonce"] == "n-0S6_WzA2Mj"
    assert said["exp"] - said["iat"] == 3600 and abs(said["iat"] - time.time()) < 60
    half = hashlib.sha256(tokens["access_token"].encode()).digest()[:16]
    assert said["at_hash"] == base64.urlsafe_b64encode(half).decode().rstrip("=")


def test_a_token_tells_no_more_than_was_allowed(app):
    # Google Identity docs, OpenID Connect: email is there only with the scope for it
    said = claims((token := app.log_in()["id_token"]), keys(app)[kid(token)])
    assert said["sub"] == app.simulator.person(OWNER)["sub"]
    assert not {"email", "email_verified", "name", "nonce"} & said.keys()


def test_people_differ_by_their_numbers(app):
    subjects = [person["sub"] for person in app.simulator.accounts]
    assert len(set(subjects)) == 3 and all(subject.isdigit() for subject in subjects)


def test_a_refresh_gives_a_token_of_the_same_person(app):
    # OpenID Connect Core, 12.2: sub and aud must be the same
    tokens = app.log_in(account=GUEST)
    token = app.refresh(tokens["refresh_token"]).json()["id_token"]
    said = claims(token, keys(app)[kid(token)])
    assert (said["sub"], said["aud"]) == (app.simulator.person(GUEST)["sub"], app.id)


def test_the_login_that_was_there_from_the_start_is_the_owners(app, spawn):
    google = spawn("--synthesize", "1", "--sizes", "10KB")
    token = google.refresh().json()["id_token"]
    assert claims(token, keys(App(google))[kid(token)])["sub"] == google.person(OWNER)["sub"]


def test_a_token_that_was_changed_does_not_verify(app):
    token = app.log_in()["id_token"]
    head, body, signature = token.split(".")
    other = json.loads(decoded(body)) | {"sub": app.simulator.person(GUEST)["sub"]}
    forged = base64.urlsafe_b64encode(json.dumps(other).encode()).decode().rstrip("=")
    with pytest.raises(InvalidSignature):
        claims(f"{head}.{forged}.{signature}", keys(app)[kid(token)])


def test_keys_change_and_the_one_before_stays_for_a_while(app):
    # Google Identity docs, OpenID Connect: keys change regularly, and are found by kid
    old = app.log_in()["id_token"]
    app.simulator.control("rotate-identity-key")
    new = app.log_in()["id_token"]
    published = keys(app)
    assert kid(old) != kid(new) and list(published) == [kid(old), kid(new)]
    claims(old, published[kid(old)])
    claims(new, published[kid(new)])
    with pytest.raises(InvalidSignature):
        claims(new, published[kid(old)] | {"kid": kid(new)})
    app.simulator.control("rotate-identity-key")
    assert kid(old) not in keys(app) and kid(new) in keys(app) and len(keys(app)) == 2
