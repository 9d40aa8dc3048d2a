"""What an authorization code gives, to whom, how often and how long."""

import base64
from concurrent.futures import ThreadPoolExecutor

import pytest

from signin import LIBRARY, OWNER, App


def denied(answer, error, description=None, status=400):
    assert answer.status == status, answer
    assert answer.json()["error"] == error, answer
    assert description is None or answer.json()["error_description"] == description, answer


def test_a_code_gives_tokens(app):
    # Google Identity docs, OAuth 2.0 for Mobile & Desktop Apps: Exchange authorization code for refresh and access tokens
    answer = app.exchange(app.code())
    tokens = answer.json()
    assert answer.status == 200
    assert "no-store" in answer.header("Cache-Control")
    assert tokens["expires_in"] == 3599
    assert tokens["token_type"] == "Bearer"
    assert set(tokens["scope"].split(" ")) == {"openid", LIBRARY}
    assert tokens["refresh_token"].startswith("1//0")
    assert tokens["id_token"].count(".") == 2
    assert "refresh_token_expires_in" not in tokens
    assert app.opens(tokens["access_token"]) == 200
    assert app.refresh(tokens["refresh_token"]).status == 200


def test_without_a_scope_that_tells_who_there_is_no_id_token(app):
    # OpenID Connect Core, 3.1.2.1: openid
    app.scopes = (LIBRARY,)
    assert "id_token" not in app.exchange(app.code()).json()


def test_a_refresh_token_comes_for_offline_access_only(app):
    # Google Identity docs, Using OAuth 2.0 for Web Server Applications: access_type
    for kind in ("online", None):
        assert "refresh_token" not in app.exchange(app.code(access_type=kind, prompt="consent")).json()
    assert "refresh_token" in app.exchange(app.code()).json()


def test_a_refresh_token_comes_the_first_time_and_then_only_where_consent_is_asked_again(app):
    # Google Identity docs, Using OAuth 2.0 for Web Server Applications: only on the first authorization; prompt=consent
    assert "refresh_token" in app.exchange(app.code()).json()
    assert "refresh_token" not in app.exchange(app.code()).json()
    assert "refresh_token" not in app.exchange(app.code(prompt="select_account")).json()
    assert "refresh_token" in app.exchange(app.code(prompt="consent")).json()
    other = App(app.simulator, "other_client")
    assert "refresh_token" in other.exchange(other.code()).json()


def test_a_code_is_good_once_and_takes_back_what_it_gave_when_it_comes_again(app):
    # RFC 6749, 4.1.2: the code must not be used more than once; tokens issued for it should be revoked
    before = app.simulator.counted().get("codes_reused", 0)
    kept = app.log_in()
    code = app.code(prompt="consent")
    tokens = app.exchange(code).json()
    renewed = app.refresh(tokens["refresh_token"]).json()["access_token"]
    assert [app.opens(token) for token in (tokens["access_token"], renewed)] == [200, 200]
    denied(app.exchange(code), "invalid_grant", "Bad Request")
    assert [app.opens(token) for token in (tokens["access_token"], renewed)] == [401, 401]
    denied(app.refresh(tokens["refresh_token"]), "invalid_grant", "Token has been expired or revoked.")
    # What another code gave lives on.
    assert app.opens(kept["access_token"]) == 200 and app.refresh(kept["refresh_token"]).status == 200
    assert app.simulator.counted()["codes_reused"] == before + 1


def test_of_many_exchanges_at_once_one_succeeds(app):
    # RFC 6749, 4.1.2
    code = app.code()
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda _: app.exchange(code), range(8)))
    assert sorted(answer.status for answer in answers) == [200] + [400] * 7
    (tokens,) = [answer.json() for answer in answers if answer.status == 200]
    assert app.opens(tokens["access_token"]) == 401


def test_a_code_that_is_over_is_an_invalid_grant(spawn):
    # RFC 6749, 4.1.2: a maximum lifetime of ten minutes is recommended
    app = App(spawn("--code-lifetime", "0"))
    denied(app.exchange(app.code()), "invalid_grant", "Bad Request")


@pytest.mark.parametrize("code", ["nonsense", "4/0Ashort", "4%2F0A" + "x" * 72, "4/0A" + " " * 72])
def test_what_cannot_be_a_code_is_malformed(app, code):
    # Google's words where a code was encoded twice, cut, or never decoded
    denied(app.exchange(code), "invalid_grant", "Malformed auth code.")


def test_a_code_that_was_never_given_is_an_invalid_grant(app):
    # RFC 6749, 5.2: invalid_grant
    denied(app.exchange("4/0A" + "x" * 72), "invalid_grant", "Bad Request")


def test_a_code_is_bound_to_its_client(app):
    # RFC 6749, 4.1.3: ensure that the code was issued to the authenticated client
    code = app.code()
    other = App(app.simulator, "other_client", verifier=app.verifier)
    denied(other.exchange(code), "invalid_grant", "Bad Request")
    assert app.exchange(code).status == 200


def test_a_code_is_bound_to_its_address_to_the_letter(app):
    # RFC 6749, 4.1.3: redirect_uri must be identical
    code = app.code()
    for address in (app.redirect + "/", app.redirect.replace("127.0.0.1", "localhost"), "http://127.0.0.1:51234/"):
        denied(app.exchange(code, redirect_uri=address), "redirect_uri_mismatch", "Bad Request")
    assert app.exchange(code).status == 200


def test_a_code_is_bound_to_its_challenge(app):
    # RFC 7636, 4.6 Server Verifies code_verifier before Returning the Tokens
    code = app.code()
    denied(app.exchange(code, code_verifier=None), "invalid_grant", "Missing code verifier.")
    challenge = app.query()["code_challenge"]
    for wrong in (app.verifier[:-1] + "~", challenge, "", "x"):
        denied(app.exchange(code, code_verifier=wrong), "invalid_grant", "Invalid code verifier.")
    assert app.exchange(code).status == 200


def test_a_plain_challenge_is_the_verifier_itself(app):
    # RFC 7636, 4.3: the method is plain if it is not said
    for method in ("plain", None):
        for length in (43, 128):
            app.verifier = "~" + "v" * (length - 1)
            code = app.code(code_challenge=app.verifier, code_challenge_method=method)
            denied(app.exchange(code, code_verifier=app.verifier[:-1] + "x"), "invalid_grant", "Invalid code verifier.")
            assert app.exchange(code).status == 200


def test_a_verifier_without_a_challenge_is_refused(app):
    # Google's words, as libraries report them
    code = app.code(code_challenge=None, code_challenge_method=None)
    denied(app.exchange(code), "invalid_grant", "code_verifier or verifier is not needed.")
    assert app.exchange(code, code_verifier=None).status == 200


def test_a_client_proves_who_it_is_even_on_a_desktop(app):
    # Google Identity docs, OAuth 2.0 for Mobile & Desktop Apps: client_secret; RFC 6749, 5.2: invalid_client
    code = app.code()
    denied(app.exchange(code, client_secret=None), "invalid_request", "client_secret is missing.")
    denied(app.exchange(code, client_secret="wrong"), "invalid_client", status=401)
    denied(app.exchange(code, client_id="unknown"), "invalid_client", "The OAuth client was not found.", status=401)
    assert app.exchange(code).status == 200


def test_a_client_may_prove_it_in_a_header(app):
    # RFC 6749, 2.3.1 Client Password
    nothing = {"client_id": None, "client_secret": None}

    def basic(secret):
        return {"Authorization": "Basic " + base64.b64encode(f"{app.id}:{secret}".encode()).decode()}

    code = app.code()
    denied(app.exchange(code, basic("wrong"), **nothing), "invalid_client", status=401)
    assert app.exchange(code, basic(app.registered["client_secret"]), **nothing).status == 200


@pytest.mark.parametrize("name", ["grant_type", "code", "redirect_uri", "client_id"])
def test_what_an_exchange_lacks_is_named(app, name):
    # RFC 6749, 4.1.3 Access Token Request
    answer = app.exchange(app.code(), **{name: None})
    denied(answer, "invalid_request", f"Missing required parameter: {name}")


def test_an_outage_of_the_endpoint_spends_no_code(app):
    # Google's client for Python tries again on 408, 429, 500, 503 and 504
    code = app.code()
    rules = (
        {"on": "token", "do": "status", "status": 503, "nth": [1]},
        {"on": "token", "do": "status", "status": 429, "retry_after": 7, "nth": [2]},
        {"on": "token", "do": "latency", "ms": 300, "nth": [3]},
    )
    with app.simulator.faults(*rules):
        assert app.exchange(code).status == 503
        busy = app.exchange(code)
        assert (busy.status, busy.header("Retry-After")) == (429, "7")
        assert app.exchange(code).status == 200
        struck = [fault["struck"] for fault in app.caller.get_json("/control/counters")["faults"]]
    assert struck == [1, 1, 1]


def test_an_answer_that_is_lost_has_spent_the_code(app):
    # RFC 6749, 4.1.2: who asks again with the same code gets nothing, and loses what it never saw
    code = app.code()
    with app.simulator.faults({"on": "token", "do": "lose_answer", "times": 1}):
        with pytest.raises(ConnectionError):
            app.exchange(code)
        assert app.caller.get_json("/control/counters")["faults"][0]["struck"] == 1
    denied(app.exchange(code), "invalid_grant", "Bad Request")


def test_exchanges_and_refreshes_are_counted_by_what_came_of_them(app):
    before = app.simulator.counted()
    tokens = app.log_in(account=OWNER)
    app.exchange("nonsense")
    app.exchange("nonsense", client_secret="wrong")
    app.refresh(tokens["refresh_token"])
    app.refresh("1//unknown")
    after = app.simulator.counted()
    grown = {name: count - before.get(name, 0) for name, count in after.items() if count != before.get(name, 0)}
    assert grown == {
        "consent_pages": 1,
        "codes": 1,
        "exchange.ok": 1,
        "exchange.invalid_grant": 1,
        "exchange.invalid_client": 1,
        "refresh.ok": 1,
        "refresh.invalid_grant": 1,
    }
