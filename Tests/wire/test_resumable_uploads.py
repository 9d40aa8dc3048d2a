"""Cloud Storage docs, Resumable uploads: every rule that a client's recovery stands on."""

import http.client
import time

import pytest

from wire import KIB, UNIT, crc32c, noise

BODY = noise(3 * UNIT + 12345)


def span(first, end, total="*"):
    """Content-Range of the bytes from `first` up to, not including, `end`."""
    return f"bytes {first}-{end - 1}/{total}"


def persisted(answer):
    """How many bytes a 308 says are stored. Without a Range header: none."""
    assert answer.status == 308, answer
    value = answer.header("Range")
    if value is None:
        return 0
    assert value.startswith("bytes=0-"), value
    return int(value.removeprefix("bytes=0-")) + 1


def assert_stored(answer, body):
    assert answer.status in (200, 201), answer
    stored = answer.json()
    assert (stored["size"], stored["crc32c"]) == (str(len(body)), crc32c(body))


def test_starting_answers_with_an_absolute_session_uri_and_no_body(bucket, name):
    answer = bucket.start({"name": name, "storageClass": "ARCHIVE"}, {"X-Upload-Content-Type": "video/mp4"})
    assert answer.status == 200
    assert answer.body == b""
    assert answer.header("Location").startswith(bucket.caller.url + "/")
    assert "upload_id=" in answer.header("Location")


def test_starting_with_a_body_that_is_not_json_is_a_bad_request(bucket):
    answer = bucket.caller.send(
        "POST", bucket.upload_target("resumable"), b"{", {"Content-Type": "application/json; charset=UTF-8"}
    )
    assert answer.status == 400


def test_starting_in_a_bucket_that_does_not_exist_is_not_found(bucket):
    answer = bucket.caller.post_json("/upload/storage/v1/b/no-such-bucket/o?uploadType=resumable", {"name": "x"})
    assert answer.status == 404


def test_one_request_with_the_whole_body_makes_the_object(bucket, name):
    resource = {
        "name": name,
        "storageClass": "ARCHIVE",
        "contentType": "video/mp4",
        "customTime": "2020-05-06T07:08:09Z",
        "metadata": {"key": "value"},
    }
    session = bucket.session(resource, {"X-Upload-Content-Length": str(len(BODY))})
    answer = bucket.put(session, BODY, span(0, len(BODY), len(BODY)))
    assert_stored(answer, BODY)
    stored = bucket.metadata(name).json()
    assert stored["storageClass"] == "ARCHIVE"
    assert stored["contentType"] == "video/mp4"
    assert stored["customTime"].startswith("2020-05-06T07:08:09")
    assert stored["metadata"] == {"key": "value"}
    assert bucket.read(name).body == BODY


def test_the_type_can_come_from_the_upload_header(bucket, name):
    session = bucket.session({"name": name}, {"X-Upload-Content-Type": "video/quicktime"})
    assert bucket.put(session, b"abc", span(0, 3, 3)).json()["contentType"] == "video/quicktime"


def test_the_session_uri_alone_opens_the_upload(bucket, name):
    session = bucket.session({"name": name})
    answer = bucket.caller.send("PUT", session, b"abc", {"Content-Range": "bytes 0-2/3"}, token=None)
    assert_stored(answer, b"abc")


def test_nothing_is_visible_before_the_upload_is_complete(bucket, name):
    session = bucket.session({"name": name})
    bucket.put(session, BODY[:UNIT], span(0, UNIT))
    assert bucket.metadata(name).status == 404
    assert name not in bucket.names(prefix=name)


def test_the_status_of_a_new_upload_is_308_without_a_range(bucket, name):
    answer = bucket.status(bucket.session({"name": name}))
    assert answer.status == 308
    assert answer.header("Range") is None


def test_a_chunk_is_acknowledged_with_the_last_byte_that_is_stored(bucket, name):
    session = bucket.session({"name": name})
    assert persisted(bucket.put(session, BODY[: 2 * UNIT], span(0, 2 * UNIT))) == 2 * UNIT
    assert persisted(bucket.status(session)) == 2 * UNIT
    assert persisted(bucket.status(session, len(BODY))) == 2 * UNIT
    assert_stored(bucket.put(session, BODY[2 * UNIT :], span(2 * UNIT, len(BODY), len(BODY))), BODY)
    assert bucket.read(name).body == BODY


def test_a_308_can_be_had_as_a_200_with_an_override(bucket, name):
    # Google's Go client sends X-GUploader-No-308, for HTTP libraries that follow any 3xx
    session = bucket.session({"name": name})
    answer = bucket.put(session, BODY[:UNIT], span(0, UNIT), {"X-GUploader-No-308": "yes"})
    assert answer.status == 200
    assert answer.header("X-HTTP-Status-Code-Override") == "308"
    assert answer.header("Range") == f"bytes=0-{UNIT - 1}"


def test_an_upload_of_unknown_size_can_end_with_an_empty_request(bucket, name):
    session = bucket.session({"name": name})
    body = BODY[: 2 * UNIT]
    assert persisted(bucket.put(session, body, span(0, len(body)))) == len(body)
    assert_stored(bucket.put(session, b"", f"bytes */{len(body)}"), body)
    assert bucket.read(name).body == body


def test_an_upload_of_unknown_size_can_say_its_size_with_the_last_bytes(bucket, name):
    session = bucket.session({"name": name})
    bucket.put(session, BODY[:UNIT], span(0, UNIT))
    assert_stored(bucket.put(session, BODY[UNIT:], span(UNIT, len(BODY), len(BODY))), BODY)


@pytest.mark.parametrize("content_range", [None, "bytes */0"])
def test_an_empty_object_can_be_uploaded(bucket, name, content_range):
    session = bucket.session({"name": name})
    assert_stored(bucket.put(session, b"", content_range), b"")


def test_a_size_that_is_not_what_is_stored_does_not_end_the_upload(bucket, name):
    session = bucket.session({"name": name})
    bucket.put(session, BODY[:UNIT], span(0, UNIT))
    assert persisted(bucket.status(session, 2 * UNIT)) == UNIT
    assert bucket.metadata(name).status == 404


def test_a_cut_connection_keeps_no_more_than_was_sent(bucket, name):
    session = bucket.session({"name": name})
    sent = 2 * UNIT + 1000
    bucket.caller.send_and_leave("PUT", session, BODY, {"Content-Range": span(0, len(BODY), len(BODY))}, sent)
    # The server may come to read the broken request only after the next one, which it then takes over from.
    deadline = time.monotonic() + 30
    while (offset := persisted(bucket.status(session))) == 0:
        assert time.monotonic() < deadline, "nothing of the broken request is stored"
    assert offset <= sent
    assert offset % UNIT == 0
    assert bucket.metadata(name).status == 404
    assert_stored(bucket.put(session, BODY[offset:], span(offset, len(BODY), len(BODY))), BODY)
    assert bucket.read(name).body == BODY


def test_a_lost_answer_is_found_again_by_a_status_query(bucket, name):
    session = bucket.session({"name": name}, ifGenerationMatch=0)
    bucket.caller.send_and_leave("PUT", session, BODY, {"Content-Range": span(0, len(BODY), len(BODY))})
    assert_stored(bucket.status(session), BODY)
    assert_stored(bucket.status(session, len(BODY)), BODY)
    assert bucket.read(name).body == BODY


def test_sending_the_last_bytes_again_answers_with_the_object(bucket, name):
    session = bucket.session({"name": name}, ifGenerationMatch=0)
    first = bucket.put(session, BODY, span(0, len(BODY), len(BODY)))
    again = bucket.put(session, BODY, span(0, len(BODY), len(BODY)))
    assert_stored(again, BODY)
    assert again.json()["generation"] == first.json()["generation"]


def test_bytes_that_are_stored_already_are_ignored_when_sent_again(bucket, name):
    session = bucket.session({"name": name})
    bucket.put(session, BODY[: 2 * UNIT], span(0, 2 * UNIT))
    other = bytes(UNIT)
    assert persisted(bucket.put(session, other, span(0, UNIT))) == 2 * UNIT
    overlapping = bytes(UNIT) + BODY[2 * UNIT :]
    assert_stored(bucket.put(session, overlapping, span(UNIT, len(BODY), len(BODY))), BODY)
    assert bucket.read(name).body == BODY


def test_a_gap_is_a_503_that_names_both_offsets_in_plain_text(bucket, name):
    session = bucket.session({"name": name})
    bucket.put(session, BODY[:UNIT], span(0, UNIT))
    answer = bucket.put(session, BODY[2 * UNIT :], span(2 * UNIT, len(BODY), len(BODY)))
    assert answer.status == 503
    assert answer.content_type == "text/plain"
    # As logged from the live service; how many blanks stand between its sentences differs between logs.
    assert " ".join(answer.text.split()) == (
        "Invalid request. According to the Content-Range header, the upload offset is "
        f"{2 * UNIT} byte(s), which exceeds already uploaded size of {UNIT} byte(s)."
    )
    assert persisted(bucket.status(session)) == UNIT
    assert_stored(bucket.put(session, BODY[UNIT:], span(UNIT, len(BODY), len(BODY))), BODY)


@pytest.mark.parametrize("length", [1, UNIT - 1])
def test_a_chunk_under_256_kib_that_is_not_the_last_is_refused_in_plain_text(bucket, name, length):
    session = bucket.session({"name": name})
    answer = bucket.put(session, BODY[:length], span(0, length))
    assert answer.status == 400
    assert answer.content_type == "text/plain"
    assert answer.text.startswith(
        "Invalid request.  The number of bytes uploaded is required to be equal or greater than 262144, except for "
        "the final request (it's recommended to be the exact multiple of 262144).  The received request contained "
        f"{length} bytes"
    )
    assert persisted(bucket.status(session)) == 0


def test_a_length_that_contradicts_the_announced_one_is_refused(bucket, name):
    # X-Upload-Content-Length announces the size of the whole upload
    session = bucket.session({"name": name}, {"X-Upload-Content-Length": "10"})
    answer = bucket.put(session, b"abc", span(0, 3, 3))
    assert answer.status == 400
    assert bucket.metadata(name).status == 404


def test_a_body_that_contradicts_its_content_range_is_refused(bucket, name):
    session = bucket.session({"name": name})
    assert bucket.put(session, b"abc", "bytes 0-4/5").status == 400
    assert bucket.metadata(name).status == 404


def test_the_trailing_checksum_accepts_the_right_bytes(bucket, name):
    # Cloud Storage docs, Data validation; Google's Python client sends X-Goog-Hash with the last request
    session = bucket.session({"name": name})
    bucket.put(session, BODY[:UNIT], span(0, UNIT))
    answer = bucket.put(
        session, BODY[UNIT:], span(UNIT, len(BODY), len(BODY)), {"X-Goog-Hash": f"crc32c={crc32c(BODY)}"}
    )
    assert_stored(answer, BODY)


def test_the_trailing_checksum_refuses_other_bytes(bucket, name):
    session = bucket.session({"name": name})
    wrong = crc32c(b"other")
    answer = bucket.put(session, BODY, span(0, len(BODY), len(BODY)), {"X-Goog-Hash": f"crc32c={wrong}"})
    assert answer.status == 400
    error = answer.json()["error"]
    assert error["message"] == f'Provided CRC32C "{wrong}" doesn\'t match calculated CRC32C "{crc32c(BODY)}".'
    assert error["errors"][0]["reason"] == "invalid"
    assert bucket.metadata(name).status == 404
    # Whatever the session answers from now on, it is not a success.
    assert bucket.status(session).status >= 400
    assert bucket.metadata(name).status == 404


def test_a_trailing_md5_is_checked_as_well(bucket, name):
    session = bucket.session({"name": name})
    wrong = "1B2M2Y8AsgTpgAmY7PhCfg=="
    assert bucket.put(session, b"abc", span(0, 3, 3), {"X-Goog-Hash": f"md5={wrong}"}).status == 400
    assert bucket.metadata(name).status == 404


def test_a_checksum_given_at_the_start_refuses_other_bytes_at_the_end(bucket, name):
    session = bucket.session({"name": name, "crc32c": crc32c(b"other")})
    answer = bucket.put(session, BODY, span(0, len(BODY), len(BODY)))
    assert answer.status == 400
    assert bucket.metadata(name).status == 404


def test_generation_zero_is_checked_at_the_end_and_not_at_the_start(bucket, name):
    # Cloud Storage docs, Request preconditions: an upload's precondition is evaluated when the object is made
    bucket.multipart({"name": name}, b"first")
    session = bucket.session({"name": name}, ifGenerationMatch=0)
    assert persisted(bucket.put(session, BODY[:UNIT], span(0, UNIT))) == UNIT
    answer = bucket.put(session, BODY[UNIT:], span(UNIT, len(BODY), len(BODY)))
    assert answer.status == 412
    assert answer.json()["error"]["errors"][0]["reason"] == "conditionNotMet"
    assert bucket.read(name).body == b"first"


def test_of_two_uploads_under_generation_zero_the_first_to_end_wins(bucket, name):
    early, late = (bucket.session({"name": name}, ifGenerationMatch=0) for _ in range(2))
    assert bucket.put(late, b"late", span(0, 4, 4)).status == 200
    assert bucket.put(early, b"early", span(0, 5, 5)).status == 412
    assert bucket.read(name).body == b"late"


def test_a_cancelled_upload_answers_499_and_stays_cancelled(bucket, name):
    session = bucket.session({"name": name})
    bucket.put(session, BODY[:UNIT], span(0, UNIT))
    assert bucket.caller.send("DELETE", session, b"").status == 499
    assert bucket.put(session, BODY, span(0, len(BODY), len(BODY))).status == 499
    assert bucket.metadata(name).status == 404


def test_an_unknown_session_is_not_found(bucket, name):
    session = bucket.session({"name": name})
    start, _, upload_id = session.partition("upload_id=")
    unknown = start + "upload_id=" + "x" * len(upload_id)
    assert bucket.status(unknown).status == 404
    assert bucket.put(unknown, b"abc", span(0, 3, 3)).status == 404


def test_a_session_does_not_redirect(bucket, name):
    # RFC 9110, 15.4.9 gives 308 another meaning: a client must not find a Location to follow
    answer = bucket.status(bucket.session({"name": name}))
    assert answer.header("Location") is None


def test_chunks_may_come_by_post_too(bucket, name):
    # Google's Go client sends its chunks so
    session = bucket.session({"name": name})
    answer = bucket.caller.send("POST", session, b"abc", {"Content-Range": "bytes 0-2/3"})
    assert_stored(answer, b"abc")


def test_a_body_without_a_length_is_taken_as_it_comes(bucket, name):
    # RFC 9112, 7.1 Chunked Transfer Coding; Google's Node client streams so, with bytes 0-*/*
    session = bucket.session({"name": name})
    chunks = b"".join(
        f"{len(piece):x}\r\n".encode() + piece + b"\r\n" for piece in (BODY[:1000], BODY[1000 : 1000 + UNIT])
    )
    answer = bucket.caller.send(
        "PUT",
        session,
        chunks + b"0\r\n\r\n",
        {"Content-Length": None, "Transfer-Encoding": "chunked", "Content-Range": "bytes 0-*/*"},
    )
    assert_stored(answer, BODY[: 1000 + UNIT])


def test_fields_at_the_start_choose_what_the_last_answer_holds(bucket, name):
    # Cloud Storage docs, Partial response: fields
    session = bucket.session({"name": name}, fields="name,size")
    assert bucket.put(session, b"abc", span(0, 3, 3)).json() == {"name": name, "size": "3"}


def test_the_other_path_of_gcloud_and_gsutil_works_too(bucket, name):
    # Google's gcloud and gsutil start at /resumable/upload/
    answer = bucket.caller.post_json("/resumable" + bucket.upload_target("resumable"), {"name": name})
    assert answer.status == 200
    assert_stored(bucket.put(answer.header("Location"), b"abc", span(0, 3, 3)), b"abc")


def test_a_large_body_passes_in_one_request(bucket, name):
    body = noise(20 * 1024 * KIB + 7)
    session = bucket.session({"name": name})
    assert_stored(bucket.put(session, body, span(0, len(body), len(body))), body)


@pytest.fixture
def turned(fragile):
    return fragile.bucket()


def test_fewer_bytes_may_be_stored_than_were_sent(fragile, turned, name):
    # google-cloud-java, resumable uploads, scenario 9: continue from Range, never from what was sent
    session = turned.session({"name": name})
    with fragile.faults({"on": "uploadData", "do": "persist_less", "at": 0.5, "times": 1}):
        offset = persisted(turned.put(session, BODY[: 2 * UNIT], span(0, 2 * UNIT)))
    assert offset < 2 * UNIT and offset % UNIT == 0
    assert persisted(turned.status(session)) == offset
    assert_stored(turned.put(session, BODY[offset:], span(offset, len(BODY), len(BODY))), BODY)
    assert turned.read(name).body == BODY


def test_an_answer_may_be_lost_after_the_object_is_made(fragile, turned, name):
    # RFC 9112, 9.3.1 Retrying Requests: the request may have been acted on
    session = turned.session({"name": name}, ifGenerationMatch=0)
    with fragile.faults({"on": "uploadData", "do": "lose_answer", "times": 1}):
        with pytest.raises((http.client.HTTPException, OSError)):
            turned.put(session, BODY, span(0, len(BODY), len(BODY)))
    assert_stored(turned.status(session), BODY)
    retried = turned.multipart({"name": name}, BODY, ifGenerationMatch=0)
    assert retried.status == 412
    assert turned.metadata(name).json()["crc32c"] == crc32c(BODY)


def test_a_503_in_the_middle_leaves_an_upload_that_goes_on(fragile, turned, name):
    # Cloud Storage docs, Retry strategy: 5xx, ask for the status and go on
    session = turned.session({"name": name})
    with fragile.faults({"on": "uploadData", "do": "status", "status": 503, "retry_after": 3, "at": 0.6, "times": 1}):
        answer = turned.put(session, BODY, span(0, len(BODY), len(BODY)))
    assert answer.status == 503
    assert answer.header("Retry-After") == "3"
    offset = persisted(turned.status(session))
    assert 0 < offset < len(BODY)
    assert_stored(turned.put(session, BODY[offset:], span(offset, len(BODY), len(BODY))), BODY)


def test_a_reset_connection_leaves_an_upload_that_goes_on(fragile, turned, name):
    # Cloud Storage docs, Retry strategy: socket errors
    session = turned.session({"name": name})
    with fragile.faults({"on": "uploadData", "do": "reset", "times": 1}):
        with pytest.raises((http.client.HTTPException, OSError)):
            turned.put(session, BODY, span(0, len(BODY), len(BODY)))
    offset = persisted(turned.status(session))
    assert_stored(turned.put(session, BODY[offset:], span(offset, len(BODY), len(BODY))), BODY)


def test_a_session_ends_after_its_lifetime(spawn, name):
    # Cloud Storage docs, Resumable uploads: a session URI expires after one week
    bucket = spawn("--synthesize", "1", "--sizes", "10KB", "--session-lifetime", "0").bucket()
    session = bucket.session({"name": name})
    assert bucket.status(session).status in (404, 410)
    assert bucket.put(session, b"abc", span(0, 3, 3)).status in (404, 410)
