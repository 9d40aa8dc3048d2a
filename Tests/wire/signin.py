"""Both sides of a login: a person who reads pages and presses buttons, and an app that wants tokens."""

import base64
import hashlib
import html.parser
import json
import pathlib
import secrets
import urllib.parse
from dataclasses import dataclass, field

PREFIX = "https://www.googleapis.com/auth/"
LIBRARY = PREFIX + "photoslibrary.readonly.appcreateddata"
PICKER = PREFIX + "photospicker.mediaitems.readonly"
EMAIL = PREFIX + "userinfo.email"
OWNER, GUEST, STRANGER = "owner@example.com", "guest@example.com", "stranger@example.com"


class Page(html.parser.HTMLParser):
    """A page as a browser has it before anybody touches it: its form's fields, its boxes and buttons, its words."""

    def __init__(self, answer):
        super().__init__()
        assert answer.content_type == "text/html", answer
        self.status, self.text = answer.status, answer.text
        self.form = self.title = None
        self.hidden, self.choices, self.boxes, self.buttons = {}, {}, {}, {}
        self.words = {}
        self._inside = None
        self.feed(self.text)

    def handle_starttag(self, tag, attributes):
        attributes = dict(attributes)
        kind, name, value = (attributes.get(key) for key in ("type", "name", "value"))
        self._inside = tag if tag == "title" else attributes.get("id") if tag == "p" else None
        if tag == "form":
            assert attributes["method"] == "post" and self.form is None
            self.form, self.action = attributes["id"], attributes["action"]
        elif tag == "button":
            assert kind == "submit"
            self.buttons[attributes["id"]] = {name: value} if name else {}
        elif tag == "input" and kind == "hidden":
            self.hidden[name] = value
        elif tag == "input":
            assert attributes["id"] and name == {"radio": "account", "checkbox": "scope"}[kind]
            (self.choices if kind == "radio" else self.boxes)[value] = "checked" in attributes

    def handle_data(self, data):
        if self._inside == "title":
            self.title = data
        elif self._inside:
            self.words[self._inside] = data

    def handle_endtag(self, tag):
        self._inside = None

    def press(self, caller, button="continue", account=None, tick=None):
        """Sends the form. `tick` says which boxes are ticked then; they stay as they are when it is None."""
        account = account or next((name for name, is_chosen in self.choices.items() if is_chosen), None)
        ticked = [box for box, is_ticked in self.boxes.items() if is_ticked] if tick is None else tick
        fields = [*self.hidden.items(), *self.buttons[button].items(), *(("scope", box) for box in ticked)]
        fields += [("account", account)] if account else []
        return caller.post_form(self.action, fields)


@dataclass
class App:
    """A client as a test plays it: what its file says, where codes go, and its PKCE verifier."""

    simulator: object
    file: str = "client"
    redirect: str = "http://127.0.0.1:51234/callback"
    scopes: tuple = ("openid", LIBRARY)
    state: str = field(default_factory=lambda: secrets.token_urlsafe(16))
    verifier: str = field(default_factory=lambda: secrets.token_urlsafe(48))

    @property
    def registered(self):
        """What stands in the file that the console offers."""
        (content,) = json.loads(pathlib.Path(getattr(self.simulator, self.file)).read_text()).values()
        return content

    @property
    def id(self):
        return self.registered["client_id"]

    @property
    def caller(self):
        return self.simulator.caller()

    def query(self, **changed):
        """What an authorization request says; a field that is None is left out."""
        hash = hashlib.sha256(self.verifier.encode()).digest()
        fields = {
            "client_id": self.id,
            "redirect_uri": self.redirect,
            "response_type": "code",
            "scope": " ".join(self.scopes),
            "state": self.state,
            "code_challenge": base64.urlsafe_b64encode(hash).decode().rstrip("="),
            "code_challenge_method": "S256",
            "access_type": "offline",
        }
        return {name: value for name, value in (fields | changed).items() if value is not None}

    def ask(self, path="/o/oauth2/v2/auth", **changed):
        """Opens the address in a browser that follows no redirect."""
        return self.caller.get(path + "?" + urllib.parse.urlencode(self.query(**changed)))

    def consent(self, account=OWNER, tick=None, button="continue", **changed):
        """A person reads what comes and presses on; all boxes are ticked where `tick` is None."""
        answer = self.ask(**changed)
        while answer.status == 200 and Page(answer).form == "warning":
            answer = Page(answer).press(self.caller)
        page = Page(answer)
        assert page.form == "consent", page.text
        return page.press(self.caller, button, account, list(page.boxes) if tick is None else tick)

    def returned(self, answer):
        """The fields that a browser brings back to the app."""
        assert answer.status == 302, answer
        location = answer.header("Location")
        assert location.startswith(self.redirect), location
        pairs = urllib.parse.parse_qsl(
            urllib.parse.urlsplit(location).query, keep_blank_values=True, strict_parsing=True, errors="strict"
        )
        assert len(dict(pairs)) == len(pairs), location
        return dict(pairs)

    def code(self, **changed):
        returned = self.returned(self.consent(**changed))
        assert returned["state"] == self.state
        return returned["code"]

    def exchange(self, code, /, headers=None, **changed):
        """Asks for tokens; a field that is None is left out."""
        fields = {
            "grant_type": "authorization_code",
            "code": code,
            "client_id": self.id,
            "client_secret": self.registered["client_secret"],
            "redirect_uri": self.redirect,
            "code_verifier": self.verifier,
        } | changed
        fields = {name: value for name, value in fields.items() if value is not None}
        return self.caller.post_form("/token", fields, headers)

    def log_in(self, **changed):
        """What the token endpoint gives for a fresh consent, by which a refresh token comes for sure."""
        answer = self.exchange(self.code(**({"prompt": "consent"} | changed)))
        assert answer.status == 200, answer
        return answer.json()

    def refresh(self, token):
        fields = {key: self.registered[key] for key in ("client_id", "client_secret")}
        return self.caller.post_form("/token", fields | {"grant_type": "refresh_token", "refresh_token": token})

    def opens(self, token):
        """What the Library API answers to an access token."""
        return self.simulator.caller(token).get("/v1/mediaItems").status


def refused(answer, status, error):
    """The words of an error page: it is a page, and sends nobody anywhere."""
    page = Page(answer)
    assert answer.status == status, answer
    assert answer.header("Location") is None
    assert page.words["error"] == f"Error {status}: {error}"
    return page.words["message"]
