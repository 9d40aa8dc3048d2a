"""How long a login lives, whose it is, what it opens, and how it is taken back."""

import json
import pathlib
import time

import pytest

from signin import EMAIL, GUEST, LIBRARY, OWNER, App


def is_dead(app, token):
    answer = app.refresh(token)
    if answer.status == 200:
        return False
    assert answer.status == 400, answer
    assert answer.json() == {"error": "invalid_grant", "error_description": "Token has been expired or revoked."}
    return True


def test_a_client_is_written_as_the_console_offers_it(issuer):
    # Google Identity docs, OAuth 2.0 for Mobile & Desktop Apps: client_secret.json
    for file, kind in (("client", "installed"), ("other_client", "installed"), ("web_client", "web")):
        path = pathlib.Path(getattr(issuer, file))
        ((key, content),) = json.loads(path.read_text()).items()
        assert key == kind
        assert path.stat().st_mode & 0o777 == 0o600
        assert content.keys() == {
            "client_id",
            "project_id",
            "auth_uri",
            "token_uri",
            "auth_provider_x509_cert_url",
            "client_secret",
            "redirect_uris",
        }
        assert content["client_id"].endswith(".apps.googleusercontent.com")
        assert content["auth_uri"] == "https://accounts.google.com/o/oauth2/auth"
        assert content["token_uri"] == "https://oauth2.googleapis.com/token"
    assert App(issuer).registered["redirect_uris"] == ["http://localhost"]
    assert App(issuer).id == issuer.user()["client_id"]
    assert len({App(issuer, file).id for file in ("client", "other_client", "web_client")}) == 3


def test_an_app_in_testing_has_logins_of_a_week(unverified):
    # Google Identity docs, Using OAuth 2.0 to Access Google APIs: Refresh token expiration
    app = App(unverified)
    tokens = app.log_in()
    assert tokens["refresh_token_expires_in"] == 604799
    assert 604000 < app.refresh(tokens["refresh_token"]).json()["refresh_token_expires_in"] <= 604799
    assert "refresh_token" not in app.refresh(tokens["refresh_token"]).json()


def test_a_login_that_only_tells_who_somebody_is_has_no_end(unverified):
    # Google Identity docs, Refresh token expiration: unless the only scopes are name, email address and user profile
    app = App(unverified, scopes=("openid", "email", "profile"))
    assert "refresh_token_expires_in" not in app.log_in()


def test_a_login_ends_by_itself_when_its_time_is_over(app):
    # Google Identity docs, Refresh token expiration
    app.simulator.control("refresh-lifetime", {"seconds": 3600})
    try:
        long = app.log_in()
        assert long["refresh_token_expires_in"] == 3599
        app.simulator.control("refresh-lifetime", {"seconds": 0.5})
        short = app.log_in()
        end = time.monotonic() + 60
        while not is_dead(app, short["refresh_token"]):
            assert time.monotonic() < end, "the login did not end"
            time.sleep(0.1)
        # Its access token has its own hour, and other logins go on.
        assert app.opens(short["access_token"]) == 200
        assert not is_dead(app, long["refresh_token"])
    finally:
        app.simulator.control("refresh-lifetime", {"seconds": None})
    assert "refresh_token_expires_in" not in app.log_in()


def test_the_lifetime_of_logins_is_a_flag_as_well(spawn):
    app = App(spawn("--testing-app", "--refresh-lifetime", "0"))
    tokens = app.log_in()
    assert tokens["refresh_token_expires_in"] == 1
    assert is_dead(app, tokens["refresh_token"])


def test_of_more_than_a_hundred_logins_the_oldest_dies_silently(app):
    # Google Identity docs, Refresh token expiration: 100 refresh tokens per Google Account per OAuth 2.0 client ID
    before = app.simulator.counted().get("refresh_tokens_evicted", 0)
    guest = app.log_in(account=GUEST)
    first, second = app.log_in(), app.log_in()
    for _ in range(98):
        last = app.log_in()
    assert not is_dead(app, first["refresh_token"])
    assert app.simulator.counted().get("refresh_tokens_evicted", 0) == before
    newest = app.log_in()
    assert is_dead(app, first["refresh_token"])
    assert [is_dead(app, login["refresh_token"]) for login in (second, last, newest, guest)] == [False] * 4
    assert app.simulator.counted()["refresh_tokens_evicted"] == before + 1


@pytest.mark.parametrize("kind", ["refresh_token", "access_token"])
def test_with_one_token_all_of_that_person_and_client_are_revoked(app, kind):
    # Google Identity docs, OAuth 2.0 for Mobile & Desktop Apps: Revoking a token
    others = App(app.simulator, "other_client")
    mine, again, guests, other = app.log_in(), app.log_in(), app.log_in(account=GUEST), others.log_in()
    answer = app.caller.post_form("/revoke", {"token": mine[kind]})
    assert answer.status == 200 and answer.json() == {}
    for login in (mine, again):
        assert is_dead(app, login["refresh_token"])
        assert app.opens(login["access_token"]) == 401
    assert not is_dead(app, guests["refresh_token"]) and app.opens(guests["access_token"]) == 200
    assert not is_dead(others, other["refresh_token"]) and app.opens(other["access_token"]) == 200
    # The consent is gone as well: the next one is a first one.
    assert app.returned(app.ask(prompt="none", login_hint=OWNER))["error"] == "interaction_required"
    assert "refresh_token" in app.exchange(app.code()).json()


def test_a_token_that_is_none_cannot_be_revoked(app):
    # RFC 7009 has 200 here; Google answers 400
    tokens = app.log_in()
    assert app.caller.post_form("/revoke", {"token": tokens["refresh_token"]}).status == 200
    for token in ("unknown", tokens["refresh_token"], tokens["access_token"]):
        answer = app.caller.post_form("/revoke", {"token": token})
        assert answer.status == 400 and answer.json()["error"] == "invalid_token"
    assert app.caller.post_form("/revoke", {}).json()["error"] == "invalid_request"


def test_the_service_accounts_token_is_revoked_alone(app):
    mine, tokens = app.simulator.storage_token(), app.log_in()
    assert app.caller.post_form("/revoke", {"token": mine}).json() == {}
    assert app.simulator.caller(mine).get("/storage/v1/b/archive/o").status == 401
    assert app.opens(tokens["access_token"]) == 200


def test_a_person_takes_everything_back_in_the_account_settings(app):
    # Google Account help, Manage connections between your Google Account and third parties
    before = app.simulator.counted().get("revoke.ok", 0)
    others = App(app.simulator, "other_client")
    mine, guests, other = app.log_in(), app.log_in(account=GUEST), others.log_in()
    app.simulator.control("revoke-logins", {"account": OWNER, "client": app.id})
    assert is_dead(app, mine["refresh_token"]) and app.opens(mine["access_token"]) == 401
    assert not is_dead(app, guests["refresh_token"]) and not is_dead(others, other["refresh_token"])
    app.simulator.control("revoke-logins", {"client": others.id})
    assert is_dead(others, other["refresh_token"]) and not is_dead(app, guests["refresh_token"])
    assert app.caller.post_json("/control/revoke-logins", {"account": "nobody@example.com"}).status == 400
    assert app.simulator.counted().get("revoke.ok", 0) == before


def test_a_refresh_token_is_bound_to_its_client(app):
    # RFC 6749, 10.4 Refresh Tokens
    tokens = app.log_in()
    assert is_dead(App(app.simulator, "other_client"), tokens["refresh_token"])
    assert not is_dead(app, tokens["refresh_token"])


def test_expired_access_tokens_come_back_by_refresh(app):
    # Google Identity docs, OAuth 2.0 for Mobile & Desktop Apps: Refreshing an access token
    tokens = app.log_in()
    app.simulator.control("expire-tokens")
    assert app.opens(tokens["access_token"]) == 401
    assert app.opens(app.refresh(tokens["refresh_token"]).json()["access_token"]) == 200


def test_tokeninfo_says_whose_and_what_for(app):
    # Google Identity docs, OAuth 2.0 for client-side web applications: validating the access token
    app.scopes = ("email", LIBRARY)
    tokens = app.log_in(account=GUEST)
    info = app.caller.get_json("/tokeninfo?access_token=" + tokens["access_token"])
    assert info["aud"] == info["azp"] == app.id
    assert info["sub"] == app.simulator.person(GUEST)["sub"]
    assert set(info["scope"].split(" ")) == {"openid", EMAIL, LIBRARY}
    assert 3500 < int(info["expires_in"]) <= 3600 and isinstance(info["expires_in"], str)
    assert abs(int(info["exp"]) - time.time() - int(info["expires_in"])) < 60
    assert (info["email"], info["email_verified"], info["access_type"]) == (GUEST, "true", "offline")


def test_tokeninfo_tells_nobodys_name_without_a_scope_for_it(app):
    app.scopes = (LIBRARY,)
    token = app.exchange(app.code(access_type=None)).json()["access_token"]
    info = app.caller.get_json("/tokeninfo?access_token=" + token)
    assert "sub" not in info and "email" not in info
    assert info["scope"] == LIBRARY and info["access_type"] == "online"


def test_tokeninfo_of_no_token_is_an_invalid_value(app):
    # Google's words, as libraries report them
    tokens = app.log_in()
    app.caller.post_form("/revoke", {"token": tokens["access_token"]})
    for query in ("", "?access_token=", "?access_token=unknown", "?access_token=" + tokens["access_token"]):
        answer = app.caller.get("/tokeninfo" + query)
        assert answer.status == 400 and answer.json() == {"error_description": "Invalid Value"}


def items(app, token):
    return app.simulator.caller(token).get_json("/v1/mediaItems")


def test_the_library_shows_items_to_their_owner_in_the_client_that_added_them(app):
    # Google Photos docs, Configure your app: resources can only be accessed using the same client ID
    mine = items(app, app.log_in()["access_token"])
    assert len(mine["mediaItems"]) == 3
    web = App(app.simulator, "web_client", "http://localhost:8080/oauth2callback")
    strangers = [
        app.log_in(account=GUEST)["access_token"],
        App(app.simulator, "other_client").log_in()["access_token"],
        web.log_in()["access_token"],
    ]
    first = mine["mediaItems"][0]["id"]
    for token in strangers:
        caller = app.simulator.caller(token)
        assert caller.get_json("/v1/mediaItems") == {}
        assert caller.post_json("/v1/mediaItems:search", {}).json() == {}
        assert caller.get("/v1/mediaItems/" + first).status == 404
        batch = caller.get_json("/v1/mediaItems:batchGet?mediaItemIds=" + first)
        assert batch["mediaItemResults"][0]["status"]["code"] == 5


def test_the_library_may_belong_to_somebody_else(app):
    other = App(app.simulator, "other_client")
    mine, guests = app.log_in()["access_token"], other.log_in(account=GUEST)["access_token"]
    app.simulator.control("library-owner", {"account": GUEST, "client": other.id})
    try:
        assert items(app, mine) == {} and len(items(app, guests)["mediaItems"]) == 3
    finally:
        app.simulator.control("library-owner", {"account": OWNER, "client": app.id})
    assert len(items(app, mine)["mediaItems"]) == 3 and items(app, guests) == {}
    assert app.caller.post_json("/control/library-owner", {"account": "nobody@example.com"}).status == 400
