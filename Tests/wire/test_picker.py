"""Google Photos Picker API: sessions, what was picked, its bytes, and the page where people pick."""

import re
import time
from datetime import datetime, timedelta
from urllib.parse import quote, urlencode

import pytest
from conftest import ROOT

SCOPE = "https://www.googleapis.com/auth/photospicker.mediaitems.readonly"


class Picker:
    """The four methods of the API, as a person whose login has the picker's scope."""

    def __init__(self, simulator):
        self.simulator = simulator
        self.caller = simulator.caller(simulator.token(simulator.picker_credentials))

    def create(self, body=None, **query):
        target = "/v1/sessions" + ("?" + urlencode(query) if query else "")
        return self.caller.send("POST", target, b"") if body is None else self.caller.post_json(target, body)

    def session(self, body=None):
        answer = self.create(body)
        assert answer.status == 200, answer
        return answer.json()

    def get(self, session):
        return self.caller.get("/v1/sessions/" + quote(session["id"], safe=""))

    def delete(self, session):
        return self.caller.send("DELETE", "/v1/sessions/" + quote(session["id"], safe=""))

    def list(self, session, **query):
        return self.caller.get("/v1/mediaItems?" + urlencode({"sessionId": session["id"]} | query))

    def pick(self, session, **what):
        self.simulator.control("pick", {"session": session["id"]} | what)

    def picked(self, body=None, **what):
        """A new session in which this has been picked."""
        session = self.session(body)
        self.pick(session, **what)
        return session

    def pages(self, session, **query):
        """Every page, until there is no token."""
        result, token = [], {}
        while True:
            answer = self.list(session, **query, **token)
            assert answer.status == 200, answer
            result.append(answer.json())
            if "nextPageToken" not in result[-1]:
                return result
            token = {"pageToken": result[-1]["nextPageToken"]}
            assert len(result) < 500, "the pages do not end"

    def items(self, session, **query):
        return [item for page in self.pages(session, **query) for item in page.get("mediaItems", [])]


@pytest.fixture(scope="module")
def picker(samples):
    return Picker(samples)


@pytest.fixture(scope="module")
def large(spawn):
    """2,600 made-up items: more than a session takes."""
    return Picker(spawn("--synthesize", "2600", "--sizes", "10KB-20KB", "--video-percent", "20"))


def refused(answer, status, name):
    assert answer.status == status, answer
    error = answer.json()["error"]
    assert error["code"] == status and error["status"] == name and error["message"], error
    return error["message"]


def seconds(duration):
    """A Duration: decimal seconds and `s`."""
    assert re.fullmatch(r"\d+(\.\d{1,9})?s", duration), duration
    return float(duration[:-1])


# Sessions


def test_a_new_session_tells_where_to_pick_how_to_ask_and_when_it_ends(picker):
    # Picker API reference, sessions: id, pickerUri, pollingConfig, expireTime
    session = picker.session({})
    assert session["id"] and session["pickerUri"].startswith("http")
    assert seconds(session["pollingConfig"]["pollInterval"]) == 5
    assert 0 < seconds(session["pollingConfig"]["timeoutIn"]) <= 1800
    assert datetime.fromisoformat(session["expireTime"]) > datetime.now().astimezone()
    # proto3 JSON mapping: false is not written
    assert "mediaItemsSet" not in session and "pickingConfig" not in session
    assert picker.session()["id"] != session["id"]


@pytest.mark.parametrize(
    "given, shown", [("7", "7"), (7, "7"), (2000, "2000"), ("99999", "2000"), (0, None), (None, None)]
)
def test_the_number_of_items_is_an_int64_and_at_most_2000(picker, given, shown):
    # Picker API reference, PickingConfig: maxItemCount, int64: a string, or a number as nextcloud sends it; default 2000
    session = picker.session({"pickingConfig": {} if given is None else {"maxItemCount": given}})
    assert session.get("pickingConfig", {}).get("maxItemCount") == shown
    assert picker.get(session).json().get("pickingConfig") == session.get("pickingConfig")


@pytest.mark.parametrize("body", [{"pickingConfig": {"maxItemCount": -1}}, {"pickingConfig": {"maxItemCount": "many"}}])
def test_a_number_of_items_that_is_none_is_an_invalid_argument(picker, body):
    # Picker API reference, PickingConfig: negative is an error
    refused(picker.create(body), 400, "INVALID_ARGUMENT")


@pytest.mark.parametrize("body", [b"{", b"[]", b'{"maxItemCount": 7}', b'{"pickingConfig": {"showZeroState": true}}'])
def test_a_body_that_is_no_session_is_an_invalid_argument(picker, body):
    # Google's JSON of requests: an unknown name is an error, not passed over
    answer = picker.caller.send("POST", "/v1/sessions", body, {"Content-Type": "application/json"})
    refused(answer, 400, "INVALID_ARGUMENT")


def test_a_request_id_is_a_random_uuid(picker):
    # Picker API reference, sessions.create: requestId, UUIDv4
    assert picker.create({}, requestId="6b3a2b1c-9c7e-4f3a-8d2b-0a1b2c3d4e5f").status == 200
    for wrong in ("7", "6b3a2b1c-9c7e-1f3a-8d2b-0a1b2c3d4e5f", "6b3a2b1c9c7e4f3a8d2b0a1b2c3d4e5f"):
        refused(picker.create({}, requestId=wrong), 400, "INVALID_ARGUMENT")


def test_polling_is_told_until_done_and_its_time_runs_down(spawn):
    # Picker API reference, sessions: pollingConfig only while mediaItemsSet is false; timeoutIn "0s" means stop now
    picker = Picker(
        spawn("--synthesize", "3", "--sizes", "10KB", "--picker-timeout", "2", "--picker-poll-interval", "0.25")
    )
    session = picker.session({})
    assert session["pollingConfig"]["pollInterval"] == "0.25s"
    left = [seconds(session["pollingConfig"]["timeoutIn"])]
    while left[-1] > 0:
        left.append(seconds(picker.get(session).json()["pollingConfig"]["timeoutIn"]))
        time.sleep(0.05)
    assert left == sorted(left, reverse=True) and left[0] <= 2
    assert picker.get(session).json()["pollingConfig"]["timeoutIn"] == "0s"
    picker.pick(session, count=1)
    done = picker.get(session).json()
    assert done["mediaItemsSet"] is True and "pollingConfig" not in done
    assert (done["id"], done["expireTime"]) == (session["id"], session["expireTime"])


def test_a_session_that_nobody_has_is_not_found(picker):
    # Picker API reference, sessions.get, sessions.delete: NOT_FOUND
    nobody = {"id": "nobody/s"}
    for answer in (picker.get(nobody), picker.delete(nobody), picker.list(nobody)):
        refused(answer, 404, "NOT_FOUND")


def test_a_deleted_session_is_gone(picker):
    # Picker API reference, sessions.delete: answers {}; NOT_FOUND afterwards
    session = picker.picked(count=2)
    answer = picker.delete(session)
    assert answer.status == 200 and answer.json() == {}
    for answer in (picker.get(session), picker.delete(session), picker.list(session)):
        refused(answer, 404, "NOT_FOUND")


def test_an_expired_session_denies_access_to_itself_its_items_and_their_bytes(picker):
    # Picker API reference, sessions: expireTime, when access to the session and its picked items ends; PERMISSION_DENIED
    session = picker.picked(filenames=["IMG_0003.JPG"])
    url = picker.items(session)[0]["mediaFile"]["baseUrl"] + "=d"
    assert picker.caller.get(url).status == 200
    picker.simulator.control("picker", {"session": session["id"], "expire": True})
    refused(picker.get(session), 403, "PERMISSION_DENIED")
    refused(picker.list(session), 403, "PERMISSION_DENIED")
    assert picker.caller.get(url).status == 403
    assert picker.caller.get(session["pickerUri"], token=None).status == 404
    assert picker.delete(session).status == 200


def test_a_session_lives_as_long_as_it_says(spawn):
    # Picker API reference, sessions: expireTime
    picker = Picker(spawn("--synthesize", "1", "--sizes", "10KB", "--picker-lifetime", "1"))
    session = picker.session({})
    ends = datetime.fromisoformat(session["expireTime"])
    assert ends - datetime.now().astimezone() <= timedelta(seconds=1)
    while datetime.now().astimezone() <= ends:
        time.sleep(0.05)
    refused(picker.get(session), 403, "PERMISSION_DENIED")


def test_a_person_may_have_too_many_sessions(spawn):
    # Picker API reference, sessions.create: RESOURCE_EXHAUSTED
    picker = Picker(spawn("--synthesize", "1", "--sizes", "10KB", "--picker-sessions", "2"))
    first = picker.session({})
    picker.session({})
    refused(picker.create({}), 429, "RESOURCE_EXHAUSTED")
    assert picker.delete(first).status == 200
    assert picker.create({}).status == 200


def test_a_person_without_google_photos_cannot_pick(spawn):
    # Picker API reference, sessions.create: FAILED_PRECONDITION
    picker = Picker(spawn("--synthesize", "1", "--sizes", "10KB"))
    picker.simulator.control("picker", {"account": False})
    refused(picker.create({}), 400, "FAILED_PRECONDITION")
    picker.simulator.control("picker", {"account": True})
    assert picker.create({}).status == 200


# Lists


def test_a_list_before_done_is_a_failed_precondition(picker):
    # Picker API reference, mediaItems.list: FAILED_PRECONDITION, which is a 400 as INVALID_ARGUMENT is
    session = picker.session({})
    refused(picker.list(session), 400, "FAILED_PRECONDITION")
    refused(picker.list(session, pageSize=-1), 400, "INVALID_ARGUMENT")


def test_a_page_holds_50_items_unless_asked_and_never_more_than_100(large):
    # Picker API reference, mediaItems.list: pageSize, 50 by default, larger than 100 coerced to 100
    session = large.picked(count=150)
    for size, expected in ((None, 50), (0, 50), (7, 7), (100, 100), (1000, 100)):
        page = large.list(session, **({} if size is None else {"pageSize": size})).json()
        assert len(page["mediaItems"]) == expected and page["nextPageToken"]
    for wrong in ("-1", "ten"):
        refused(large.list(session, pageSize=wrong), 400, "INVALID_ARGUMENT")


def test_two_thousand_items_are_listed_once_each(large):
    # Picker API reference, PickingConfig: at most 2000; mediaItems.list: the last page has no token
    session = large.picked(all=True)
    pages = large.pages(session, pageSize=100)
    items = [item for page in pages for item in page["mediaItems"]]
    assert len(pages) == 20 and len(items) == 2000 == len({item["id"] for item in items})


def test_no_more_than_asked_can_be_picked(large):
    # Picker API reference, PickingConfig: maxItemCount
    session = large.session({"pickingConfig": {"maxItemCount": "3"}})
    assert large.caller.post_json("/control/pick", {"session": session["id"], "count": 4}).status == 400
    assert "mediaItemsSet" not in large.get(session).json()
    large.pick(session, all=True)
    assert len(large.items(session)) == 3


def test_a_page_token_is_good_for_its_own_list_only(large):
    # Picker API reference, mediaItems.list: all other parameters must be the same
    session, other = large.picked(count=30), large.picked(count=30)
    token = large.list(session, pageSize=10).json()["nextPageToken"]
    first, again = (large.list(session, pageSize=10, pageToken=token).json() for _ in range(2))
    assert [item["id"] for item in first["mediaItems"]] == [item["id"] for item in again["mediaItems"]]
    for wrong in (
        large.list(session, pageSize=11, pageToken=token),
        large.list(other, pageSize=10, pageToken=token),
        large.list(session, pageSize=10, pageToken="neverGivenOut"),
    ):
        refused(wrong, 400, "INVALID_ARGUMENT")


def test_a_page_may_be_empty_and_lead_on(spawn):
    # Picker API reference, mediaItems.list: fewer items than asked, including none; only the token tells the end
    picker = Picker(spawn("--synthesize", "25", "--sizes", "10KB", "--quirks", "empty-pages"))
    session = picker.picked(all=True)
    pages = picker.pages(session, pageSize=10)
    assert any("mediaItems" not in page and "nextPageToken" in page for page in pages)
    assert pages[-1] == {}
    assert len({item["id"] for item in picker.items(session, pageSize=10)}) == 25


def test_a_picked_item_has_the_fields_of_its_kind(picker, large):
    # Picker API reference, mediaItems: PickedMediaItem; width and height are JSON integers, not strings
    kinds = set()
    for item in large.items(large.picked(count=100)) + picker.items(picker.picked(all=True)):
        assert set(item) == {"id", "createTime", "type", "mediaFile"}
        file = item["mediaFile"]
        assert file["baseUrl"] and "/" in file["mimeType"] and file["filename"]
        metadata = file["mediaFileMetadata"]
        for name in ("width", "height"):
            assert name not in metadata or type(metadata[name]) is int
        assert datetime.fromisoformat(item["createTime"]).tzinfo is not None
        assert ("photoMetadata" in metadata) == (item["type"] == "PHOTO")
        assert ("videoMetadata" in metadata) == (item["type"] == "VIDEO")
        if item["type"] == "VIDEO":
            assert metadata["videoMetadata"]["processingStatus"] == "READY"
        kinds.add(item["type"])
    assert kinds == {"PHOTO", "VIDEO"}


def test_an_item_has_one_id_in_all_sessions(picker):
    # Picker API reference, mediaItems: id, a persistent identifier that can be used between sessions
    first, second = picker.picked(all=True), picker.picked(filenames=["IMG_0003.JPG"])
    item = picker.items(second)[0]
    same = [one for one in picker.items(first) if one["mediaFile"]["filename"] == "IMG_0003.JPG"]
    assert [one["id"] for one in same] == [item["id"]]
    assert same[0]["mediaFile"]["baseUrl"] != item["mediaFile"]["baseUrl"]
    known = {one["picker_id"]: one for one in picker.caller.get_json("/control/library")}
    assert known[item["id"]]["filename"] == "IMG_0003.JPG" and known[item["id"]]["id"] != item["id"]


def test_times_come_in_every_form_that_is_allowed(large):
    # Picker API reference, mediaItems: createTime, RFC 3339 with 0, 3, 6 or 9 digits, and offsets other than Z
    known = {one["picker_id"]: one["creationTime"] for one in large.caller.get_json("/control/library")}
    items = large.items(large.picked(count=60))
    for item in items:
        assert datetime.fromisoformat(item["createTime"]) == datetime.fromisoformat(known[item["id"]])
    texts = [item["createTime"] for item in items]
    for form in (r":\d\dZ", r":\d\d\.\d{9}Z", r"\+02:00"):
        assert any(re.search(form + "$", text) for text in texts), form


def test_every_field_may_be_missing(spawn):
    # Uppy, googlePicker.ts: the documentation is not correct, hence some things are optional
    picker = Picker(spawn("--synthesize", "70", "--sizes", "10KB", "--quirks", "missing-fields"))
    items = picker.items(picker.picked(all=True))
    files = [item["mediaFile"] for item in items]
    assert any("createTime" not in item for item in items)
    assert any("width" not in file["mediaFileMetadata"] for file in files)
    for name in ("baseUrl", "mimeType", "filename"):
        assert any(name not in file for file in files), name


def test_a_video_may_be_unfinished_or_broken(spawn, tmp_path):
    # Picker API reference, VideoMetadata.processingStatus; media items guide: only then can its base URL be used
    clip = (ROOT / "Samples").rglob("MVI_0005.MOV").__next__().read_bytes()
    (tmp_path / "wait.processing-600s.mov").write_bytes(clip)
    (tmp_path / "broken.failed.mov").write_bytes(clip)
    picker = Picker(spawn("--library", tmp_path))
    files = {item["mediaFile"]["filename"]: item["mediaFile"] for item in picker.items(picker.picked(all=True))}
    statuses = {name: file["mediaFileMetadata"]["videoMetadata"]["processingStatus"] for name, file in files.items()}
    assert statuses == {"wait.processing-600s.mov": "PROCESSING", "broken.failed.mov": "FAILED"}
    for file in files.values():
        assert picker.caller.get(file["baseUrl"] + "=dv").status >= 400


# Bytes


@pytest.fixture(scope="module")
def found(picker):
    """The sample library's items as they were picked, by name; two of one name are one here."""
    return {item["mediaFile"]["filename"]: item for item in picker.items(picker.picked(all=True))}


def test_the_bytes_of_picked_items_need_the_token(picker, samples, found):
    # Picker API guide, Media items: base URLs need an OAuth token, unlike the Library API's
    for name, suffix in (("IMG_0003.JPG", "=d"), ("MVI_0005.MOV", "=dv")):
        url = found[name]["mediaFile"]["baseUrl"] + suffix
        for token, statuses in ((None, {403}), ("unknown", {401}), (samples.photos_token(), {403})):
            answer = picker.caller.get(url, token=token)
            assert answer.status in statuses and answer.content_type == "text/html", answer
        assert picker.caller.get(url).status in (200, 302)


def test_a_picked_item_gives_its_bytes(picker, found):
    # Picker API guide, Media items: =d for photos, =dv for videos
    expected = {path.name: path.read_bytes() for path in (ROOT / "Samples").rglob("*") if path.is_file()}
    photo = picker.caller.get(found["IMG_0003.JPG"]["mediaFile"]["baseUrl"] + "=d")
    assert photo.status == 200 and photo.body == expected["IMG_0003.JPG"]
    redirect = picker.caller.get(found["MVI_0005.MOV"]["mediaFile"]["baseUrl"] + "=dv")
    assert redirect.status == 302
    # The second address tells by itself who may read it; the token stays behind.
    video = picker.caller.get(redirect.header("Location"), token=None)
    assert video.status == 200 and video.body == expected["MVI_0005.MOV"]
    still = picker.caller.get(found["MVI_0005.MOV"]["mediaFile"]["baseUrl"] + "=d")
    assert still.content_type.startswith("image/")


def test_addresses_of_the_two_apis_are_not_each_other_s(picker, samples, found):
    # Nobody gets at picked bytes without the token by writing another path
    url = found["IMG_0003.JPG"]["mediaFile"]["baseUrl"] + "=d"
    assert "/ppa/" in url
    assert picker.caller.get(url.replace("/ppa/", "/lr/"), token=None).status == 404
    library = samples.photos().get_json("/v1/mediaItems?pageSize=1")["mediaItems"][0]["baseUrl"] + "=d"
    assert picker.caller.get(library.replace("/lr/", "/ppa/")).status == 404


def test_base_urls_die_and_a_list_gives_fresh_ones(spawn):
    # Picker API guide, Media items: base URLs are valid for 60 minutes
    picker = Picker(spawn("--synthesize", "2", "--sizes", "10KB"))
    session = picker.picked(all=True)
    old = picker.items(session)[0]
    picker.simulator.control("expire-base-urls")
    answer = picker.caller.get(old["mediaFile"]["baseUrl"] + "=d")
    assert answer.status == 403 and answer.content_type == "text/html"
    fresh = picker.items(session)[0]
    assert fresh["id"] == old["id"]
    assert picker.caller.get(fresh["mediaFile"]["baseUrl"] + "=d").status == 200


def test_base_urls_live_as_long_as_the_simulator_is_told(spawn):
    # The simulator's own switch --base-url-lifetime
    picker = Picker(spawn("--synthesize", "1", "--sizes", "10KB", "--base-url-lifetime", "0.5"))
    url = picker.items(picker.picked(all=True))[0]["mediaFile"]["baseUrl"] + "=d"
    ends = time.monotonic() + 30
    while picker.caller.get(url).status == 200:
        assert time.monotonic() < ends
    assert picker.caller.get(url).status == 403


def test_the_bytes_end_with_the_session(picker):
    # Picker API guide, Sessions: delete the session once the bytes are retrieved. Whether base URLs outlive it is not
    # documented, so they do not.
    session = picker.picked(filenames=["IMG_0003.JPG"])
    url = picker.items(session)[0]["mediaFile"]["baseUrl"] + "=d"
    assert picker.delete(session).status == 200
    assert picker.caller.get(url).status == 403


# Logins, quotas, faults


def test_the_picker_answers_401_without_a_token_and_with_an_unknown_one(picker):
    # Google Cloud API design guide, Errors: UNAUTHENTICATED is HTTP 401
    session = picker.session({})
    for token in (None, "unknown"):
        caller = picker.simulator.caller(token)
        for answer in (
            caller.post_json("/v1/sessions", {}),
            caller.get("/v1/sessions/" + session["id"]),
            caller.send("DELETE", "/v1/sessions/" + session["id"]),
            caller.get("/v1/mediaItems?sessionId=" + session["id"]),
        ):
            refused(answer, 401, "UNAUTHENTICATED")


def test_a_token_for_the_library_does_not_open_the_picker_nor_the_other_way_round(picker, samples):
    # ido-ran/google-photos-picker-api-quickstart, issue 8: the Picker with a Library-only token
    text = "Request had insufficient authentication scopes."
    assert refused(samples.photos().post_json("/v1/sessions", {}), 403, "PERMISSION_DENIED") == text
    assert refused(picker.caller.get("/v1/mediaItems"), 403, "PERMISSION_DENIED") == text
    assert samples.granted(samples.picker_credentials)["scope"].split() == sorted([SCOPE, "openid"])


def test_the_picker_has_quotas_a_minute(spawn):
    # Photos APIs, API limits and quotas: 100,000 requests and 1,000,000 for media a minute; 429
    limits = ("--picker-quota", "6", "--picker-media-quota", "2")
    picker = Picker(spawn("--synthesize", "1", "--sizes", "10KB", *limits))
    session = picker.picked(all=True)
    url = picker.items(session)[0]["mediaFile"]["baseUrl"] + "=d"
    assert [picker.caller.get(url).status for _ in range(3)] == [200, 200, 429]
    answers = [picker.get(session) for _ in range(7)]
    refused(next(answer for answer in answers if answer.status != 200), 429, "RESOURCE_EXHAUSTED")
    picker.simulator.control("new-minute")
    assert picker.get(session).status == 200 and picker.caller.get(url).status == 200
    counted = picker.caller.get_json("/control/counters")["quotas"]
    assert counted["picker"]["refused"] > 0 and counted["picker_media"]["refused"] > 0
    # The Library API's day is another quota.
    assert counted["api"]["used"] == 0 and counted["media"]["used"] == 0


def test_faults_strike_and_are_counted(spawn):
    # The simulator's own promise: rules by operation and by name, and counters that show that they struck
    picker = Picker(spawn("--synthesize", "60", "--sizes", "10KB"))
    session = picker.picked(all=True)
    rules = [
        {"on": "pickerGet", "do": "status", "status": 503, "retry_after": 2, "times": 1},
        {"on": "pickerList", "do": "lose_token", "nth": [1]},
        {"on": "pickerList", "do": "false_end", "nth": [2]},
        {"on": "pickerList", "do": "no_id", "at": 1, "nth": [3]},
        {"on": "pickerList", "do": "no_kind", "nth": [4]},
        {"on": "pickerList", "do": "no_items", "nth": [5]},
    ]
    with picker.simulator.faults(*rules):
        answer = picker.get(session)
        assert answer.status == 503 and answer.header("Retry-After") == "2"
        assert picker.get(session).status == 200
        first, ended, nameless, kindless, empty = (picker.list(session).json() for _ in range(5))
        struck = [rule["struck"] for rule in picker.caller.get_json("/control/counters")["faults"]]
    assert len(first["mediaItems"]) == 50 and "nextPageToken" not in first
    assert ended == {}
    assert not any("id" in item for item in nameless["mediaItems"])
    for item in kindless["mediaItems"]:
        assert "type" not in item and set(item["mediaFile"]) == {"baseUrl", "mediaFileMetadata"}
        assert not set(item["mediaFile"]["mediaFileMetadata"]) & {"photoMetadata", "videoMetadata"}
    assert "mediaItems" not in empty and empty["nextPageToken"]
    assert struck == [1] * 6
    item = picker.items(session)[0]
    with picker.simulator.faults({"on": "download", "do": "status", "status": 500, "match": item["id"]}):
        assert picker.caller.get(item["mediaFile"]["baseUrl"] + "=d").status == 500
    counted = picker.caller.get_json("/control/counters")["requests"]
    assert (counted["pickerCreate"], counted["pickerGet"], counted["download"]) == (1, 2, 1)


# The page


def form(picker, uri, fields):
    """Sends the page's form, as a browser would."""
    return picker.caller.send(
        "POST", uri, urlencode(fields).encode(), {"Content-Type": "application/x-www-form-urlencoded"}, token=None
    )


def boxes(page):
    """Value and label of each box that can be ticked."""
    return re.findall(r'<input type="checkbox" name="item" value="(-?\d+)"> (.*?) \(', page)


@pytest.mark.parametrize("suffix", ["", "/autoclose"])
def test_a_person_ticks_items_and_presses_done_once(picker, suffix):
    # Picker API reference, sessions: pickerUri, /autoclose closes the tab; dead once Done is pressed
    session = picker.session({"pickingConfig": {"maxItemCount": "2"}})
    uri = session["pickerUri"] + suffix
    page = picker.caller.get(uri, token=None)
    assert page.status == 200 and page.content_type == "text/html" and page.header("X-Frame-Options") == "DENY"
    offered = boxes(page.text)
    assert len(offered) == len(picker.caller.get_json("/control/library"))
    # Neither nothing nor too much can be picked.
    assert form(picker, uri, []).status == 400
    assert form(picker, uri, [("item", value) for value, _ in offered[:3]]).status == 400
    assert "mediaItemsSet" not in picker.get(session).json()
    done = form(picker, uri, [("item", value) for value, _ in offered[:2]])
    assert done.status == 200 and ("window.close()" in done.text) == (suffix == "/autoclose")
    assert picker.get(session).json()["mediaItemsSet"] is True
    names = {item["mediaFile"]["filename"] for item in picker.items(session)}
    assert names == {name.replace("&amp;", "&") for _, name in offered[:2]}
    assert picker.caller.get(uri, token=None).status == 404
    assert form(picker, uri, [("item", offered[4][0])]).status == 404
    assert len(picker.items(session)) == 2


def test_a_person_picks_everything(large):
    # Picker API reference, PickingConfig: up to 2000
    session = large.session({})
    page = large.caller.get(session["pickerUri"], token=None)
    assert len(boxes(page.text)) == 500 and "of 2600 items" in page.text
    assert form(large, session["pickerUri"], {"all": "1"}).status == 200
    assert len(large.items(session, pageSize=100)) == 2000


def test_a_name_cannot_write_into_the_page(spawn):
    # A file's name is the owner's, and a web page is not
    picker = Picker(spawn("--synthesize", "1", "--sizes", "10KB"))
    name = '<script>alert("x")</script>.jpg'
    picker.simulator.control("library/add", {"filename": name, "kind": "photo"})
    page = picker.caller.get(picker.session({})["pickerUri"], token=None).text
    assert "<script>" not in page and "&lt;script&gt;alert(&quot;x&quot;)" in page


def test_deleted_sessions_pages_are_dead(picker):
    session = picker.session({})
    picker.delete(session)
    assert picker.caller.get(session["pickerUri"], token=None).status == 404


def test_what_is_left_of_sessions_can_be_seen(spawn):
    # The simulator's own promise: a test sees whether a client cleaned up
    picker = Picker(spawn("--synthesize", "3", "--sizes", "10KB"))
    first, second = picker.picked(count=2), picker.session({})
    picker.delete(first)
    left = picker.caller.get_json("/control/picker")
    assert [(one["id"], one["picked"], one["expired"]) for one in left] == [(second["id"], None, False)]
    # The newest open session is meant where none is named.
    picker.simulator.control("pick", {"count": 1, "from": 1})
    assert len(picker.items(second)) == 1
    for wrong in ({"count": 1}, {"session": "no", "count": 1}, {"session": second["id"], "count": 1}):
        assert picker.caller.post_json("/control/pick", wrong).status == 400


def test_a_picker_at_its_own_name_is_told_apart_by_it(samples):
    # Both APIs have /v1/mediaItems: photospicker.googleapis.com and photoslibrary.googleapis.com
    picker = Picker(samples)
    answer = picker.caller.get("/v1/mediaItems", headers={"Host": "photospicker.googleapis.com"})
    refused(answer, 400, "INVALID_ARGUMENT")
