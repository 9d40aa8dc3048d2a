"""Where people say what an app may do: what is refused there, what they see, and where the browser goes then."""

import urllib.parse

import pytest

from signin import EMAIL, GUEST, LIBRARY, OWNER, PICKER, PREFIX, STRANGER, App, Page, refused


def test_an_unknown_client_is_a_page_and_no_redirect(app):
    # RFC 6749, 4.1.2.1: no redirect where the client is invalid; Google's page: Error 401: invalid_client
    assert "not found" in refused(app.ask(client_id="1-no.apps.googleusercontent.com"), 401, "invalid_client")


@pytest.mark.parametrize(
    "address",
    [
        "http://127.0.0.1:1/",
        "http://127.0.0.1:65535",
        "http://localhost:54321/",
        "http://localhost",
        "http://[::1]:54321/any/path",
        "http://127.0.0.1:54321/callback?own=1",
    ],
)
def test_codes_of_a_desktop_app_go_to_any_port_and_path_of_this_machine(app, address):
    # RFC 8252, 7.3 Loopback Interface Redirection; Google Identity docs, Loopback IP Address flow migration guide
    app.redirect = address
    assert "code" in app.returned(app.consent())


@pytest.mark.parametrize(
    "address",
    [
        "https://127.0.0.1:54321/",
        "http://127.0.0.2:54321/",
        "http://localhost.example.com:54321/",
        "http://localhost@example.com/",
        "http://127.0.0.1:54321@example.com/",
        "http://127.0.0.1:0/",
        "http://127.0.0.1:65536/",
        "http://127.0.0.1:x/",
        "http://127.0.0.1:54321/#fragment",
        "http://127.0.0.1:54321/a b",
        "http://127.0.0.1\\@example.com/",
        "http://example.com/",
        "http://[::2]:54321/",
        "//127.0.0.1:54321/",
        "coldroll://callback",
    ],
)
def test_codes_of_a_desktop_app_go_nowhere_else(app, address):
    # Google Identity docs, OAuth 2.0 for Mobile & Desktop Apps: Authorization errors, redirect_uri_mismatch
    refused(app.ask(redirect_uri=address), 400, "redirect_uri_mismatch")


def test_codes_of_a_web_app_go_to_a_registered_address_to_the_letter(spawn):
    # Google Identity docs, Using OAuth 2.0 for Web Server Applications: redirect_uri must exactly match
    google = spawn("--web-redirect", "https://archive.example/back", "--web-redirect", "http://localhost:9000/back")
    app = App(google, "web_client")
    assert app.registered["redirect_uris"] == ["https://archive.example/back", "http://localhost:9000/back"]
    for app.redirect in app.registered["redirect_uris"]:
        assert "code" in app.returned(app.consent())
    for address in (
        "https://archive.example/back/",
        "https://archive.example/back?x=1",
        "https://archive.example/Back",
        "http://archive.example/back",
        "http://localhost:9001/back",
        "http://127.0.0.1:9000/back",
    ):
        refused(app.ask(redirect_uri=address), 400, "redirect_uri_mismatch")


def test_codes_to_copy_by_hand_are_gone(app):
    # Google Identity docs, Out-Of-Band flow migration guide
    assert "policy" in refused(app.ask(redirect_uri="urn:ietf:wg:oauth:2.0:oob"), 400, "invalid_request")


@pytest.mark.parametrize("name", ["client_id", "redirect_uri", "response_type", "scope"])
def test_what_is_missing_is_named(app, name):
    # RFC 6749, 4.1.1 Authorization Request: required parameters
    for value in (None, ""):
        message = refused(app.ask(**{name: value}), 400, "invalid_request")
        assert message == f"Missing required parameter: {name}"


@pytest.mark.parametrize("name", ["client_id", "redirect_uri", "scope", "state", "code_challenge"])
def test_what_is_there_twice_is_refused(app, name):
    # RFC 6749, 3.1: parameters must not be included more than once
    query = [*app.query().items(), (name, app.query()[name])]
    answer = app.caller.get("/o/oauth2/v2/auth?" + urllib.parse.urlencode(query))
    assert refused(answer, 400, "invalid_request") == f"OAuth 2 parameters can only have a single value: {name}"


def test_only_codes_are_given(app):
    # RFC 6749, 4.1.2.1: unsupported_response_type
    for kind in ("token", "id_token", "code token"):
        refused(app.ask(response_type=kind), 400, "unsupported_response_type")


def test_scopes_that_google_does_not_know_are_named(app):
    # RFC 6749, 4.1.2.1: invalid_scope; Google's page lists them
    wrong = LIBRARY + "/"
    message = refused(app.ask(scope=f"openid {wrong} drive"), 400, "invalid_scope")
    assert message == f"Some requested scopes were invalid. {{valid=[openid], invalid=[{wrong}, drive]}}"


@pytest.mark.parametrize(
    "changed",
    [
        {"access_type": "forever"},
        {"prompt": "login"},
        {"prompt": "none consent"},
        {"include_granted_scopes": "yes"},
        {"code_challenge_method": "S512"},
        {"code_challenge_method": "s256"},
        {"code_challenge": None},
        {"code_challenge": "a" * 42},
        {"code_challenge": "a" * 129},
        {"code_challenge": "a" * 43 + "="},
        {"code_challenge": "a" * 42 + "+"},
    ],
    ids=str,
)
def test_words_outside_the_list_are_refused(app, changed):
    # Google Identity docs, OAuth 2.0 for Mobile & Desktop Apps: parameters; RFC 7636, 4.2 and 4.3
    refused(app.ask(**changed), 400, "invalid_request")


def test_a_desktop_app_may_still_come_without_pkce_and_is_counted(app):
    # Google Identity docs, OAuth 2.0 for Mobile & Desktop Apps: the code challenge is recommended
    before = app.simulator.counted().get("requests_without_pkce", 0)
    code = app.code(code_challenge=None, code_challenge_method=None)
    assert app.exchange(code, code_verifier=None).status == 200
    assert app.simulator.counted()["requests_without_pkce"] == before + 1
    app.code()
    assert app.simulator.counted()["requests_without_pkce"] == before + 1


def test_the_older_address_of_the_page_works_as_well(app):
    # It is the auth_uri of the client's file as the console offers it.
    assert app.registered["auth_uri"] == "https://accounts.google.com/o/oauth2/auth"
    assert Page(app.ask("/o/oauth2/auth")).form == "consent"


def test_the_page_is_only_read(app):
    assert app.caller.post_form("/o/oauth2/v2/auth", app.query()).status == 405


def test_the_page_says_who_asks_for_what_and_ticks_nothing_by_itself(app):
    # Google Identity docs, How to handle granular permissions
    answer = app.ask(scope=f"openid email {LIBRARY} {PICKER}")
    page = Page(answer)
    assert page.status == 200 and "Photo Archive wants access" in page.title
    assert page.choices == {OWNER: True, GUEST: False, STRANGER: False}
    assert page.boxes == {LIBRARY: False, PICKER: False}
    assert list(page.buttons) == ["continue", "cancel"]
    assert answer.header("X-Frame-Options") == "DENY"
    assert "no-store" in answer.header("Cache-Control")


def test_one_thing_alone_is_ticked_in_advance(app):
    # Google Identity docs, How to handle granular permissions: only one non-Sign-In scope is requested
    assert Page(app.ask(scope=LIBRARY)).boxes == {LIBRARY: True}


def test_a_hint_chooses_the_person(app):
    # Google Identity docs, OAuth 2.0 for Mobile & Desktop Apps: login_hint is an address or a sub
    for hint in (GUEST, app.simulator.person(GUEST)["sub"]):
        assert Page(app.ask(login_hint=hint)).choices[GUEST]
    assert Page(app.ask(login_hint="nobody@example.com")).choices[OWNER]


def test_continue_brings_back_code_state_and_what_was_granted(app):
    # Google Identity docs, OAuth 2.0 for Mobile & Desktop Apps: Handle the OAuth 2.0 server response
    app.state = 'a b+c&d=e%20é/?#"<'
    returned = app.returned(app.consent())
    assert returned["state"] == app.state
    assert returned["code"].startswith("4/0A")
    assert set(returned["scope"].split(" ")) == {"openid", LIBRARY}


def test_state_is_not_made_up(app):
    # RFC 6749, 4.1.2: required if it was present in the request
    assert "state" not in app.returned(app.consent(state=None))
    assert app.returned(app.consent(state=""))["state"] == ""


def test_the_slash_of_a_code_and_the_colons_of_scopes_come_escaped(app):
    # RFC 6749, 4.1.2: application/x-www-form-urlencoded
    location = app.consent(scope=f"openid {LIBRARY}").header("Location")
    assert "code=4%2F0A" in location
    assert "scope=openid+https%3A%2F%2Fwww.googleapis.com%2Fauth%2F" in location


def test_an_address_keeps_its_own_query(app):
    # RFC 6749, 3.1.2 Redirection Endpoint: the query component must be retained
    app.redirect = "http://localhost:54321/?own=1&other=a%20b"
    returned = app.returned(app.consent())
    assert (returned["own"], returned["other"], returned["state"]) == ("1", "a b", app.state)


def test_what_a_person_does_not_tick_is_not_granted(app):
    # Google Identity docs, How to handle granular permissions: the app must check which scopes were granted
    app.scopes = ("openid", LIBRARY, PICKER)
    code = app.consent(tick=[PICKER])
    assert set(app.returned(code)["scope"].split(" ")) == {"openid", PICKER}
    tokens = app.exchange(app.returned(code)["code"]).json()
    assert set(tokens["scope"].split(" ")) == {"openid", PICKER}
    assert app.opens(tokens["access_token"]) == 403


def test_who_ticks_nothing_still_signs_in(app):
    # Reported of Google's page: with a Sign-In scope, Continue goes on without any permission
    returned = app.returned(app.consent(tick=[]))
    assert returned["scope"] == "openid"
    tokens = app.exchange(returned["code"]).json()
    assert tokens["id_token"] and app.opens(tokens["access_token"]) == 403


def test_where_nothing_at_all_is_ticked_the_page_comes_again(app):
    # Reported of Google's page: without a Sign-In scope the person is asked to tick something
    app.scopes = (LIBRARY, PICKER)
    again = app.consent(tick=[])
    page = Page(again)
    assert again.status == 200 and page.form == "consent" and "at least one" in page.words["notice"]
    assert app.returned(page.press(app.caller, tick=[LIBRARY]))["scope"] == LIBRARY


def test_cancel_brings_back_the_refusal_and_no_code(app):
    # RFC 6749, 4.1.2.1: access_denied
    returned = app.returned(app.consent(button="cancel"))
    assert returned == {"error": "access_denied", "state": app.state}


def test_a_page_is_answered_once(app):
    page = Page(app.ask())
    assert page.press(app.caller, account=OWNER).status == 302
    for button in ("continue", "cancel"):
        refused(page.press(app.caller, button, account=OWNER), 400, "invalid_request")


def test_a_form_that_the_page_does_not_send_is_refused(app):
    page = Page(app.ask())
    fields = {**page.hidden, "account": OWNER, "action": "continue"}
    for changed in (
        {"ticket": "guessed"},
        {"account": "nobody@example.com"},
        {"action": "accept"},
        {"scope": PREFIX + "cloud-platform"},
    ):
        refused(app.caller.post_form(page.action, fields | changed), 400, "invalid_request")
    assert page.press(app.caller).status == 302


def test_short_names_are_granted_by_their_long_ones_and_openid_with_them(app):
    # Google Identity docs, OAuth 2.0 Scopes: OpenID Connect; seen in the redirects of many logs
    app.scopes = ("email", LIBRARY)
    returned = app.returned(app.consent())
    assert set(returned["scope"].split(" ")) == {"email", EMAIL, "openid", LIBRARY}
    tokens = app.exchange(returned["code"]).json()
    assert set(tokens["scope"].split(" ")) == {EMAIL, "openid", LIBRARY}


def test_what_was_granted_before_is_in_the_tokens_if_the_app_wants_that(app):
    # Google Identity docs, Using OAuth 2.0 for Web Server Applications: Incremental authorization
    app.scopes = ("openid", LIBRARY)
    app.log_in()
    app.scopes = (PICKER,)
    assert app.log_in()["scope"] == PICKER
    returned = app.returned(app.consent(include_granted_scopes="true"))
    assert set(returned["scope"].split(" ")) == {"openid", LIBRARY, PICKER}
    tokens = app.exchange(returned["code"]).json()
    assert set(tokens["scope"].split(" ")) == {"openid", LIBRARY, PICKER}
    assert app.opens(tokens["access_token"]) == 200


def test_without_a_page_only_what_was_granted_before_is_given(app):
    # OpenID Connect Core, 3.1.2.1: prompt=none; 3.1.2.6: interaction_required
    nothing = {"error": "interaction_required", "state": app.state}
    assert app.returned(app.ask(prompt="none", login_hint=OWNER)) == nothing
    app.log_in()
    assert app.returned(app.ask(prompt="none")) == nothing
    assert app.returned(app.ask(prompt="none", login_hint=GUEST)) == nothing
    assert app.returned(app.ask(prompt="none", login_hint=OWNER, scope=PICKER)) == nothing
    assert "code" in app.returned(app.ask(prompt="none", login_hint=OWNER))


def test_whoever_has_agreed_is_not_asked_again_unless_the_app_wants_it(app):
    # Google Identity docs, OAuth 2.0 for Mobile & Desktop Apps: prompt; the user is prompted only the first time
    app.log_in()
    assert "code" in app.returned(app.ask(login_hint=OWNER))
    for prompt in ("consent", "select_account"):
        assert Page(app.ask(login_hint=OWNER, prompt=prompt)).form == "consent"
    assert Page(app.ask(login_hint=OWNER, scope=f"{LIBRARY} {PICKER}")).form == "consent"
    assert Page(app.ask()).form == "consent"


def test_an_app_in_testing_warns_first(unverified):
    # Google Cloud support, Manage App Audience: publishing status Testing
    app = App(unverified)
    page = Page(app.ask())
    assert page.form == "warning" and "Google hasn’t verified this app" in page.title
    fields = {**page.hidden, "account": OWNER, "action": "continue", "scope": LIBRARY}
    refused(app.caller.post_form("/signin/oauth/consent", fields), 400, "invalid_request")
    consent = Page(page.press(app.caller))
    assert consent.form == "consent"
    refused(page.press(app.caller), 400, "invalid_request")
    assert "code" in app.returned(consent.press(app.caller, tick=[LIBRARY]))


def test_an_app_in_testing_lets_nobody_in_who_is_not_on_its_list(unverified):
    # Google Cloud support, Manage App Audience: test users
    app = App(unverified)
    assert [person["test_user"] for person in unverified.accounts] == [True, True, False]
    message = refused(app.consent(STRANGER), 403, "access_denied")
    assert "can only be accessed by developer-approved testers" in message
    assert "code" in app.returned(app.consent(GUEST))


def test_an_app_in_production_lets_everybody_in(app):
    assert "code" in app.returned(app.consent(STRANGER))


def test_the_steps_are_counted(app):
    before = app.simulator.counted()
    app.ask(client_id="unknown")
    app.consent(button="cancel")
    app.code()
    after = app.simulator.counted()
    grown = {name: count - before.get(name, 0) for name, count in after.items() if count != before.get(name, 0)}
    assert grown == {"error_pages": 1, "consent_pages": 2, "cancelled": 1, "codes": 1}
