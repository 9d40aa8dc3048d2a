"""Google's own libraries log in at the simulator as they do at the service."""

import json
import pathlib

import google.auth.exceptions
import google.auth.transport.requests
import jwt
import pytest
import requests
from google.oauth2 import id_token
from google_auth_oauthlib.flow import Flow, InstalledAppFlow
from oauthlib.oauth2.rfc6749.errors import InvalidGrantError

from signin import EMAIL, GUEST, LIBRARY, App, Page

SCOPES = ["openid", EMAIL, LIBRARY]


@pytest.fixture(scope="module")
def simulator(spawn):
    return spawn("--synthesize", "3", "--sizes", "10KB", "--tls")


@pytest.fixture
def http(simulator):
    """What google-auth asks by, with trust in the simulator's authority only."""
    session = requests.Session()
    session.verify, session.trust_env = simulator.ca, False
    return google.auth.transport.requests.Request(session)


def started(kind, simulator, file, redirect):
    """A flow from the file that the console offers, with the simulator in place of Google's endpoints."""
    config = json.loads(pathlib.Path(getattr(simulator, file)).read_text())
    for content in config.values():
        content["auth_uri"] = simulator.url + "/o/oauth2/auth"
        content["token_uri"] = simulator.url + "/token"
    return kind.from_client_config(config, SCOPES, redirect_uri=redirect)


def walked(simulator, file, url, state, redirect):
    """The code that a person brings back who ticks all boxes."""
    app = App(simulator, file, redirect, state=state)
    page = Page(app.caller.get(url))
    returned = app.returned(page.press(app.caller, account=GUEST, tick=list(page.boxes)))
    assert returned["state"] == state
    return returned["code"]


@pytest.mark.parametrize(
    ("kind", "file", "redirect"),
    [
        (InstalledAppFlow, "client", "http://localhost:49152/"),
        (Flow, "web_client", "http://localhost:8080/oauth2callback"),
    ],
    ids=["desktop", "web"],
)
def test_a_flow_with_pkce_ends_with_credentials_that_work(simulator, http, kind, file, redirect):
    flow = started(kind, simulator, file, redirect)
    url, state = flow.authorization_url(prompt="consent", include_granted_scopes="true")
    assert "code_challenge_method=S256" in url and "access_type=offline" in url
    flow.fetch_token(code=walked(simulator, file, url, state, redirect), verify=simulator.ca)
    credentials = flow.credentials
    assert credentials.valid and credentials.refresh_token
    assert set(credentials.granted_scopes) == set(SCOPES)
    old = credentials.token
    credentials.refresh(http)
    assert credentials.token != old
    assert simulator.caller(credentials.token).get("/v1/mediaItems").status == 200


def test_a_flow_that_forgot_its_verifier_fails_in_googles_words(simulator):
    redirect = "http://localhost:49152/"
    flow = started(InstalledAppFlow, simulator, "client", redirect)
    url, state = flow.authorization_url()
    code = walked(simulator, "client", url, state, redirect)
    again = started(InstalledAppFlow, simulator, "client", redirect)
    with pytest.raises(InvalidGrantError, match="Missing code verifier."):
        again.fetch_token(code=code, verify=simulator.ca)


def test_google_auth_verifies_who_logged_in_before_and_after_the_key_changes(simulator, http):
    app = App(simulator, scopes=SCOPES)
    certs = simulator.url + "/oauth2/v3/certs"
    first = app.log_in(account=GUEST)["id_token"]
    simulator.control("rotate-identity-key")
    for token in (first, app.log_in(account=GUEST)["id_token"]):
        said = id_token.verify_token(token, http, audience=app.id, certs_url=certs)
        assert (said["sub"], said["email"]) == (simulator.person(GUEST)["sub"], GUEST)
        with pytest.raises(jwt.InvalidAudienceError):
            id_token.verify_token(token, http, audience=App(simulator, "web_client").id, certs_url=certs)


def test_google_auth_says_that_a_revoked_login_is_over(simulator, http):
    redirect = "http://localhost:49152/"
    flow = started(InstalledAppFlow, simulator, "client", redirect)
    url, state = flow.authorization_url(prompt="consent")
    flow.fetch_token(code=walked(simulator, "client", url, state, redirect), verify=simulator.ca)
    simulator.control("revoke-logins", {"account": GUEST})
    with pytest.raises(google.auth.exceptions.RefreshError, match="expired or revoked"):
        flow.credentials.refresh(http)
