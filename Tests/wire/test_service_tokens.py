"""What Cloud Scheduler shows when it calls somebody, and what others show who are not it, as Google's own library judges.

Sources: OidcToken in the Cloud Scheduler REST reference; IAM docs, Create short-lived credentials for a service account;
Google Cloud docs, Authentication: Token types, ID tokens; Google Identity docs, OpenID Connect; RFC 7515, 7517, 7519, 8725.
"""

import base64
import hashlib
import hmac
import json
import time

import google.auth.exceptions
import google.auth.transport.requests
import jwt
import pytest
import requests
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicNumbers
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from google.oauth2 import id_token

from signin import GUEST, App

AUDIENCE = "https://archive.example.com/run"
ACCOUNT = "monthly@simulated-project.iam.gserviceaccount.com"
CERTS = "/oauth2/v3/certs"


@pytest.fixture(scope="module")
def simulator(spawn):
    return spawn("--synthesize", "1", "--sizes", "10KB", "--tls")


@pytest.fixture
def http(simulator):
    """What google-auth asks by, with trust in the simulator's authority only."""
    session = requests.Session()
    session.verify, session.trust_env = simulator.ca, False
    return google.auth.transport.requests.Request(session)


@pytest.fixture
def verify(simulator, http, monkeypatch):
    """Google's own judgement, with the simulator's keys in place of Google's."""
    monkeypatch.setattr(id_token, "_GOOGLE_OAUTH2_CERTS_URL", simulator.url + CERTS)
    return lambda token: id_token.verify_oauth2_token(token, http, AUDIENCE)


def minted(simulator, **wanted):
    return simulator.control("identity-token", {"audience": AUDIENCE, "account": ACCOUNT} | wanted)["token"]


def decoded(text):
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def header(token):
    return json.loads(decoded(token.split(".")[0]))


def claims(token):
    """What it says, believed by nobody."""
    return json.loads(decoded(token.split(".")[1]))


def published(simulator):
    return {key["kid"]: key for key in simulator.caller().get_json(CERTS)["keys"]}


def public_key(key):
    return RSAPublicNumbers(*(int.from_bytes(decoded(key[name])) for name in ("e", "n"))).public_key()


def fetches(simulator):
    return simulator.caller().get_json("/control/counters")["requests"].get("certs", 0)


def test_a_token_says_for_which_account_and_address_the_call_is(simulator, verify):
    # IAM docs, Create short-lived credentials for a service account: Create an OpenID Connect ID token (what one says)
    # Cloud Scheduler REST reference, OidcToken: serviceAccountEmail, audience
    token = minted(simulator)
    said = verify(token)
    assert said == verify(token.encode()) == claims(token)
    assert said.keys() == {"aud", "azp", "email", "email_verified", "exp", "iat", "iss", "sub"}
    assert said["iss"] == "https://accounts.google.com" and said["aud"] == AUDIENCE
    assert said["email"] == ACCOUNT and said["email_verified"] is True
    # Numbers of service accounts have 21 digits (IAM docs, Service accounts overview: unique ID).
    assert said["azp"] == said["sub"] and said["sub"].isdigit() and len(said["sub"]) == 21
    # Google Cloud docs, Token types: an ID token is good for an hour.
    assert said["exp"] - said["iat"] == 3600 and abs(said["iat"] - time.time()) < 60
    assert header(token) == {"alg": "RS256", "kid": list(published(simulator))[-1], "typ": "JWT"}


def test_an_account_keeps_its_number_and_shares_it_with_nobody(simulator):
    # IAM docs, Service accounts overview: the unique ID is never another account's
    numbers = [claims(minted(simulator, account=account))["sub"] for account in (ACCOUNT, ACCOUNT, "x" + ACCOUNT)]
    assert numbers[0] == numbers[1] != numbers[2]


def test_without_an_account_the_token_is_the_key_files_own(simulator):
    file = json.loads(open(simulator.storage_credentials).read())
    said = claims(simulator.control("identity-token", {"audience": AUDIENCE})["token"])
    assert (said["email"], said["sub"]) == (file["client_email"], file["client_id"])


def test_a_token_of_a_person_has_the_same_keys_and_another_audience(simulator, verify):
    # Google Identity docs, OpenID Connect: Validating an ID token (aud is the client's id)
    simulator.control("revoke-logins")
    token = App(simulator).log_in(account=GUEST)["id_token"]
    assert header(token)["kid"] == header(minted(simulator))["kid"]
    with pytest.raises(jwt.InvalidAudienceError):
        verify(token)


@pytest.mark.parametrize(
    ("fault", "error"),
    [
        ("expired", jwt.ExpiredSignatureError),
        ("not_yet_valid", jwt.ImmatureSignatureError),
        ("other_audience", jwt.InvalidAudienceError),
        ("other_issuer", google.auth.exceptions.GoogleAuthError),
        ("alg_none", jwt.InvalidAlgorithmError),
        ("hs256", jwt.InvalidAlgorithmError),
        ("other_key", jwt.InvalidSignatureError),
        ("unknown_kid", jwt.PyJWKClientError),
        ("cut", jwt.InvalidSignatureError),
        ("no_kid", jwt.PyJWKClientError),
    ],
)
def test_google_auth_refuses_what_is_wrong(simulator, verify, fault, error):
    # RFC 7519, 7.2; RFC 8725, 3.1 and 3.2; Google Identity docs, OpenID Connect: Validating an ID token
    with pytest.raises(error) as caught:
        verify(minted(simulator, fault=fault))
    assert type(caught.value) is error
    verify(minted(simulator))


@pytest.mark.parametrize("fault", ["unverified_email", "other_account"])
def test_what_google_auth_takes_is_the_callers_to_judge(simulator, verify, fault):
    # Cloud Scheduler docs, Use authentication with HTTP targets: a target outside Google Cloud checks the token itself;
    # every account of every project can have a token for any audience
    said = verify(minted(simulator, fault=fault))
    wrong = {"unverified_email": "email_verified", "other_account": "email"}[fault]
    right = {"email": ACCOUNT, "email_verified": True}
    assert {name for name, value in right.items() if said[name] != value} == {wrong}
    if fault == "other_account":
        assert said["email"].split("@")[0] == ACCOUNT.split("@")[0]
        assert said["sub"] != claims(minted(simulator))["sub"]


@pytest.mark.parametrize(
    ("fault", "differs"),
    [
        ("expired", {"iat", "exp"}),
        ("not_yet_valid", {"iat", "exp"}),
        ("other_audience", {"aud"}),
        ("other_issuer", {"iss"}),
        ("unverified_email", {"email_verified"}),
        ("other_account", {"email", "sub", "azp"}),
        ("alg_none", set()),
        ("hs256", set()),
        ("other_key", set()),
        ("unknown_kid", set()),
        ("cut", set()),
        ("no_kid", set()),
    ],
)
def test_each_bad_token_is_wrong_in_one_way_only(simulator, fault, differs):
    good, bad = (claims(minted(simulator, **wanted)) for wanted in ({}, {"fault": fault}))
    close = {"iat", "exp"} - differs
    assert all(abs(good[name] - bad[name]) < 60 for name in close)
    assert {name for name in good.keys() - close if good[name] != bad[name]} == differs and good.keys() == bad.keys()
    if fault in ("expired", "not_yet_valid"):
        assert bad["exp"] - bad["iat"] == 3600 and min(abs(bad[name] - time.time()) for name in ("iat", "exp")) > 3000


def test_a_bad_token_would_pass_where_its_fault_is_not_looked_for(simulator):
    key = published(simulator)[header(minted(simulator))["kid"]]
    text = public_key(key).public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    # RFC 8725, 2.1: who lets the token choose, checks an HMAC with the published key's text as its secret.
    token = minted(simulator, fault="hs256")
    signed, mark = token.rsplit(".", 1)
    assert header(token) == {"alg": "HS256", "kid": key["kid"], "typ": "JWT"}
    assert hmac.digest(text, signed.encode(), hashlib.sha256) == decoded(mark)
    # RFC 7519, 6.1: an unsecured JWT ends with its second point.
    token = minted(simulator, fault="alg_none")
    assert header(token)["alg"] == "none" and token.endswith(".") and token.count(".") == 2
    options = {"verify_signature": False, "verify_aud": False}
    assert jwt.decode(token, options=options)["email"] == ACCOUNT
    # Without the header's help, any published key may be tried (RFC 7515, 4.1.4: kid is a hint).
    token = minted(simulator, fault="no_kid")
    assert header(token) == {"alg": "RS256", "typ": "JWT"}
    assert jwt.decode(token, public_key(key), ["RS256"], audience=AUDIENCE)["email"] == ACCOUNT
    assert header(minted(simulator, fault="other_key"))["kid"] == key["kid"]
    assert header(minted(simulator, fault="unknown_kid"))["kid"] not in published(simulator)
    assert claims(minted(simulator, fault="cut"))["email"] == ACCOUNT


def test_what_cannot_be_minted_is_said(simulator):
    for wanted, words in [
        ({}, "audience"),
        ({"audience": ""}, "audience"),
        ({"audience": AUDIENCE, "fault": "odd"}, "unknown_kid"),
        ([], "audience"),
    ]:
        answer = simulator.caller().post_json("/control/identity-token", wanted)
        assert answer.status == 400 and words in answer.json()["error"]["message"], answer


def test_a_key_that_changes_keeps_the_tokens_of_the_one_before(simulator, verify):
    # Google Identity docs, OpenID Connect: Validating an ID token (keys change, and are found by kid)
    old = minted(simulator)
    simulator.control("rotate-identity-key")
    new = minted(simulator)
    assert header(old)["kid"] != header(new)["kid"]
    assert verify(old)["email"] == verify(new)["email"] == ACCOUNT
    simulator.control("rotate-identity-key")
    with pytest.raises(jwt.PyJWKClientError):
        verify(old)
    verify(new)


def test_fetches_of_the_keys_are_counted_and_can_be_made_to_fail(simulator, verify):
    token = minted(simulator)
    before = fetches(simulator)
    verify(token)
    assert fetches(simulator) == before + 1
    with simulator.faults({"on": "certs", "do": "status", "status": 503}):
        with pytest.raises(google.auth.exceptions.TransportError):
            verify(token)
    with simulator.faults({"on": "certs", "do": "reset"}):
        with pytest.raises(google.auth.exceptions.TransportError):
            verify(token)
    assert fetches(simulator) == before + 3
    verify(token)


def test_keys_may_be_kept_for_five_to_six_hours_and_nobody_knows_how_long(simulator):
    # Google Identity docs, OpenID Connect: Validating an ID token (cache the keys as the Cache-Control header says)
    ages = set()
    for _ in range(10):
        answer = simulator.caller().get(CERTS)
        words = [word.strip() for word in answer.header("Cache-Control").split(",")]
        assert words[0] == "public" and words[2:] == ["must-revalidate", "no-transform"]
        ages.add(int(words[1].removeprefix("max-age=")))
    assert len(ages) > 1 and all(5 * 3600 <= age <= 6 * 3600 for age in ages)
