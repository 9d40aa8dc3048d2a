"""Requests as bytes on a connection: nothing is retried, followed, decoded or added behind a test's back."""

import base64
import http.client
import json
import random
import select
import socket
import ssl
import urllib.parse
import uuid
from dataclasses import dataclass

import google_crc32c

KIB = 1024
# Every request of a resumable upload but the last holds at least this much (Cloud Storage docs, Resumable uploads).
UNIT = 256 * KIB


@dataclass
class Answer:
    status: int
    headers: list[tuple[str, str]]
    body: bytes

    def header(self, name):
        """The header's value, or None. A header that is there twice is a fault of its own."""
        found = [value for key, value in self.headers if key.lower() == name.lower()]
        assert len(found) <= 1, f"{name} is there {len(found)} times"
        return found[0] if found else None

    def json(self):
        assert self.header("Content-Type").split(";")[0] == "application/json", self
        return json.loads(self.body)

    @property
    def content_type(self):
        return (self.header("Content-Type") or "").split(";")[0]

    @property
    def text(self):
        return self.body.decode()


class Caller:
    """Sends single requests to one server, each on a connection of its own."""

    def __init__(self, url, ca=None, token=None):
        self.url = url.rstrip("/")
        self.ca = ca
        self.token = token

    def connect(self, url=None):
        parts = urllib.parse.urlsplit(url or self.url)
        if parts.scheme == "https":
            context = ssl.create_default_context(cafile=self.ca)
            return http.client.HTTPSConnection(parts.hostname, parts.port, timeout=30, context=context)
        return http.client.HTTPConnection(parts.hostname, parts.port, timeout=30)

    def send(self, method, target, body=None, headers=None, token=...):
        """One request and its answer. `target` is a path or an absolute URL; no token is sent when it is None."""
        url = target if "://" in target else self.url + target
        parts = urllib.parse.urlsplit(url)
        connection = self.connect(url)
        try:
            connection.putrequest(
                method,
                parts.path + ("?" + parts.query if parts.query else ""),
                skip_host="Host" in (headers or {}),
                skip_accept_encoding=True,
            )
            for name, value in self._headers(body, headers, token).items():
                connection.putheader(name, value)
            connection.endheaders(body)
            answer = connection.getresponse()
            return Answer(answer.status, answer.getheaders(), answer.read())
        finally:
            connection.close()

    def _headers(self, body, headers, token):
        result = {}
        token = self.token if token is ... else token
        if token is not None:
            result["Authorization"] = f"Bearer {token}"
        if body is not None:
            result["Content-Length"] = str(len(body))
        result.update(headers or {})
        # A header set to None is one that the test takes away.
        return {name: value for name, value in result.items() if value is not None}

    def get(self, target, **options):
        return self.send("GET", target, **options)

    def get_json(self, target, **options):
        answer = self.get(target, **options)
        assert answer.status == 200, answer
        return answer.json()

    def send_json(self, method, target, value, **options):
        headers = {"Content-Type": "application/json; charset=UTF-8"} | options.pop("headers", {})
        return self.send(method, target, json.dumps(value).encode(), headers, **options)

    def post_json(self, target, value, **options):
        return self.send_json("POST", target, value, **options)

    def post_form(self, target, fields, headers=None):
        return self.send(
            "POST",
            target,
            urllib.parse.urlencode(fields).encode(),
            {"Content-Type": "application/x-www-form-urlencoded"} | (headers or {}),
            token=None,
        )

    def send_and_leave(self, method, url, body, headers, cut_after=None):
        """Sends a request and closes the connection without reading: the answer is lost.

        With `cut_after` only so many bytes of the body are sent; else waits until the server has begun to answer.
        """
        parts = urllib.parse.urlsplit(url)
        connection = self.connect(url)
        connection.putrequest(method, parts.path + "?" + parts.query, skip_accept_encoding=True)
        for name, value in self._headers(body, headers, ...).items():
            connection.putheader(name, value)
        connection.endheaders()
        connection.sock.sendall(body if cut_after is None else body[:cut_after])
        if cut_after is None:
            readable, _, _ = select.select([connection.sock], [], [], 30)
            assert readable, "no answer began within 30 seconds"
        else:
            connection.sock.shutdown(socket.SHUT_WR)
        connection.close()


class Bucket:
    """The upload and object methods of the Cloud Storage JSON API for one bucket."""

    def __init__(self, caller, name):
        self.caller = caller
        self.name = name

    def upload_target(self, kind, **query):
        return f"/upload/storage/v1/b/{self.name}/o?" + urllib.parse.urlencode({"uploadType": kind} | query)

    def object_path(self, name, **query):
        path = f"/storage/v1/b/{self.name}/o/{urllib.parse.quote(name, safe='')}"
        return path + ("?" + urllib.parse.urlencode(query) if query else "")

    def multipart(self, resource, body, content_type="application/octet-stream", headers=None, **query):
        """One multipart/related request: the object resource, then its bytes."""
        boundary = uuid.uuid4().hex
        whole = b"".join(
            [
                f"--{boundary}\r\nContent-Type: application/json; charset=UTF-8\r\n\r\n".encode(),
                json.dumps(resource).encode(),
                f"\r\n--{boundary}\r\nContent-Type: {content_type}\r\n\r\n".encode(),
                body,
                f"\r\n--{boundary}--\r\n".encode(),
            ]
        )
        return self.caller.send(
            "POST",
            self.upload_target("multipart", **query),
            whole,
            {"Content-Type": f"multipart/related; boundary={boundary}"} | (headers or {}),
        )

    def start(self, resource, headers=None, **query):
        """Starts a resumable upload; returns the answer."""
        return self.caller.post_json(self.upload_target("resumable", **query), resource, headers=headers or {})

    def session(self, resource, headers=None, **query):
        """Starts a resumable upload; returns its session URI."""
        answer = self.start(resource, headers, **query)
        assert answer.status == 200, answer
        return answer.header("Location")

    def put(self, session, body, content_range=None, headers=None):
        headers = dict(headers or {})
        if content_range is not None:
            headers["Content-Range"] = content_range
        return self.caller.send("PUT", session, body, headers)

    def status(self, session, total="*"):
        """Asks how much of an upload is stored."""
        return self.put(session, b"", f"bytes */{total}")

    def metadata(self, name):
        return self.caller.get(self.object_path(name))

    def read(self, name):
        return self.caller.get(self.object_path(name, alt="media"))

    def page(self, **query):
        return self.caller.get_json(f"/storage/v1/b/{self.name}/o?" + urllib.parse.urlencode(query))

    def names(self, **query):
        """Every name, over all pages."""
        names, token = [], {}
        while True:
            page = self.page(**query, **token)
            names += [item["name"] for item in page.get("items", [])]
            if "nextPageToken" not in page:
                return names
            token = {"pageToken": page["nextPageToken"]}


def crc32c(body):
    """The checksum as Cloud Storage writes it: four bytes, big-endian, base64."""
    return base64.b64encode(google_crc32c.value(body).to_bytes(4, "big")).decode()


def noise(length, seed=0):
    """Bytes that do not repeat within any unit of an upload: a piece in the wrong place changes the checksum."""
    return random.Random(seed).randbytes(length)
