"""Google's own client for Cloud Storage works against the simulator as it does against the service, in clear and TLS."""

import io
import uuid

import pytest
from google.api_core.exceptions import Conflict, Forbidden, NotFound, PreconditionFailed
from google.cloud import storage
from google.oauth2.credentials import Credentials

from conftest import ROOT
from wire import UNIT, crc32c, noise


@pytest.fixture(scope="module", params=["http", "https"])
def bucket(request, spawn):
    scheme = ["--tls"] if request.param == "https" else []
    simulator = spawn("--library", ROOT / "Samples", *scheme)
    assert simulator.url.startswith(request.param + "://")
    client = storage.Client(
        project="p",
        credentials=Credentials(simulator.storage_token("https://www.googleapis.com/auth/devstorage.full_control")),
        client_options={"api_endpoint": simulator.url},
    )
    if simulator.ca:
        client._http.verify = simulator.ca
        # The environment's bundles would win over the session's own.
        client._http.trust_env = False
    return client.bucket("archive")


@pytest.fixture
def blob(bucket):
    return bucket.blob(f"client/{uuid.uuid4().hex}.bin")


def test_a_small_upload(bucket, blob):
    blob.metadata = {"identity": "default/library/1"}
    blob.storage_class = "ARCHIVE"
    blob.upload_from_string(b"small", content_type="image/jpeg", if_generation_match=0, checksum="crc32c")
    found = bucket.get_blob(blob.name)
    assert found.size == 5
    assert found.crc32c == crc32c(b"small")
    assert found.storage_class == "ARCHIVE"
    assert found.content_type == "image/jpeg"
    assert found.metadata == {"identity": "default/library/1"}
    assert found.download_as_bytes(checksum="md5") == b"small"


def test_an_empty_upload(blob):
    blob.upload_from_string(b"")
    blob.reload()
    assert blob.size == 0
    assert blob.download_as_bytes() == b""


@pytest.mark.parametrize("checksum", ["crc32c", "md5", "auto"])
def test_a_resumable_upload_in_chunks_with_a_checksum(blob, checksum):
    body = noise(5 * UNIT + 77)
    blob.chunk_size = 2 * UNIT
    # Without a size the client starts a resumable upload; with one it would not below 8 MiB.
    blob.upload_from_file(io.BytesIO(body), checksum=checksum, if_generation_match=0)
    assert blob.crc32c == crc32c(body)
    assert blob.download_as_bytes(checksum="crc32c") == body


@pytest.mark.parametrize("checksum", ["crc32c", "md5"])
def test_a_multipart_upload_with_a_checksum(blob, checksum):
    body = noise(5 * UNIT + 77)
    blob.upload_from_file(io.BytesIO(body), size=len(body), checksum=checksum, if_generation_match=0)
    assert blob.crc32c == crc32c(body)
    assert blob.download_as_bytes(checksum="crc32c") == body


@pytest.mark.parametrize("length", [UNIT * 3, UNIT * 3 + 5, 10], ids=["on a boundary", "past one", "less than one"])
def test_an_upload_from_a_stream_of_unknown_size(blob, length):
    body = noise(length)
    with blob.open("wb", chunk_size=UNIT, ignore_flush=True) as writer:
        for start in range(0, length, 100_000):
            writer.write(body[start : start + 100_000])
    blob.reload()
    assert (blob.size, blob.crc32c) == (length, crc32c(body))


def test_a_large_file_goes_resumable_by_itself(blob, tmp_path):
    body = noise(9 * 1024 * 1024)
    (tmp_path / "large").write_bytes(body)
    blob.upload_from_filename(tmp_path / "large")
    assert blob.crc32c == crc32c(body)


def test_the_second_upload_under_generation_zero_fails(blob):
    blob.upload_from_string(b"first", if_generation_match=0)
    with pytest.raises(PreconditionFailed):
        blob.upload_from_string(b"second", if_generation_match=0)
    blob.chunk_size = UNIT
    with pytest.raises(PreconditionFailed):
        blob.upload_from_file(io.BytesIO(noise(3 * UNIT)), if_generation_match=0)
    assert blob.download_as_bytes() == b"first"


def test_a_read_under_the_wrong_generation_fails(blob):
    blob.upload_from_string(b"first")
    blob.reload()
    with pytest.raises(PreconditionFailed):
        blob.reload(if_generation_match=blob.generation + 1)


def test_lists_with_prefix_delimiter_and_pages(bucket):
    prefix = f"tree-{uuid.uuid4().hex}/"
    names = [prefix + name for name in ("a", "b", "c/1", "c/2", "d")]
    for name in names:
        bucket.blob(name).upload_from_string(name)
    assert [blob.name for blob in bucket.list_blobs(prefix=prefix)] == names
    paged = bucket.client.list_blobs(bucket, prefix=prefix, page_size=2)
    assert [[blob.name for blob in page] for page in paged.pages] == [names[:2], names[2:4], names[4:]]
    grouped = bucket.client.list_blobs(bucket, prefix=prefix, delimiter="/")
    assert [blob.name for blob in grouped] == [prefix + name for name in ("a", "b", "d")]
    assert grouped.prefixes == {prefix + "c/"}


def test_reads_of_a_part(blob):
    blob.upload_from_string(b"0123456789")
    assert blob.download_as_bytes(start=2, end=4) == b"234"


def test_a_stream_is_read_in_pieces(blob):
    body = noise(3 * UNIT)
    blob.upload_from_string(body)
    with blob.open("rb", chunk_size=UNIT) as reader:
        assert reader.read() == body


def test_what_does_not_exist_is_not_found(bucket):
    assert bucket.get_blob("nothing") is None
    with pytest.raises(NotFound):
        bucket.blob("nothing").download_as_bytes()


def test_odd_names_come_back(bucket):
    for name in ("a b/c+d&e=f%20#1?.jpg", "Ka\u0308yra\u0308.jpg", "🌲/🦌"):
        full = f"odd-{uuid.uuid4().hex}/{name}"
        bucket.blob(full).upload_from_string(b"x")
        assert bucket.get_blob(full).name == full


@pytest.fixture
def made(bucket):
    """A bucket that the client has made for an archive."""
    made = bucket.client.bucket(f"made-{uuid.uuid4().hex[:16]}")
    made.storage_class = "ARCHIVE"
    made.iam_configuration.uniform_bucket_level_access_enabled = True
    made.iam_configuration.public_access_prevention = "enforced"
    made.soft_delete_policy.retention_duration_seconds = 0
    return bucket.client.create_bucket(made, location="europe-north1")


def test_a_bucket_is_made_and_read(bucket, made):
    got = bucket.client.get_bucket(made.name)
    assert (got.location, got.location_type, got.storage_class) == ("EUROPE-NORTH1", "region", "ARCHIVE")
    assert got.iam_configuration.uniform_bucket_level_access_enabled is True
    assert got.iam_configuration.uniform_bucket_level_access_locked_time > got.time_created
    assert got.iam_configuration.public_access_prevention == "enforced"
    assert got.soft_delete_policy.retention_duration_seconds == 0
    assert got.metageneration == 1 and got.retention_period is None and not got.autoclass_enabled
    with pytest.raises(Conflict):
        bucket.client.create_bucket(made.name)
    with pytest.raises(NotFound):
        bucket.client.get_bucket("no-such-bucket")
    assert bucket.client.lookup_bucket("no-such-bucket") is None
    assert made.name in [one.name for one in bucket.client.list_buckets(prefix="made-")]


def test_a_bucket_is_changed_and_its_policy_locked(made):
    made.soft_delete_policy.retention_duration_seconds = 7 * 86400
    made.retention_period = 3600
    made.patch(if_metageneration_match=1)
    assert made.metageneration == 2 and made.retention_period == 3600
    made.versioning_enabled = True
    with pytest.raises(PreconditionFailed):
        made.patch(if_metageneration_match=1)
    made.reload()
    assert made.versioning_enabled is False
    made.lock_retention_policy()
    assert made.retention_policy_locked is True
    made.retention_period = 60
    with pytest.raises(Forbidden):
        made.patch()


def test_a_bucket_s_policy_and_permissions_are_read(made):
    policy = made.get_iam_policy(requested_policy_version=3)
    assert policy.version == 1
    members = {binding["role"]: binding["members"] for binding in policy.bindings}
    assert members["roles/storage.legacyBucketOwner"] == {"projectEditor:p", "projectOwner:p"}
    assert not any("allUsers" in held for held in members.values())
    wanted = ["storage.objects.create", "storage.objects.get"]
    assert made.test_iam_permissions(wanted) == wanted
