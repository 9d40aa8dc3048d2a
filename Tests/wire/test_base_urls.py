"""Base URLs: what each suffix gives, and whom they answer."""

import hashlib
import http.client
import pathlib
import unicodedata
from urllib.parse import urlsplit

import pytest
from conftest import ROOT
from test_library import items, pages

FILES = {}
for path in sorted((ROOT / "Samples").rglob("*")):
    if path.is_file():
        FILES.setdefault(path.name, []).append(path)


@pytest.fixture(scope="module")
def photos(samples):
    return samples.photos()


@pytest.fixture(scope="module")
def library(photos):
    return items(pages(photos, 100))


def named(library, filename):
    found = [item for item in library if item["filename"] == filename]
    assert len(found) == 1, filename
    return found[0]


def is_video(item):
    return "video" in item["mediaMetadata"]


def test_the_library_holds_every_file_of_the_folder(library):
    # The simulator's own promise: an item for each file, under the file's name
    assert sorted(item["filename"] for item in library) == sorted(
        name for name, paths in FILES.items() for _ in paths
    )


def test_d_gives_the_bytes_of_each_photo(photos, library):
    # Photos Library API guide, Access media items: Image base URLs, the d parameter
    for item in library:
        if is_video(item):
            continue
        answer = photos.get(item["baseUrl"] + "=d")
        assert answer.status == 200, item["filename"]
        assert int(answer.header("Content-Length")) == len(answer.body)
        assert answer.content_type.startswith("image/")
        assert answer.body in [path.read_bytes() for path in FILES[item["filename"]]], item["filename"]


def test_no_two_items_share_their_bytes(photos, library):
    # Two files of one name are two items, each with a base URL of its own
    twins = [item for item in library if item["filename"] == "IMG_0001.JPG"]
    assert len(twins) == 2
    assert len({hashlib.sha256(photos.get(item["baseUrl"] + "=d").body).digest() for item in twins}) == 2


def test_dv_redirects_to_another_origin_that_needs_no_token(photos, library):
    # Photos Library API guide, Access media items: Video base URLs, the dv parameter; RFC 9110, 15.4.3 302 Found
    for item in library:
        if not is_video(item):
            continue
        answer = photos.get(item["baseUrl"] + "=dv")
        assert answer.status == 302, item["filename"]
        there, here = urlsplit(answer.header("Location")), urlsplit(item["baseUrl"])
        assert there.scheme and (there.scheme, there.netloc) != (here.scheme, here.netloc)
        body = photos.get(answer.header("Location"), token=None)
        assert body.status == 200
        assert body.content_type.startswith("video/")
        assert body.body in [path.read_bytes() for path in FILES[item["filename"]]], item["filename"]


def test_d_on_a_video_gives_a_picture_of_it(photos, library):
    # Photos Library API guide, Access media items: image parameters on a video give its thumbnail
    item = named(library, "VID_20230816_090000.mp4")
    answer = photos.get(item["baseUrl"] + "=d")
    assert answer.status == 200
    assert answer.content_type.startswith("image/")
    assert answer.body not in [path.read_bytes() for path in FILES[item["filename"]]]


def test_no_suffix_gives_a_small_copy(photos, library):
    # Photos Library API reference, REST resource mediaItems: baseUrl shouldn't be used as is
    item = named(library, "PXL_20240121_080910111.jpg")
    answer = photos.get(item["baseUrl"])
    assert answer.status == 200
    assert answer.content_type.startswith("image/")
    assert answer.body not in [path.read_bytes() for path in FILES[item["filename"]]]


def test_a_motion_photo_gives_its_still_and_its_clip(photos, library):
    # Photos Library API guide, Access media items: motion photos take image and video parameters.
    # The clip is what stands behind the picture: Motion Photo format 1.0.
    for filename in ("PXL_20240102_030405678.MP.jpg", "MVIMG_20190304_101112.jpg"):
        item = named(library, filename)
        assert not is_video(item)
        whole = FILES[filename][0].read_bytes()
        redirect = photos.get(item["baseUrl"] + "=dv")
        assert redirect.status == 302
        clip = photos.get(redirect.header("Location"), token=None)
        assert clip.status == 200 and clip.content_type.startswith("video/")
        assert clip.body[4:8] == b"ftyp"
        assert whole.endswith(clip.body) and len(clip.body) < len(whole)


def test_dv_on_a_plain_still_gives_no_clip(photos, library):
    # Photos Library API guide, Access media items: video parameters belong to videos and motion photos
    answer = photos.get(named(library, "IMG_0003.JPG")["baseUrl"] + "=dv")
    assert answer.status in (400, 404)


def test_an_unknown_base_url_is_refused_in_html(photos, library):
    # Photos Library API guide, Access media items: base URLs that are not valid (any more) answer 403
    answer = photos.get(library[0]["baseUrl"][:-4] + "zzzz=d")
    assert answer.status in (403, 404)
    assert answer.content_type == "text/html"


def test_byte_ranges_are_not_served(photos, library):
    # RFC 9110, 14.2 Range: a server may ignore it, and answers with everything
    redirect = photos.get(named(library, "MVI_0005.MOV")["baseUrl"] + "=dv").header("Location")
    answer = photos.get(redirect, token=None, headers={"Range": "bytes=100-"})
    assert answer.status == 200
    assert len(answer.body) == pathlib.Path(FILES["MVI_0005.MOV"][0]).stat().st_size


def test_names_are_kept_as_they_are(library):
    # Composed and decomposed letters are different names here: Unicode Standard Annex #15
    names = {item["filename"] for item in library}
    composed = unicodedata.normalize("NFC", "Käyrä.jpg")
    assert {composed, unicodedata.normalize("NFD", composed)} <= names


@pytest.fixture
def item(fragile):
    """A photo of the library whose simulator may be turned."""
    return next(item for item in items(pages(fragile.photos(), 100)) if not is_video(item))


def test_an_expired_base_url_is_a_403_in_html_and_a_fresh_one_works(fragile, item):
    # Photos Library API guide, Access media items: base URLs are valid for 60 minutes
    photos = fragile.photos()
    video = next(item for item in items(pages(photos, 100)) if is_video(item))
    redirected = photos.get(video["baseUrl"] + "=dv").header("Location")
    fragile.control("expire-base-urls")
    for url in (item["baseUrl"] + "=d", video["baseUrl"] + "=dv", redirected):
        answer = photos.get(url)
        assert answer.status == 403
        assert answer.content_type == "text/html"
    fresh = photos.get_json("/v1/mediaItems/" + item["id"])["baseUrl"]
    assert fresh != item["baseUrl"]
    assert photos.get(fresh + "=d").status == 200


def test_a_video_that_is_not_ready_gives_no_video(spawn, tmp_path):
    # Photos Library API guide, Access media items: a video's bytes only when its status is READY
    clip = FILES["MVI_0005.MOV"][0].read_bytes()
    (tmp_path / "wait.processing-600s.mov").write_bytes(clip)
    (tmp_path / "broken.failed.mov").write_bytes(clip)
    photos = spawn("--library", tmp_path).photos()
    found = {item["filename"]: item for item in items(pages(photos))}
    statuses = {name: item["mediaMetadata"]["video"]["status"] for name, item in found.items()}
    assert statuses == {"wait.processing-600s.mov": "PROCESSING", "broken.failed.mov": "FAILED"}
    for item in found.values():
        assert photos.get(item["baseUrl"] + "=dv").status >= 400


def test_a_cut_body_is_shorter_than_its_length(fragile, item):
    # RFC 9112, 8 Handling Incomplete Messages
    photos = fragile.photos()
    with fragile.faults({"on": "download", "do": "cut", "at": 0.5, "times": 1}):
        with pytest.raises(http.client.IncompleteRead) as cut:
            photos.get(item["baseUrl"] + "=d")
        assert cut.value.expected > 0
    assert photos.get(item["baseUrl"] + "=d").status == 200


def test_a_body_may_end_with_the_connection(fragile, item):
    # RFC 9112, 6.3 Message Body Length: neither Content-Length nor chunks
    photos = fragile.photos()
    whole = photos.get(item["baseUrl"] + "=d")
    with fragile.faults({"on": "download", "do": "no_length"}):
        answer = photos.get(item["baseUrl"] + "=d")
    assert answer.header("Content-Length") is None and answer.header("Transfer-Encoding") is None
    assert answer.body == whole.body


def test_a_web_page_may_come_with_status_200(fragile, item):
    # nextcloud/integration_google, issue 128: a sign-in page was stored as a video
    with fragile.faults({"on": "download", "do": "html", "content_type": "image/jpeg", "times": 1}):
        answer = fragile.photos().get(item["baseUrl"] + "=d")
    assert answer.status == 200
    assert answer.content_type == "image/jpeg"
    assert b"<html" in answer.body.lower()


def test_two_downloads_of_one_item_may_differ(fragile, item):
    # Google Photos makes its download renditions anew
    photos = fragile.photos()
    first = photos.get(item["baseUrl"] + "=d").body
    with fragile.faults({"on": "download", "do": "different"}):
        second = photos.get(item["baseUrl"] + "=d").body
    assert len(first) == len(second) and first != second


def test_the_byte_that_differs_stands_where_the_rule_says(fragile, item):
    photos = fragile.photos()
    first = photos.get(item["baseUrl"] + "=d").body
    with fragile.faults({"on": "download", "do": "different", "at": 0.05}):
        second = photos.get(item["baseUrl"] + "=d").body
    differing = [place for place, (a, b) in enumerate(zip(first, second)) if a != b]
    assert differing == [int(len(first) * 0.05)]


@pytest.mark.parametrize("factor", [0.7, 1.8])
def test_two_downloads_of_one_item_may_have_different_lengths(fragile, item, factor):
    # Google Photos transcodes videos anew
    photos = fragile.photos()
    first = photos.get(item["baseUrl"] + "=d").body
    with fragile.faults({"on": "download", "do": "resized", "factor": factor}):
        answer = photos.get(item["baseUrl"] + "=d")
    assert len(answer.body) == int(len(first) * factor) == int(answer.header("Content-Length"))
    assert (first * 2).startswith(answer.body)


@pytest.mark.parametrize("factor", [0, 5, "long"])
def test_a_factor_out_of_range_is_refused(fragile, factor):
    rule = {"on": "download", "do": "resized", "factor": factor}
    assert fragile.caller().post_json("/control/faults", [rule]).status == 400
