"""Cloud Storage, uploads in one request: multipart and media; checksums, preconditions, metadata, names."""

import base64
import hashlib

import pytest

from wire import KIB, crc32c, noise


def assert_invalid(answer):
    assert answer.status == 400, answer
    assert answer.json()["error"]["code"] == 400
    assert answer.json()["error"]["message"]


def test_a_multipart_upload_keeps_the_resource_and_answers_with_what_is_stored(bucket, name):
    # Cloud Storage docs, JSON API reference: Objects: insert; Upload an object: multipart
    body = noise(100 * KIB)
    resource = {
        "name": name,
        "storageClass": "ARCHIVE",
        "contentType": "image/jpeg",
        "customTime": "2024-01-02T03:04:05Z",
        "metadata": {"coldroll-item": "an id", "coldroll-filename": "Käyrä 🌲.jpg"},
        "crc32c": crc32c(body),
    }
    answer = bucket.multipart(resource, body, "image/jpeg")
    assert answer.status == 200, answer
    stored = answer.json()
    assert stored["kind"] == "storage#object"
    assert stored["bucket"] == "archive"
    assert {key: stored[key] for key in resource if key != "customTime"} == {
        key: resource[key] for key in resource if key != "customTime"
    }
    assert stored["customTime"].startswith("2024-01-02T03:04:05")
    # int64 values are strings in JSON: size, generation, metageneration
    assert stored["size"] == str(len(body))
    assert int(stored["generation"]) > 0 and isinstance(stored["generation"], str)
    assert stored["metageneration"] == "1"
    assert stored["md5Hash"] == base64.b64encode(hashlib.md5(body).digest()).decode()
    assert bucket.read(name).body == body


def test_the_name_in_the_query_wins(bucket, name):
    # Cloud Storage docs, Objects: insert: name, overrides the object metadata's name value
    answer = bucket.multipart({"name": "from the body"}, b"x", name=name)
    assert answer.json()["name"] == name


def test_an_empty_object_has_the_size_zero(bucket, name):
    # Cloud Storage docs, JSON API reference: Objects resource: size
    assert bucket.multipart({"name": name}, b"").json()["size"] == "0"
    assert bucket.read(name).body == b""


def test_a_media_upload_takes_its_type_from_the_header(bucket, name):
    # Cloud Storage docs, Upload an object: media
    answer = bucket.caller.send(
        "POST", bucket.upload_target("media", name=name), b"bytes", {"Content-Type": "image/png"}
    )
    assert answer.status == 200
    assert answer.json()["contentType"] == "image/png"


def test_a_body_that_holds_the_boundary_within_a_line_is_kept(bucket, name):
    # RFC 2046, 5.1.1: a delimiter stands at the beginning of a line
    boundary = "abc123"
    body = b"before--abc123--after\r\n-abc123\r\n"
    whole = (
        f"--{boundary}\r\nContent-Type: application/json\r\n\r\n{{\"name\": \"{name}\"}}\r\n"
        f"--{boundary}\r\nContent-Type: image/jpeg\r\n\r\n".encode() + body + f"\r\n--{boundary}--".encode()
    )
    answer = bucket.caller.send(
        "POST", bucket.upload_target("multipart"), whole, {"Content-Type": f'multipart/related; boundary="{boundary}"'}
    )
    assert answer.status == 200, answer
    assert bucket.read(name).body == body


def test_a_media_part_without_headers_takes_its_type_from_the_metadata(bucket, name):
    # rclone, backend/googlecloudstorage: the type is in the object resource only
    resource = f'{{"name": "{name}", "contentType": "image/jpeg"}}'
    whole = f"--b\r\nContent-Type: application/json\r\n\r\n{resource}\r\n--b\r\n\r\nbytes\r\n--b--\r\n"
    kind = {"Content-Type": "multipart/related; boundary=b"}
    answer = bucket.caller.send("POST", bucket.upload_target("multipart"), whole.encode(), kind)
    assert answer.status == 200, answer
    assert answer.json()["contentType"] == "image/jpeg"
    assert bucket.read(name).body == b"bytes"


@pytest.mark.parametrize("fault", ["no boundary", "one part", "not JSON", "line feeds only", "cut off"])
def test_a_multipart_body_that_is_malformed_is_a_bad_request(bucket, name, fault):
    # Cloud Storage docs, Upload an object: multipart: exactly two parts, each with its headers and CRLF
    resource = f'{{"name": "{name}"}}'
    first = f"--b\r\nContent-Type: application/json\r\n\r\n{resource}\r\n"
    second = "--b\r\nContent-Type: image/jpeg\r\n\r\nbytes\r\n"
    whole, kind = {
        "no boundary": (first + second + "--b--\r\n", "multipart/related"),
        "one part": (first + "--b--\r\n", "multipart/related; boundary=b"),
        "not JSON": ((first + second).replace(resource, "{") + "--b--\r\n", "multipart/related; boundary=b"),
        "line feeds only": ((first + second + "--b--\r\n").replace("\r\n", "\n"), "multipart/related; boundary=b"),
        "cut off": (first + second, "multipart/related; boundary=b"),
    }[fault]
    answer = bucket.caller.send("POST", bucket.upload_target("multipart"), whole.encode(), {"Content-Type": kind})
    assert answer.status == 400
    assert bucket.metadata(name).status == 404


def test_a_wrong_crc32c_is_refused_and_nothing_is_stored(bucket, name):
    # Cloud Storage docs, Data validation: the object is created only if the checksum matches
    assert_invalid(bucket.multipart({"name": name, "crc32c": crc32c(b"other")}, b"bytes"))
    assert bucket.metadata(name).status == 404


def test_a_wrong_md5_is_refused_and_nothing_is_stored(bucket, name):
    # Cloud Storage docs, Data validation
    md5 = base64.b64encode(hashlib.md5(b"other").digest()).decode()
    assert_invalid(bucket.multipart({"name": name, "md5Hash": md5}, b"bytes"))
    assert bucket.metadata(name).status == 404


def test_the_second_upload_under_generation_zero_fails_and_keeps_the_first(bucket, name):
    # Cloud Storage docs, Request preconditions: ifGenerationMatch=0
    first = bucket.multipart({"name": name}, b"first", ifGenerationMatch=0)
    assert first.status == 200
    second = bucket.multipart({"name": name}, b"second", ifGenerationMatch=0)
    assert second.status == 412
    error = second.json()["error"]
    assert error["code"] == 412
    assert error["errors"][0]["reason"] == "conditionNotMet"
    assert bucket.read(name).body == b"first"
    assert bucket.metadata(name).json()["generation"] == first.json()["generation"]


def test_a_precondition_on_the_generation_that_is_there_replaces_the_object(bucket, name):
    # Cloud Storage docs, Request preconditions: ifGenerationMatch
    first = bucket.multipart({"name": name}, b"first").json()
    second = bucket.multipart({"name": name}, b"second", ifGenerationMatch=first["generation"])
    assert second.status == 200
    assert int(second.json()["generation"]) > int(first["generation"])
    assert bucket.multipart({"name": name}, b"third", ifGenerationMatch=first["generation"]).status == 412


@pytest.mark.parametrize(
    "bad",
    ["with\rreturn", "with\nline feed", ".", "..", ".well-known/acme-challenge/x", "x" * 1025, "ä" * 513, ""],
    ids=["CR", "LF", "dot", "dots", "acme", "1025 bytes", "1026 bytes in UTF-8", "empty"],
)
def test_names_that_cloud_storage_does_not_take(bucket, bad):
    # Cloud Storage docs, About Cloud Storage objects: Object names
    assert bucket.multipart({"name": bad}, b"bytes").status == 400


@pytest.mark.parametrize(
    "good",
    ["a b/c+d&e=f%20#1?.jpg", "x" * 1024, "Ka\u0308yra\u0308.jpg", "\u05e9\u05dc\u05d5\u05dd.jpg", "🌲/🦌", "..jpg"],
    ids=["reserved characters", "1024 bytes", "NFD", "RTL", "emoji", "two dots and more"],
)
def test_names_that_must_come_back_as_they_were(bucket, good):
    # Cloud Storage docs, About Cloud Storage objects: Object names; Request endpoints: Encoding URI path parts
    bucket.multipart({"name": good}, b"bytes")
    assert bucket.metadata(good).json()["name"] == good
    assert good in bucket.names(prefix=good[:20])


def test_custom_metadata_over_8_kib_is_refused(bucket, name):
    # Cloud Storage docs, Quotas & limits: maximum combined size of custom metadata, 8 KiB
    assert bucket.multipart({"name": name, "metadata": {"key": "v" * (8 * KIB - 100)}}, b"x").status == 200
    assert_invalid(bucket.multipart({"name": name + "2", "metadata": {"key": "v" * (8 * KIB + 100)}}, b"x"))


def test_a_bucket_that_does_not_exist_is_not_found(bucket):
    # Cloud Storage docs, HTTP status and error codes for JSON: 404 Not Found
    answer = bucket.caller.send(
        "POST", "/upload/storage/v1/b/no-such-bucket/o?uploadType=media&name=x", b"x", {"Content-Type": "a/b"}
    )
    assert answer.status == 404
    assert answer.json()["error"]["code"] == 404


def test_the_same_idempotency_token_gets_the_same_answer(bucket, name):
    # Cloud Storage client libraries send x-goog-gcs-idempotency-token; the service replays the answer of a repeat
    headers = {"x-goog-gcs-idempotency-token": name}
    first = bucket.multipart({"name": name}, b"bytes", headers=headers, ifGenerationMatch=0)
    again = bucket.multipart({"name": name}, b"bytes", headers=headers, ifGenerationMatch=0)
    assert first.status == again.status == 200
    assert first.json()["generation"] == again.json()["generation"]
    other = {"x-goog-gcs-idempotency-token": name + "-other"}
    assert bucket.multipart({"name": name}, b"bytes", headers=other, ifGenerationMatch=0).status == 412


def test_one_object_takes_one_write_a_second(limited, name):
    # Cloud Storage docs, Quotas & limits: maximum rate of writes to the same object name, one per second
    assert limited.multipart({"name": name}, b"x").status == 200
    answer = limited.multipart({"name": name}, b"x")
    assert answer.status == 429
    error = answer.json()["error"]
    assert error["errors"][0]["reason"] == "rateLimitExceeded"
    assert limited.multipart({"name": name + "2"}, b"x").status == 200
