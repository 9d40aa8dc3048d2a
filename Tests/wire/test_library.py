"""Google Photos Library API: list, search, get, batchGet."""

from urllib.parse import urlencode

import pytest


def pages(photos, size=None):
    """Every page of mediaItems.list, until there is no token."""
    result, token = [], None
    while True:
        query = {key: value for key, value in (("pageSize", size), ("pageToken", token)) if value is not None}
        page = photos.get_json("/v1/mediaItems?" + urlencode(query))
        result.append(page)
        token = page.get("nextPageToken")
        if token is None:
            return result


def items(pages):
    return [item for page in pages for item in page.get("mediaItems", [])]


def batch(photos, ids):
    return photos.get("/v1/mediaItems:batchGet?" + urlencode([("mediaItemIds", id) for id in ids]))


@pytest.fixture(scope="module")
def photos(many):
    return many.photos()


@pytest.fixture(scope="module")
def library(photos):
    return items(pages(photos, 100))


def test_every_item_is_listed_once_over_all_pages(photos, library):
    # Photos Library API reference, mediaItems.list
    assert len(library) == 260
    assert len({item["id"] for item in library}) == 260


def test_a_page_holds_25_items_unless_asked_and_never_more_than_100(photos):
    # Photos Library API reference, mediaItems.list: pageSize, default 25, maximum 100
    for size, expected in ((None, 25), (0, 25), (10, 10), (100, 100), (1000, 100)):
        query = "" if size is None else f"?pageSize={size}"
        page = photos.get_json("/v1/mediaItems" + query)
        assert 0 < len(page["mediaItems"]) <= expected
        assert page["nextPageToken"]


def test_the_last_page_has_no_token(photos):
    # Photos Library API reference, mediaItems.list: nextPageToken, the only reliable sign of more items
    all_pages = pages(photos, 100)
    assert all("nextPageToken" in page for page in all_pages[:-1])
    assert "nextPageToken" not in all_pages[-1]


def test_a_page_token_that_was_never_given_out_is_an_invalid_argument(photos):
    # Google Cloud API design guide, Errors: INVALID_ARGUMENT is HTTP 400
    answer = photos.get("/v1/mediaItems?pageToken=neverGivenOut")
    assert answer.status == 400
    assert answer.json()["error"]["status"] == "INVALID_ARGUMENT"


def test_a_page_token_can_be_used_again(photos):
    # A killed scan asks for its page again: Photos Library API reference, mediaItems.list
    token = photos.get_json("/v1/mediaItems?pageSize=50")["nextPageToken"]
    first, second = (
        photos.get_json("/v1/mediaItems?" + urlencode({"pageSize": 50, "pageToken": token})) for _ in range(2)
    )
    assert [item["id"] for item in first["mediaItems"]] == [item["id"] for item in second["mediaItems"]]


def test_an_item_has_the_fields_of_its_kind(library):
    # Photos Library API reference, REST resource mediaItems: width and height are int64, so strings in JSON
    kinds = set()
    for item in library:
        assert item["id"] and item["filename"] and item["baseUrl"] and "/" in item["mimeType"]
        metadata = item["mediaMetadata"]
        assert isinstance(metadata["width"], str) and int(metadata["width"]) > 0
        assert isinstance(metadata["height"], str) and int(metadata["height"]) > 0
        assert metadata["creationTime"].endswith("Z")
        assert ("photo" in metadata) != ("video" in metadata)
        kinds.add("video" if "video" in metadata else "photo")
        if "video" in metadata:
            assert metadata["video"]["status"] == "READY"
            assert item["mimeType"].startswith("video/")
    assert kinds == {"photo", "video"}


def test_get_answers_one_item_and_404_for_an_unknown_id(photos, library):
    # Photos Library API reference, mediaItems.get
    answer = photos.get_json("/v1/mediaItems/" + library[7]["id"])
    assert answer["id"] == library[7]["id"] and answer["filename"] == library[7]["filename"]
    missing = photos.get("/v1/mediaItems/unknown")
    assert missing.status == 404
    assert missing.json()["error"]["status"] == "NOT_FOUND"


def test_batch_get_answers_in_the_order_that_was_asked(photos, library):
    # Photos Library API reference, mediaItems.batchGet
    ids = [item["id"] for item in library[49::-1]]
    assert len(ids) == 50
    results = batch(photos, ids).json()["mediaItemResults"]
    assert [result["mediaItem"]["id"] for result in results] == ids


def test_batch_get_has_a_status_for_each_item_that_it_cannot_give(photos, library):
    # Photos Library API reference, mediaItems.batchGet: MediaItemResult; google.rpc.Code 5 is NOT_FOUND
    answer = batch(photos, [library[0]["id"], "unknown", library[1]["id"]])
    assert answer.status == 200
    first, second, third = answer.json()["mediaItemResults"]
    assert first["mediaItem"]["id"] == library[0]["id"]
    assert "mediaItem" not in second and second["status"]["code"] in (3, 5) and second["status"]["message"]
    assert third["mediaItem"]["id"] == library[1]["id"]


@pytest.mark.parametrize("choose", ["51 ids", "no id", "one id twice"])
def test_batch_get_refuses(photos, library, choose):
    # Photos Library API reference, mediaItems.batchGet: mediaItemIds, at most 50, not empty, no repeats
    ids = [item["id"] for item in library]
    chosen = {"51 ids": ids[:51], "no id": [], "one id twice": [ids[0], ids[0]]}[choose]
    answer = batch(photos, chosen)
    assert answer.status == 400
    assert answer.json()["error"]["status"] == "INVALID_ARGUMENT"


def search(photos, **body):
    return photos.post_json("/v1/mediaItems:search", body)


def date(text):
    year, month, day = (int(part) for part in text.split("-"))
    return {"year": year, "month": month, "day": day}


def between(start, end):
    return {"dateFilter": {"ranges": [{"startDate": date(start), "endDate": date(end)}]}}


@pytest.fixture(scope="module")
def sample_photos(samples):
    return samples.photos()


def test_a_search_by_date_gives_what_was_taken_within_both_days(sample_photos):
    # Photos Library API guide, Apply filters: dates; ranges include both ends
    found = search(sample_photos, pageSize=100, filters=between("2023-07-14", "2023-07-15")).json()["mediaItems"]
    assert sorted(item["filename"] for item in found) == ["IMG_0001.JPG", "IMG_0002.JPG"]
    assert all(item["mediaMetadata"]["creationTime"][:10] in ("2023-07-14", "2023-07-15") for item in found)


def test_a_search_without_a_match_is_an_empty_object(sample_photos):
    # Photos Library API guide, List library contents; proto3 JSON leaves out what is empty
    answer = search(sample_photos, filters=between("1900-01-01", "1900-01-02"))
    assert answer.status == 200
    assert "mediaItems" not in answer.json() and "nextPageToken" not in answer.json()


def test_a_search_pages_like_a_list(photos, library):
    # Photos Library API reference, mediaItems.search: pageSize, pageToken
    found, token = [], None
    while True:
        body = {"pageSize": 100, "filters": between("1970-01-01", "2037-12-31")}
        page = search(photos, **body, **({"pageToken": token} if token else {})).json()
        found += [item["id"] for item in page.get("mediaItems", [])]
        token = page.get("nextPageToken")
        if token is None:
            break
    assert sorted(found) == sorted(item["id"] for item in library)


def test_a_search_refuses_an_album_together_with_filters(photos):
    # Photos Library API reference, mediaItems.search: albumId cannot be set with filters
    answer = search(photos, albumId="album", filters=between("2024-01-01", "2024-01-02"))
    assert answer.status == 400
    assert answer.json()["error"]["status"] == "INVALID_ARGUMENT"


def test_a_search_that_is_not_json_is_an_invalid_argument(photos):
    # Google Cloud API design guide, Errors
    answer = photos.send("POST", "/v1/mediaItems:search", b"{", {"Content-Type": "application/json"})
    assert answer.status == 400


@pytest.fixture(scope="module")
def odd(spawn):
    """A library that answers as real ones were seen to: empty pages, repeats, missing fields."""
    quirks = "empty-pages,repeat-across-pages,missing-fields,empty-results"
    return spawn("--synthesize", "260", "--sizes", "10KB-20KB", "--quirks", quirks).photos()


def test_a_page_may_be_without_items_and_still_have_a_successor(odd):
    # Photos Library API reference, mediaItems.list: fewer items than pageSize may be returned
    all_pages = pages(odd, 50)
    assert any("mediaItems" not in page and "nextPageToken" in page for page in all_pages)
    assert len({item["id"] for item in items(all_pages)}) == 260


def test_an_item_may_come_again_on_the_next_page(odd):
    # rclone's googlephotos backend skips the first item of a page that repeats the last one's
    found = [item["id"] for item in items(pages(odd, 50))]
    assert len(found) > len(set(found)) == 260


def test_fields_may_be_missing(odd):
    # All fields of a MediaItem are optional in proto3 JSON; mimeType and filename were seen missing
    found = items(pages(odd, 50))
    assert all(item["id"] for item in found)
    assert any("filename" not in item for item in found) or any("mimeType" not in item for item in found)


def test_a_page_token_expires(fragile):
    # Google AIP-158, Pagination: page tokens may expire
    photos = fragile.photos()
    token = photos.get_json("/v1/mediaItems?pageSize=10")["nextPageToken"]
    fragile.control("expire-page-tokens")
    answer = photos.get("/v1/mediaItems?" + urlencode({"pageSize": 10, "pageToken": token}))
    assert answer.status == 400
    assert answer.json()["error"]["status"] == "INVALID_ARGUMENT"


def test_a_bad_id_may_spoil_the_whole_batch_and_single_gets_find_it(spawn):
    # gphotos-sync, issue 33: batchGet answers 500 for all because of one item
    photos = spawn("--synthesize", "60", "--sizes", "10KB", "--quirks", "bad-id").photos()
    ids = [item["id"] for item in items(pages(photos, 100))]
    answers = [batch(photos, ids[start : start + 20]).status for start in range(0, len(ids), 20)]
    assert 500 in answers
    bad = [id for id in ids if photos.get("/v1/mediaItems/" + id).status != 200]
    assert bad
    good = [id for id in ids if id not in bad]
    assert batch(photos, good[:50]).status == 200


def test_too_many_requests_name_the_wait(fragile):
    # Google Photos APIs, Best practices: 429, exponential backoff; RFC 9110, 10.2.3 Retry-After
    photos = fragile.photos()
    with fragile.faults({"on": "list", "do": "status", "status": 429, "retry_after": 7, "times": 1}):
        answer = photos.get("/v1/mediaItems")
        assert answer.status == 429
        assert answer.header("Retry-After") == "7"
        assert answer.json()["error"]["status"] == "RESOURCE_EXHAUSTED"
        assert photos.get("/v1/mediaItems").status == 200


def struck(simulator):
    """How often each rule in force has struck."""
    return [rule["struck"] for rule in simulator.caller().get_json("/control/counters")["faults"]]


def test_a_listing_may_seem_to_end_where_it_does_not(fragile):
    # An answer of {} is what an empty last page looks like (gphotos-sync, issue 173); asked again, the page is there
    photos = fragile.photos()
    first = photos.get_json("/v1/mediaItems?pageSize=10")
    second = "/v1/mediaItems?" + urlencode({"pageSize": 10, "pageToken": first["nextPageToken"]})
    with fragile.faults({"on": "list", "do": "false_end", "nth": [2]}):
        assert photos.get_json("/v1/mediaItems?pageSize=10")["mediaItems"]
        assert photos.get_json(second) == {}
        again = photos.get_json(second)
        assert len(again["mediaItems"]) == 10 and again["nextPageToken"]
        assert struck(fragile) == [1]


def test_a_page_may_lose_its_token_alone(fragile):
    photos = fragile.photos()
    with fragile.faults({"on": "list", "do": "lose_token", "times": 1}):
        page = photos.get_json("/v1/mediaItems?pageSize=10")
        assert len(page["mediaItems"]) == 10 and "nextPageToken" not in page
        whole = photos.get_json("/v1/mediaItems?pageSize=10")
        assert [item["id"] for item in whole["mediaItems"]] == [item["id"] for item in page["mediaItems"]]
        assert whole["nextPageToken"]
        assert struck(fragile) == [1]


def test_an_error_may_come_with_status_200(fragile):
    photos = fragile.photos()
    with fragile.faults({"on": "list,search", "do": "error_object", "times": 2}):
        for answer in (photos.get("/v1/mediaItems"), photos.post_json("/v1/mediaItems:search", {})):
            assert answer.status == 200
            assert list(answer.json()) == ["error"]
            assert answer.json()["error"]["status"] == "INTERNAL"
        assert photos.get_json("/v1/mediaItems")["mediaItems"]
        assert struck(fragile) == [2]


def test_items_may_come_without_what_tells_a_photo_from_a_video(fragile):
    photos = fragile.photos()
    whole = photos.get_json("/v1/mediaItems?pageSize=3")["mediaItems"]
    with fragile.faults({"on": "list,get,batchGet", "do": "no_kind"}):
        listed = photos.get_json("/v1/mediaItems?pageSize=3")["mediaItems"]
        one = photos.get_json(f"/v1/mediaItems/{whole[0]['id']}")
        batch = photos.get_json(f"/v1/mediaItems:batchGet?mediaItemIds={whole[0]['id']}")["mediaItemResults"][0]["mediaItem"]
        assert [item["id"] for item in listed] == [item["id"] for item in whole]
        for item in [*listed, one, batch]:
            assert not {"mimeType", "filename"} & item.keys()
            assert not {"photo", "video"} & item["mediaMetadata"].keys()
            assert item["baseUrl"] and item["mediaMetadata"]["creationTime"]


def test_a_page_may_come_without_its_items(fragile):
    photos = fragile.photos()
    with fragile.faults({"on": "list", "do": "no_items", "nth": [1]}):
        page = photos.get_json("/v1/mediaItems?pageSize=3")
        assert "mediaItems" not in page and page["nextPageToken"]
        assert len(photos.get_json("/v1/mediaItems?pageSize=3")["mediaItems"]) == 3


def test_entries_may_come_without_an_id(fragile):
    photos = fragile.photos()
    with fragile.faults(
        {"on": "list", "do": "no_id", "nth": [1]}, {"on": "list", "do": "no_id", "at": 0.3, "nth": [2]}
    ):
        one, some, none = (photos.get_json("/v1/mediaItems?pageSize=10")["mediaItems"] for _ in range(3))
        assert ["id" in item for item in one] == [False] + [True] * 9
        assert ["id" in item for item in some] == [False] * 3 + [True] * 7
        assert all("id" in item for item in none)
        assert all(item["filename"] for item in some)
        assert struck(fragile) == [1, 1]
