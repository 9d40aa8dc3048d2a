"""Runs what docker-compose.yml says on the hosts, without a container engine: words, environment, account, secrets, file
systems and times to stop are the file's own."""

import json
import pathlib
import re
import shutil
import subprocess

from network import Process, call

ROOT = pathlib.Path(__file__).resolve().parents[2]

# What an engine does before it starts a service: the image's program in its place, secrets as files that keep owner and
# mode, scratch space, all else read-only, no privileges. "$@" is the service's own command.
CONTAINER = """
set -e
mount -t tmpfs -o mode=755 tmpfs /usr/local/bin
touch /usr/local/bin/coldroll
mount --bind "$PROGRAM" /usr/local/bin/coldroll
mount -t tmpfs -o mode=755 tmpfs /run
mkdir /run/secrets
for secret in $SECRETS; do cp --preserve=mode,ownership "${secret%=*}" "${secret#*=}"; done
for directory in $SCRATCH; do mount -t tmpfs -o mode=1777 tmpfs "$directory"; done
[ "$READ_ONLY" = False ] || mount -o remount,bind,ro /
cd /
exec setpriv --reuid "$USER_ID" --regid "$GROUP_ID" --clear-groups --no-new-privs --bounding-set=-all --inh-caps=-all \
    env -i "$@"
"""


class Compose:
    """The services of the compose file with the settings of the example that it comes with."""

    def __init__(self, program, directory):
        self.program, self.directory = program, directory
        shutil.copy(ROOT / "docker-compose.yml", directory)
        shutil.copy(ROOT / "Dockerfile", directory)
        words = ["docker-compose", "--env-file", ROOT / "deploy/compose.env.example"]
        file = directory / "docker-compose.yml"
        self.file = json.loads(call(*words, "--file", file, "config", "--format", "json"))
        self.services = self.file["services"]
        entry = re.search(r"^ENTRYPOINT (.*)$", (ROOT / "Dockerfile").read_text(), re.MULTILINE)
        self.entry = json.loads(entry[1])

    def secret(self, name, text):
        """Writes the file of a secret as its owner does."""
        path = pathlib.Path(self.file["secrets"][name]["file"])
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        path.chmod(0o600)
        user, group = self.services["worker"]["user"].split(":")
        call("chown", f"{user}:{group}", path)

    def start(self, host, service, log, command=None, volumes=(), stdin=subprocess.DEVNULL):
        """Starts one container of a service on a host; `command` replaces the service's own, and its program too in a check.

        `volumes` are pairs of a file and the place in the container where it is seen.
        """
        said = self.services[service]
        assert said["image"] == "coldroll" and said["cap_drop"] == ["ALL"], said
        files = {self.file["secrets"][secret["source"]]["file"]: secret["target"] for secret in said["secrets"]}
        files |= dict(volumes)
        user, group = said["user"].split(":")
        outside = {
            "PROGRAM": self.program,
            "SECRETS": " ".join(f"{file}={target}" for file, target in files.items()),
            "SCRATCH": " ".join(said["tmpfs"]),
            "READ_ONLY": said["read_only"],
            "USER_ID": user,
            "GROUP_ID": group,
        }
        inside = [f"{name}={value}" for name, value in said["environment"].items()]
        inside.append("PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin")
        command = command or [*self.entry, *said["command"]]
        words = [f"{name}={value}" for name, value in outside.items()]
        return Process(host, ["env", *words, "sh", "-c", CONTAINER, "sh", *inside, *command], None, log, stdin)

    def check(self, service):
        """The command of a service's health check."""
        kind, *command = self.services[service]["healthcheck"]["test"]
        assert kind == "CMD"
        return command

    def grace(self, service):
        """Seconds from the signal to the kill."""
        hours, minutes, seconds = re.fullmatch(
            r"(?:(\d+)h)?(?:(\d+)m)?(?:(\d+)s)?", self.services[service]["stop_grace_period"]
        ).groups(default="0")
        return int(hours) * 3600 + int(minutes) * 60 + int(seconds)
