"""Cloud Storage: making buckets, reading what they are, changing them."""

import uuid
from datetime import datetime
from urllib.parse import urlencode

import pytest

from wire import Bucket

DAY = 86400
FULL = "https://www.googleapis.com/auth/devstorage.full_control"


class Project:
    """The bucket methods of the JSON API, with a token that may do everything, as the project `p`."""

    def __init__(self, simulator):
        self.simulator = simulator
        self.caller = simulator.caller(simulator.storage_token(FULL))

    def insert(self, resource, **query):
        return self.caller.post_json("/storage/v1/b?" + urlencode({"project": "p"} | query), resource)

    def made(self, **resource):
        """A new bucket under a name of its own; returns the resource that the insert gave."""
        answer = self.insert({"name": f"b-{uuid.uuid4().hex[:16]}"} | resource)
        assert answer.status == 200, answer
        return answer.json()

    def set_up(self, **members):
        """A new bucket made by hand; returns its name."""
        name = f"h-{uuid.uuid4().hex[:16]}"
        self.simulator.control("bucket", {"name": name} | members)
        return name

    def get(self, name, **query):
        return self.caller.get(f"/storage/v1/b/{name}?" + urlencode(query))

    def patch(self, name, resource, **query):
        return self.caller.send_json("PATCH", f"/storage/v1/b/{name}?" + urlencode(query), resource)

    def policy(self, name, **query):
        return self.caller.get(f"/storage/v1/b/{name}/iam?" + urlencode(query))

    def lock(self, name, **query):
        return self.caller.send("POST", f"/storage/v1/b/{name}/lockRetentionPolicy?" + urlencode(query), b"")

    def test(self, name, *permissions):
        return self.caller.get(
            f"/storage/v1/b/{name}/iam/testPermissions?" + urlencode([("permissions", one) for one in permissions])
        )

    def objects(self, name):
        return Bucket(self.caller, name)


@pytest.fixture(scope="module")
def project(samples):
    return Project(samples)


def refused(answer, status, reason):
    """The message of a refusal, whose two places agree."""
    assert answer.status == status, answer
    error = answer.json()["error"]
    assert error["code"] == status and error["errors"][0]["reason"] == reason, error
    assert error["errors"][0]["message"] == error["message"] and error["errors"][0]["domain"]
    return error["message"]


def seconds(resource):
    """How long deleted objects are kept: int64 is a string in JSON."""
    value = resource["softDeletePolicy"]["retentionDurationSeconds"]
    assert isinstance(value, str)
    return int(value)


def access(resource):
    configuration = resource["iamConfiguration"]
    return configuration["uniformBucketLevelAccess"]["enabled"], configuration["publicAccessPrevention"]


def test_google_fills_in_what_an_insert_does_not_say(project):
    # JSON API reference, Buckets: insert; Cloud Storage docs, Soft delete: 7 days on new buckets. Nothing of it is safe
    # for an archive: US, STANDARD, per-object lists, a week of deleted objects.
    made = project.made()
    assert made["kind"] == "storage#bucket" and made["id"] == made["name"]
    assert (made["location"], made["locationType"]) == ("US", "multi-region")
    assert made["storageClass"] == "STANDARD"
    assert access(made) == (False, "inherited")
    assert seconds(made) == 7 * DAY
    assert made["metageneration"] == "1" and int(made["projectNumber"]) > 0
    assert datetime.fromisoformat(made["timeCreated"]) == datetime.fromisoformat(made["updated"])
    for absent in ("retentionPolicy", "autoclass", "lifecycle", "versioning", "acl", "defaultObjectAcl"):
        assert absent not in made, absent
    assert project.get(made["name"]).json() == made


def test_an_insert_keeps_what_it_says(project):
    # JSON API reference, Buckets: insert
    made = project.made(
        location="europe-north1",
        storageClass="ARCHIVE",
        iamConfiguration={"uniformBucketLevelAccess": {"enabled": True}, "publicAccessPrevention": "enforced"},
        softDeletePolicy={"retentionDurationSeconds": "0"},
        versioning={"enabled": False},
        retentionPolicy={"retentionPeriod": "3600"},
        lifecycle={"rule": [{"action": {"type": "AbortIncompleteMultipartUpload"}, "condition": {"age": 7}}]},
    )
    assert (made["location"], made["locationType"]) == ("EUROPE-NORTH1", "region")
    assert made["storageClass"] == "ARCHIVE" and access(made) == (True, "enforced")
    assert seconds(made) == 0 and "effectiveTime" not in made["softDeletePolicy"]
    locked = datetime.fromisoformat(made["iamConfiguration"]["uniformBucketLevelAccess"]["lockedTime"])
    assert (locked - datetime.fromisoformat(made["timeCreated"])).days == 90
    assert made["retentionPolicy"]["retentionPeriod"] == "3600" and made["retentionPolicy"]["effectiveTime"]
    assert made["lifecycle"]["rule"][0]["condition"] == {"age": 7}
    assert made["versioning"] == {"enabled": False}
    assert project.get(made["name"]).json() == made


def test_an_insert_without_a_project_is_a_bad_request(project):
    # JSON API reference, Buckets: insert: project is a required query parameter
    answer = project.caller.post_json("/storage/v1/b", {"name": f"b-{uuid.uuid4().hex[:16]}"})
    assert refused(answer, 400, "required") == "Required parameter: project"
    assert answer.json()["error"]["errors"][0]["location"] == "project"


def test_an_insert_into_a_project_that_nobody_knows_is_a_bad_request(project):
    # Cloud Storage docs, HTTP status and error codes for JSON: 400 invalid
    project.simulator.control("project", {"project": "nobody-s", "unknown": True})
    answer = project.insert({"name": f"b-{uuid.uuid4().hex[:16]}"}, project="nobody-s")
    assert "nobody-s" in refused(answer, 400, "invalid")


@pytest.mark.parametrize(
    "name",
    ["ab", "a" * 64, "Photos", "photos!", "-photos", "photos-", "goog-photos", "my-google-photos", "192.168.5.4", "a..b"],
)
def test_bad_names_are_refused(project, name):
    # Cloud Storage docs, About buckets: 3-63 characters, lower case, digits, - _ ., no address, no goog, no google
    assert name in refused(project.insert({"name": name}), 400, "invalid")


def test_a_name_with_a_dot_is_a_domain_that_has_to_be_proved(project):
    # Cloud Storage docs, Domain-named bucket verification
    assert "domain ownership" in refused(project.insert({"name": "photos.example.com"}), 403, "forbidden")


def test_a_name_can_be_taken_by_oneself_or_by_somebody_else(project):
    # Cloud Storage docs, HTTP status and error codes for JSON: 409 Conflict, with two sentences for two cases
    mine = project.made()["name"]
    theirs = project.set_up(owner="other")
    own = refused(project.insert({"name": mine}), 409, "conflict")
    other = refused(project.insert({"name": theirs}), 409, "conflict")
    assert own == "Your previous request to create the named bucket succeeded and you already own it."
    assert other.startswith("The requested bucket name is not available.")
    # Nothing may be seen of a stranger's bucket.
    assert "storage.buckets.get" in refused(project.get(theirs), 403, "forbidden")
    assert project.test(theirs, "storage.objects.create").json() == {"kind": "storage#testIamPermissionsResponse"}


def test_a_project_may_not_let_the_account_make_buckets(project):
    # Cloud Storage docs, IAM permissions for JSON methods: insert takes storage.buckets.create on the project
    project.simulator.control("project", {"project": "closed", "without": ["storage.buckets.create"]})
    message = refused(project.insert({"name": f"b-{uuid.uuid4().hex[:16]}"}, project="closed"), 403, "forbidden")
    assert "does not have storage.buckets.create access to the Google Cloud project." in message
    assert "Permission 'storage.buckets.create' denied on resource (or it may not exist)." in message


@pytest.mark.parametrize("wanted", ["1", str(7 * DAY - 1), str(90 * DAY + 1), "-1", "a week"])
def test_soft_delete_lasts_7_to_90_days_or_not_at_all(project, wanted):
    # Cloud Storage docs, Soft delete: 0 disables it, otherwise 7 to 90 days
    policy = {"softDeletePolicy": {"retentionDurationSeconds": wanted}}
    message = "Soft delete policy must have a retention duration between 7 days and 90 days."
    assert refused(project.insert({"name": f"b-{uuid.uuid4().hex[:16]}"} | policy), 400, "invalid") == message
    made = project.made()
    assert refused(project.patch(made["name"], policy), 400, "invalid") == message
    assert project.get(made["name"]).json() == made


@pytest.mark.parametrize("wanted", ["0", str(7 * DAY), 90 * DAY])
def test_soft_delete_is_kept_as_asked(project, wanted):
    # JSON API reference, Buckets: softDeletePolicy.retentionDurationSeconds, int64: a string or a number, given as a string
    assert seconds(project.made(softDeletePolicy={"retentionDurationSeconds": wanted})) == int(wanted)


def test_null_puts_the_default_of_soft_delete_back(project):
    # JSON API, Patch semantics: null clears a field, here to its default; it does not turn soft delete off
    name = project.made(softDeletePolicy={"retentionDurationSeconds": "0"})["name"]
    assert seconds(project.patch(name, {"softDeletePolicy": None}).json()) == 7 * DAY


@pytest.mark.parametrize(
    "resource",
    [
        {"location": "MARS-NORTH1"},
        {"location": "europe-north"},
        {"storageClass": "DEEP_FREEZE"},
        {"iamConfiguration": {"publicAccessPrevention": "perhaps"}},
        {"retentionPolicy": {"retentionPeriod": "0"}},
        {"retentionPolicy": {"retentionPeriod": "3155760001"}},
        {"lifecycle": {"rule": [{"action": {"type": "Delete"}, "condition": {}}]}},
        {"lifecycle": {"rule": [{"action": {"type": "Melt"}, "condition": {"age": 1}}]}},
        {"autoclass": {"enabled": True}, "storageClass": "ARCHIVE"},
    ],
)
def test_settings_that_do_not_exist_are_refused_and_nothing_is_made(project, resource):
    # JSON API reference, Buckets; Cloud Storage docs, Bucket locations, Bucket lock, Object lifecycle, Autoclass
    name = f"b-{uuid.uuid4().hex[:16]}"
    refused(project.insert({"name": name} | resource), 400, "invalid")
    assert project.get(name).status == 404


def test_autoclass_takes_objects_in_as_standard(project):
    # Cloud Storage docs, Autoclass: objects begin in Standard whatever was asked
    made = project.made(autoclass={"enabled": True, "terminalStorageClass": "ARCHIVE"})
    assert made["autoclass"]["enabled"] is True and made["autoclass"]["terminalStorageClass"] == "ARCHIVE"
    stored = project.objects(made["name"]).multipart({"name": "x", "storageClass": "ARCHIVE"}, b"x")
    assert stored.json()["storageClass"] == "STANDARD"


def test_a_bucket_that_does_not_exist_is_not_found(project):
    # JSON API reference, Buckets: get, patch, getIamPolicy, testIamPermissions, lockRetentionPolicy
    name = "no-such-bucket"
    for answer in (
        *(project.get(name), project.patch(name, {"labels": {"a": "b"}}), project.policy(name)),
        *(project.test(name, "storage.objects.get"), project.lock(name, ifMetagenerationMatch=1)),
    ):
        assert refused(answer, 404, "notFound") == "The specified bucket does not exist."


def test_fields_and_projection_choose_what_is_shown(project):
    # Cloud Storage docs, Partial response; JSON API reference, Buckets: get: projection noAcl or full
    made = project.made()
    part = project.get(made["name"], fields="location,softDeletePolicy/retentionDurationSeconds").json()
    assert part == {"location": "US", "softDeletePolicy": {"retentionDurationSeconds": "604800"}}
    assert "acl" not in project.get(made["name"], projection="noAcl").json()
    full = project.get(made["name"], projection="full").json()
    assert {entry["role"] for entry in full["acl"]} == {"OWNER", "READER"} and full["defaultObjectAcl"]
    assert project.get(made["name"], projection="some").status == 400
    uniform = project.made(iamConfiguration={"uniformBucketLevelAccess": {"enabled": True}})["name"]
    assert "acl" not in project.get(uniform, projection="full").json()


def test_a_patch_changes_what_it_names_and_nothing_else(project):
    # JSON API reference, Buckets: patch
    made = project.made(location="EUROPE-NORTH1", storageClass="ARCHIVE")
    changes = {
        "softDeletePolicy": {"retentionDurationSeconds": "0"},
        "iamConfiguration": {"uniformBucketLevelAccess": {"enabled": True}, "publicAccessPrevention": "enforced"},
        "retentionPolicy": {"retentionPeriod": "86400"},
    }
    answer = project.patch(made["name"], changes)
    assert answer.status == 200, answer
    patched = answer.json()
    assert seconds(patched) == 0 and access(patched) == (True, "enforced")
    assert patched["retentionPolicy"]["retentionPeriod"] == "86400"
    assert patched["metageneration"] == "2" and patched["etag"] != made["etag"]
    assert (patched["location"], patched["storageClass"]) == ("EUROPE-NORTH1", "ARCHIVE")
    assert project.get(made["name"]).json() == patched
    # Alone, public access prevention leaves uniform access as it is.
    after = project.patch(made["name"], {"iamConfiguration": {"publicAccessPrevention": "inherited"}}).json()
    assert access(after) == (True, "inherited")


def test_an_empty_patch_changes_nothing(project):
    # JSON API, Patch semantics
    made = project.made(iamConfiguration={"uniformBucketLevelAccess": {"enabled": True}})
    assert project.patch(made["name"], {}).json() == made


def test_a_patch_under_another_metageneration_is_not_done(project):
    # Cloud Storage docs, Request preconditions: ifMetagenerationMatch; 412 conditionNotMet
    made = project.made()
    change = {"softDeletePolicy": {"retentionDurationSeconds": "0"}}
    refused(project.patch(made["name"], change, ifMetagenerationMatch=2), 412, "conditionNotMet")
    assert project.get(made["name"]).json() == made
    assert project.patch(made["name"], change, ifMetagenerationMatch=1).status == 200
    refused(project.patch(made["name"], change, ifMetagenerationMatch=1), 412, "conditionNotMet")
    refused(project.get(made["name"], ifMetagenerationMatch=7), 412, "conditionNotMet")


def test_a_location_is_for_ever(project):
    # Cloud Storage docs, Bucket locations: it cannot be changed
    made = project.made(location="EUROPE-NORTH1")
    refused(project.patch(made["name"], {"location": "US"}), 400, "invalid")
    assert project.patch(made["name"], {"location": "EUROPE-NORTH1"}).status == 200


def test_a_locked_retention_policy_only_grows(project):
    # Cloud Storage docs, Bucket lock: irreversible, may be made longer, neither shorter nor removed
    name = project.made(retentionPolicy={"retentionPeriod": "3600"})["name"]
    refused(project.lock(name), 400, "required")
    refused(project.lock(name, ifMetagenerationMatch=9), 412, "conditionNotMet")
    locked = project.lock(name, ifMetagenerationMatch=1).json()
    assert locked["retentionPolicy"]["isLocked"] is True and locked["metageneration"] == "2"
    shorter = refused(project.patch(name, {"retentionPolicy": {"retentionPeriod": "60"}}), 403, "forbidden")
    assert shorter == f"Cannot reduce retention duration of a locked Retention Policy for bucket '{name}'."
    removed = refused(project.patch(name, {"retentionPolicy": None}), 403, "retentionPolicyNotMet")
    assert removed == f"Bucket '{name}' has a locked Retention Policy which cannot be removed."
    longer = project.patch(name, {"retentionPolicy": {"retentionPeriod": "7200"}}).json()["retentionPolicy"]
    assert longer["retentionPeriod"] == "7200" and longer["isLocked"] is True
    refused(project.lock(name, ifMetagenerationMatch=3), 400, "invalid")


def test_an_unlocked_retention_policy_may_go(project):
    # Cloud Storage docs, Bucket lock
    name = project.made(retentionPolicy={"retentionPeriod": "3600"})["name"]
    assert project.patch(name, {"retentionPolicy": {"retentionPeriod": "60"}}).status == 200
    assert "retentionPolicy" not in project.patch(name, {"retentionPolicy": None}).json()
    assert "unlocked retention policy" in refused(project.lock(name, ifMetagenerationMatch=3), 400, "invalid")


def test_an_object_under_a_retention_policy_is_neither_deleted_nor_replaced(project):
    # Cloud Storage docs, Bucket lock: 403 retentionPolicyNotMet; a condition is looked at first
    name = project.made(retentionPolicy={"retentionPeriod": "3600"})["name"]
    objects = project.objects(name)
    stored = objects.multipart({"name": "x"}, b"first").json()
    kept = datetime.fromisoformat(stored["retentionExpirationTime"]) - datetime.fromisoformat(stored["timeCreated"])
    assert kept.total_seconds() == 3600
    message = refused(project.caller.send("DELETE", objects.object_path("x")), 403, "retentionPolicyNotMet")
    assert f"Object '{name}/x' is subject to bucket's retention policy" in message
    refused(objects.multipart({"name": "x"}, b"second"), 403, "retentionPolicyNotMet")
    refused(objects.multipart({"name": "x"}, b"second", ifGenerationMatch=0), 412, "conditionNotMet")
    session = objects.session({"name": "x"})
    refused(objects.put(session, b"second", "bytes 0-5/6"), 403, "retentionPolicyNotMet")
    assert objects.read("x").body == b"first"
    project.patch(name, {"retentionPolicy": None})
    assert project.caller.send("DELETE", objects.object_path("x")).status == 204


def test_a_new_bucket_s_policy_names_the_project_s_people(project):
    # JSON API reference, Buckets: getIamPolicy; Cloud Storage docs, Basic roles and legacy bucket roles
    fine = project.policy(project.made()["name"]).json()
    assert fine["kind"] == "storage#policy" and fine["version"] == 1 and fine["etag"]
    roles = {binding["role"]: binding["members"] for binding in fine["bindings"]}
    assert roles == {
        "roles/storage.legacyBucketOwner": ["projectEditor:p", "projectOwner:p"],
        "roles/storage.legacyBucketReader": ["projectViewer:p"],
    }
    uniform = project.made(iamConfiguration={"uniformBucketLevelAccess": {"enabled": True}})["name"]
    roles = {binding["role"] for binding in project.policy(uniform).json()["bindings"]}
    assert {"roles/storage.legacyObjectOwner", "roles/storage.legacyObjectReader"} <= roles


@pytest.mark.parametrize("member", ["allUsers", "allAuthenticatedUsers"])
def test_a_public_bucket_shows_in_its_policy(project, member):
    # Cloud Storage docs, Make data public: the members allUsers and allAuthenticatedUsers
    name = project.set_up(
        resource={"iamConfiguration": {"uniformBucketLevelAccess": {"enabled": True}}},
        bindings=[{"role": "roles/storage.objectViewer", "members": [member]}],
    )
    found = [binding for binding in project.policy(name).json()["bindings"] if member in binding["members"]]
    assert found == [{"role": "roles/storage.objectViewer", "members": [member]}]
    # Prevention hides nothing: the binding stands there and has no effect.
    project.patch(name, {"iamConfiguration": {"publicAccessPrevention": "enforced"}})
    assert found[0] in project.policy(name).json()["bindings"]


def test_lists_of_a_bucket_without_uniform_access_may_be_public_too(project):
    # Cloud Storage docs, Access control lists: a bucket's list is its legacy roles; that of new objects is not in the policy
    name = project.set_up(acl={"allUsers": "READER"}, default_object_acl={"allAuthenticatedUsers": "READER"})
    bindings = project.policy(name).json()["bindings"]
    assert ["roles/storage.legacyBucketReader"] == [one["role"] for one in bindings if "allUsers" in one["members"]]
    assert not any("allAuthenticatedUsers" in one["members"] for one in bindings)
    full = project.get(name, projection="full").json()
    assert "allUsers" in [entry["entity"] for entry in full["acl"]]
    assert "allAuthenticatedUsers" in [entry["entity"] for entry in full["defaultObjectAcl"]]
    # With uniform access they have no effect, and requests must not speak of them.
    uniform = project.patch(name, {"iamConfiguration": {"uniformBucketLevelAccess": {"enabled": True}}}).json()
    assert "acl" not in uniform
    assert not any("allUsers" in one["members"] for one in project.policy(name).json()["bindings"])
    assert "uniform bucket-level access" in refused(project.patch(name, {}, predefinedAcl="private"), 400, "invalid")


def test_predefined_lists_are_taken_at_insert_and_refused_with_uniform_access(project):
    # JSON API reference, Buckets: insert: predefinedAcl must be absent with uniform access
    name = f"b-{uuid.uuid4().hex[:16]}"
    uniform = {"name": name, "iamConfiguration": {"uniformBucketLevelAccess": {"enabled": True}}}
    refused(project.insert(uniform, predefinedAcl="private"), 400, "invalid")
    assert project.get(name).status == 404
    assert project.insert({"name": name}, predefinedAcl="publicRead").status == 200
    assert any("allUsers" in one["members"] for one in project.policy(name).json()["bindings"])
    stored = project.objects(name).multipart({"name": "x"}, b"x", predefinedAcl="private")
    assert stored.status == 200, stored


def test_a_condition_shows_only_to_who_can_read_it(project):
    # IAM docs, Understanding allow policies: version 3 for conditions, a changed role's name below
    condition = {"title": "until", "expression": "request.time < timestamp('2030-01-01T00:00:00Z')"}
    given = {"role": "roles/storage.objectViewer", "members": ["user:a@example.com"], "condition": condition}
    name = project.set_up(bindings=[given])
    whole = project.policy(name, optionsRequestedPolicyVersion=3).json()
    assert whole["version"] == 3 and given in whole["bindings"]
    old = project.policy(name).json()
    hidden = [one for one in old["bindings"] if one["members"] == given["members"]]
    assert old["version"] == 1 and "condition" not in hidden[0]
    assert hidden[0]["role"].startswith("roles/storage.objectViewer_withcond_")
    assert project.policy(name, optionsRequestedPolicyVersion=0).status == 400


def test_a_project_s_buckets_are_listed(project):
    # JSON API reference, Buckets: list: project is required; only the project's own
    name = project.made()["name"]
    assert name in [one["name"] for one in project.caller.get_json("/storage/v1/b?project=p")["items"]]
    assert "items" not in project.caller.get_json("/storage/v1/b?project=another")
    refused(project.caller.get("/storage/v1/b"), 400, "required")


def test_buckets_are_made_and_changed_slowly(spawn):
    # Cloud Storage docs, Quotas: about one bucket every two seconds in a project, one change of a bucket a second; 429
    project = Project(spawn("--synthesize", "1", "--sizes", "10KB", writes=()))
    names = [f"b-{uuid.uuid4().hex[:16]}" for _ in range(10)]
    made = [project.insert({"name": name}) for name in names]
    assert made[0].status == 200
    slower = next(answer for answer in made if answer.status != 200)
    message = refused(slower, 429, "rateLimitExceeded")
    assert message == "The project exceeded the rate limit for creating and deleting buckets."
    # Who asks again for the same bucket is told that it is there, not to slow down.
    refused(project.insert({"name": names[0]}), 409, "conflict")
    changed = [project.patch(names[0], {"labels": {"a": str(number)}}) for number in range(10)]
    assert changed[0].status == 200
    slower = next(answer for answer in changed if answer.status != 200)
    assert names[0] in refused(slower, 429, "rateLimitExceeded")


def test_buckets_outlive_the_simulator_s_process_and_are_counted(spawn, tmp_path):
    # The simulator's own promise: what stands in --storage is there at the next start
    def start():
        return Project(spawn("--synthesize", "1", "--sizes", "10KB", "--storage", tmp_path / "kept"))

    first = start()
    name = first.made(storageClass="ARCHIVE")["name"]
    first.patch(name, {"softDeletePolicy": {"retentionDurationSeconds": "0"}})
    kept = first.get(name).json()
    assert start().get(name).json() == kept
    counted = first.caller.get_json("/control/counters")["requests"]
    assert (counted["bucketInsert"], counted["bucketPatch"], counted["bucketGet"]) == (1, 1, 1)


def test_a_bucket_is_set_up_by_hand_with_anything(project):
    # What clients must recognise: Autoclass, a lifecycle rule that deletes, STANDARD, no soft delete, a locked policy
    rule = {"action": {"type": "Delete"}, "condition": {"daysSinceCustomTime": 3650}}
    name = project.set_up(
        resource={
            "location": "US",
            "autoclass": {"enabled": True},
            "lifecycle": {"rule": [rule]},
            "softDeletePolicy": {"retentionDurationSeconds": "0"},
            "retentionPolicy": {"retentionPeriod": "60", "isLocked": True},
        }
    )
    got = project.get(name).json()
    assert got["autoclass"]["enabled"] is True and got["lifecycle"] == {"rule": [rule]}
    assert seconds(got) == 0 and got["retentionPolicy"]["isLocked"] is True and got["storageClass"] == "STANDARD"
    # Again, for one that is there: its objects stay.
    project.objects(name).multipart({"name": "x"}, b"x")
    project.simulator.control("bucket", {"name": name, "resource": {"autoclass": None, "storageClass": "ARCHIVE"}})
    got = project.get(name).json()
    assert "autoclass" not in got and got["storageClass"] == "ARCHIVE"
    assert project.objects(name).metadata("x").status == 200
    listed = {one["name"]: one for one in project.caller.get_json("/control/buckets")}
    assert listed[name]["policy"]["bindings"]


@pytest.mark.parametrize(
    "wanted",
    [{}, {"name": "x"}, {"name": "xyz-1", "perms": []}, {"name": "xyz-2", "without": ["storage.objects"]}],
)
def test_a_control_that_makes_no_sense_is_refused(project, wanted):
    assert project.caller.post_json("/control/bucket", wanted).status == 400
