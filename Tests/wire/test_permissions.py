"""Cloud Storage: what an account may not do, it does not do, and is told so in Google's words."""

import pytest
from test_buckets import Project, refused
from wire import Bucket


@pytest.fixture(scope="module")
def project(samples):
    return Project(samples)


def lacking(project, *permissions, **members):
    """A bucket with one object, in which the account then has all permissions but these."""
    name = project.set_up(resource={"iamConfiguration": {"uniformBucketLevelAccess": {"enabled": True}}})
    assert project.objects(name).multipart({"name": "there"}, b"bytes").status == 200
    project.simulator.control("bucket", {"name": name, "without": list(permissions)} | members)
    return name


def denied(answer, permission, kind):
    """Holds the sentence that Google says, and that the refusal is one of permissions."""
    message = refused(answer, 403, "forbidden")
    assert f" does not have {permission} access to the Google Cloud Storage {kind}." in message
    assert f"Permission '{permission}' denied on resource (or it may not exist)." in message


def uploads(objects, name):
    """The first answer of each way to upload."""
    return [
        objects.multipart({"name": name}, b"x"),
        objects.caller.send("POST", objects.upload_target("media", name=name), b"x", {"Content-Type": "a/b"}),
        objects.start({"name": name}),
    ]


def test_an_upload_takes_create(project):
    # Cloud Storage docs, IAM permissions for JSON methods: objects insert
    objects = project.objects(lacking(project, "storage.objects.create"))
    for answer in uploads(objects, "new"):
        denied(answer, "storage.objects.create", "object")
    assert objects.names() == ["there"]


def test_replacing_an_object_takes_delete_too(project):
    # Cloud Storage docs, IAM permissions for JSON methods: insert takes storage.objects.delete where it overwrites
    objects = project.objects(lacking(project, "storage.objects.delete"))
    assert objects.multipart({"name": "new"}, b"x").status == 200
    denied(objects.multipart({"name": "there"}, b"other"), "storage.objects.delete", "object")
    # A resumable upload begins, takes every byte, and is refused at its end.
    session = objects.session({"name": "there"})
    denied(objects.put(session, b"other", "bytes 0-4/5"), "storage.objects.delete", "object")
    # Under the condition that there is none, it is the condition that fails.
    refused(objects.multipart({"name": "there"}, b"other", ifGenerationMatch=0), 412, "conditionNotMet")
    assert objects.read("there").body == b"bytes"
    denied(project.caller.send("DELETE", objects.object_path("there")), "storage.objects.delete", "object")


def test_reading_an_object_takes_get(project):
    # Cloud Storage docs, IAM permissions for JSON methods: objects get
    objects = project.objects(lacking(project, "storage.objects.get"))
    for answer in (objects.metadata("there"), objects.read("there"), objects.metadata("not there")):
        denied(answer, "storage.objects.get", "object")
    assert objects.multipart({"name": "new"}, b"x").status == 200
    assert objects.names() == ["new", "there"]


def test_who_may_not_list_is_not_told_what_is_missing(project):
    # Cloud Storage docs, HTTP status and error codes for JSON: 403 instead of 404 without storage.objects.list
    objects = project.objects(lacking(project, "storage.objects.list"))
    assert objects.metadata("there").status == 200 and objects.read("there").body == b"bytes"
    for answer in (objects.metadata("not there"), objects.read("not there")):
        denied(answer, "storage.objects.list", "bucket")
    denied(project.caller.get(f"/storage/v1/b/{objects.name}/o"), "storage.objects.list", "bucket")


def test_a_bucket_s_own_methods_take_their_permissions(project):
    # Cloud Storage docs, IAM permissions for JSON methods: buckets get, patch, getIamPolicy, lockRetentionPolicy
    soft = {"softDeletePolicy": {"retentionDurationSeconds": "0"}}
    name = lacking(project, "storage.buckets.get", "storage.buckets.update", "storage.buckets.getIamPolicy")
    denied(project.get(name), "storage.buckets.get", "bucket")
    denied(project.patch(name, soft), "storage.buckets.update", "bucket")
    denied(project.lock(name, ifMetagenerationMatch=1), "storage.buckets.update", "bucket")
    denied(project.policy(name), "storage.buckets.getIamPolicy", "bucket")
    assert project.objects(name).names() == ["there"]


def test_public_access_prevention_takes_set_iam_policy(project):
    # JSON API reference, Buckets: patch: "to update public access prevention policies … storage.buckets.setIamPolicy"
    name = lacking(project, "storage.buckets.setIamPolicy")
    change = {"iamConfiguration": {"publicAccessPrevention": "enforced"}}
    denied(project.patch(name, change), "storage.buckets.setIamPolicy", "bucket")
    assert project.patch(name, {"softDeletePolicy": {"retentionDurationSeconds": "0"}}).status == 200


def test_lists_are_shown_to_who_may_see_the_policy(project):
    # JSON API reference, Buckets: get and patch: storage.buckets.getIamPolicy for the lists
    name = project.set_up(without=["storage.buckets.getIamPolicy"])
    denied(project.get(name, projection="full"), "storage.buckets.getIamPolicy", "bucket")
    assert "acl" not in project.patch(name, {"labels": {"a": "b"}}).json()


def test_permissions_are_tested_without_any(project):
    # JSON API reference, Buckets: testIamPermissions: takes no permission, answers those that are held
    name = project.set_up(permissions=["storage.objects.create", "storage.objects.list"])
    answer = project.test(name, "storage.objects.list", "storage.objects.get", "storage.objects.create")
    assert answer.json() == {
        "kind": "storage#testIamPermissionsResponse",
        "permissions": ["storage.objects.list", "storage.objects.create"],
    }
    assert "permissions" not in project.test(name, "storage.buckets.get").json()
    refused(project.test(name), 400, "required")
    refused(project.test(name, "storage.objects"), 400, "invalid")
    refused(project.test(name, "storage.objects.*"), 400, "invalid")


def test_permissions_can_come_back(project):
    # What a person does who was told what is missing
    name = lacking(project, "storage.objects.create")
    assert project.objects(name).multipart({"name": "new"}, b"x").status == 403
    project.simulator.control("bucket", {"name": name})
    assert project.objects(name).multipart({"name": "new"}, b"x").status == 200


@pytest.mark.parametrize(
    "scope, may_write, may_change",
    [("devstorage.read_only", False, False), ("devstorage.read_write", True, False), ("cloud-platform", True, True)],
)
def test_a_token_s_scope_is_a_ceiling(project, scope, may_write, may_change):
    # JSON API discovery document: the scopes of each method. patch and getIamPolicy take devstorage.full_control or
    # cloud-platform, which devstorage.read_write is not.
    name = project.set_up()
    narrow = Project(project.simulator)
    narrow.caller = project.simulator.caller(
        project.simulator.storage_token("https://www.googleapis.com/auth/" + scope)
    )
    text = "Request had insufficient authentication scopes."
    assert narrow.get(name).status == 200 and narrow.test(name, "storage.objects.get").status == 200
    assert Bucket(narrow.caller, name).names() == []
    for answers, may in (
        ((narrow.objects(name).multipart({"name": "x"}, b"x"), narrow.insert({"name": name + "-2"})), may_write),
        ((narrow.patch(name, {"labels": {"a": "b"}}), narrow.policy(name)), may_change),
    ):
        for answer in answers:
            if may:
                assert answer.status == 200, answer
            else:
                assert refused(answer, 403, "insufficientPermissions") == text


def test_a_person_s_login_for_the_cloud_may_do_everything(samples):
    # gcloud auth application-default login: the scope cloud-platform
    project = Project(samples)
    project.caller = samples.caller(samples.token(samples.storage_user_credentials))
    name = project.made()["name"]
    assert project.policy(name).status == 200


def test_a_read_only_bucket_may_be_looked_at(spawn):
    # The simulator's own switch --read-only-bucket
    project = Project(spawn("--synthesize", "1", "--sizes", "10KB", "--read-only-bucket", "museum"))
    assert project.get("museum").status == 200
    denied(project.objects("museum").start({"name": "x"}), "storage.objects.create", "object")
    denied(project.policy("museum"), "storage.buckets.getIamPolicy", "bucket")
