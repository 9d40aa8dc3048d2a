"""Cloud Storage: lists, reads and buckets."""

import base64
import hashlib
import uuid

import pytest

from wire import crc32c


@pytest.fixture(scope="module")
def listed(bucket):
    """A prefix under which nine objects stand, and their names."""
    prefix = f"list-{uuid.uuid4().hex}/"
    names = sorted(prefix + name for name in ("a", "b/1", "b/2", "b/3", "c", "d/1", "e", "z", "ä"))
    for name in names:
        assert bucket.multipart({"name": name, "metadata": {"for": "lists"}}, name.encode()).status == 200
    return prefix, names


def test_a_list_is_ordered_by_the_bytes_of_the_names(bucket, listed):
    # Cloud Storage docs, Objects: list: lexicographic order by name
    prefix, names = listed
    assert bucket.names(prefix=prefix) == sorted(names, key=str.encode)


def test_a_list_has_pages_of_the_size_that_was_asked(bucket, listed):
    # Cloud Storage docs, Objects: list: maxResults, pageToken, nextPageToken
    prefix, names = listed
    first = bucket.page(prefix=prefix, maxResults=4)
    assert [item["name"] for item in first["items"]] == names[:4]
    second = bucket.page(prefix=prefix, maxResults=4, pageToken=first["nextPageToken"])
    assert [item["name"] for item in second["items"]] == names[4:8]
    third = bucket.page(prefix=prefix, maxResults=4, pageToken=second["nextPageToken"])
    assert [item["name"] for item in third["items"]] == names[8:]
    assert "nextPageToken" not in third


def test_a_delimiter_gathers_prefixes(bucket, listed):
    # Cloud Storage docs, Objects: list: delimiter, prefixes
    prefix, _ = listed
    page = bucket.page(prefix=prefix, delimiter="/")
    assert page["prefixes"] == [prefix + "b/", prefix + "d/"]
    assert [item["name"] for item in page["items"]] == [prefix + name for name in ("a", "c", "e", "z", "ä")]


def test_offsets_bound_a_list(bucket, listed):
    # Cloud Storage docs, Objects: list: startOffset is inclusive, endOffset is exclusive
    prefix, _ = listed
    found = bucket.names(prefix=prefix, startOffset=prefix + "b/2", endOffset=prefix + "e")
    assert found == [prefix + name for name in ("b/2", "b/3", "c", "d/1")]


def test_fields_choose_what_a_list_holds(bucket, listed):
    # Cloud Storage docs, Partial response: fields
    prefix, names = listed
    page = bucket.page(prefix=prefix, fields="items(name,size,crc32c,generation,metadata),nextPageToken", maxResults=1)
    assert set(page) == {"items", "nextPageToken"}
    item = page["items"][0]
    assert set(item) == {"name", "size", "crc32c", "generation", "metadata"}
    assert item["crc32c"] == crc32c(names[0].encode())
    assert item["metadata"] == {"for": "lists"}


def test_an_empty_list_has_no_items(bucket):
    # Cloud Storage docs, Objects: list; proto3 JSON leaves out what is empty
    page = bucket.page(prefix="nothing stands here")
    assert "items" not in page and "nextPageToken" not in page


def test_an_object_is_in_the_list_at_once(bucket, name):
    # Cloud Storage docs, Consistency: strongly consistent list operations
    bucket.multipart({"name": name}, b"x")
    assert bucket.names(prefix=name) == [name]


def test_a_read_gives_the_bytes_with_their_checksums(bucket, name):
    # Cloud Storage docs, Objects: get: alt=media; the x-goog-hash response header. x-goog-generation beside it: Google's
    # own client reads it (google-resumable-media, _helpers.py, _parse_generation_header)
    stored = bucket.multipart({"name": name}, b"some bytes", "image/png")
    answer = bucket.read(name)
    assert answer.header("x-goog-generation") == stored.json()["generation"]
    assert answer.status == 200
    assert answer.body == b"some bytes"
    assert answer.content_type == "image/png"
    values = [value for key, value in answer.headers if key.lower() == "x-goog-hash"]
    hashes = ",".join(values).replace(" ", "").split(",")
    md5 = base64.b64encode(hashlib.md5(b"some bytes").digest()).decode()
    assert sorted(hashes) == sorted([f"crc32c={crc32c(b'some bytes')}", f"md5={md5}"])


def test_a_read_that_is_refused_says_why_in_plain_text(bucket):
    # firebase/firebase-tools#3647: with alt=media "No such object: …" as text/html, without it JSON
    answer = bucket.read("no such object")
    assert answer.status == 404
    assert answer.content_type.startswith("text/html")
    assert answer.body.startswith(b"No such object: ")


def test_a_read_can_begin_anywhere(bucket, name):
    # Cloud Storage docs, Objects: get; RFC 9110, 14.2 Range
    bucket.multipart({"name": name}, b"0123456789")
    answer = bucket.caller.get(bucket.object_path(name, alt="media"), headers={"Range": "bytes=3-5"})
    assert answer.status == 206
    assert answer.body == b"345"
    assert answer.header("Content-Range") == "bytes 3-5/10"


def test_an_object_that_does_not_exist_is_not_found(bucket):
    # Cloud Storage docs, HTTP status and error codes for JSON: 404 Not Found
    for answer in (bucket.metadata("no such object"), bucket.read("no such object")):
        assert answer.status == 404
    error = bucket.metadata("no such object").json()["error"]
    assert error["code"] == 404 and error["errors"][0]["reason"] == "notFound"


def test_a_bucket_is_made_once_and_keeps_its_settings(bucket):
    # Cloud Storage docs, Buckets: insert; 409 Conflict when the name is taken
    resource = {
        "name": f"made-{uuid.uuid4().hex[:12]}",
        "location": "EUROPE-NORTH1",
        "storageClass": "ARCHIVE",
        "iamConfiguration": {"uniformBucketLevelAccess": {"enabled": True}, "publicAccessPrevention": "enforced"},
        "softDeletePolicy": {"retentionDurationSeconds": "0"},
    }
    made = bucket.caller.post_json("/storage/v1/b?project=p", resource)
    assert made.status == 200, made
    got = bucket.caller.get_json(f"/storage/v1/b/{resource['name']}")
    assert got["location"] == "EUROPE-NORTH1" and got["storageClass"] == "ARCHIVE"
    assert got["iamConfiguration"]["uniformBucketLevelAccess"]["enabled"] is True
    assert got["iamConfiguration"]["publicAccessPrevention"] == "enforced"
    again = bucket.caller.post_json("/storage/v1/b?project=p", resource)
    assert again.status == 409
    assert again.json()["error"]["code"] == 409


def test_an_object_without_a_class_gets_its_bucket_s(bucket, name):
    # Cloud Storage docs, Storage classes: default storage class
    resource = {"name": f"cold-{uuid.uuid4().hex[:12]}", "storageClass": "ARCHIVE"}
    assert bucket.caller.post_json("/storage/v1/b?project=p", resource).status == 200
    stored = bucket.caller.send(
        "POST", f"/upload/storage/v1/b/{resource['name']}/o?uploadType=media&name=x", b"x", {"Content-Type": "a/b"}
    )
    assert stored.json()["storageClass"] == "ARCHIVE"


def test_a_bucket_that_does_not_exist_is_not_found(bucket):
    # Cloud Storage docs, Buckets: get
    assert bucket.caller.get("/storage/v1/b/no-such-bucket").status == 404
    assert bucket.caller.get("/storage/v1/b/no-such-bucket/o").status == 404
