"""The simulated Google on its own host, under Google's own names."""

import http.client
import json
import re
import select
import socket
import ssl
import urllib.parse


class _Connection(http.client.HTTPSConnection):
    """To the simulator's address, whatever the name: the tests have no hosts file of their own."""

    def __init__(self, address, ca, name="storage.googleapis.com"):
        super().__init__(name, 443, timeout=60, context=ssl.create_default_context(cafile=ca))
        self._create_connection = lambda _, timeout, source: socket.create_connection((address, 443), timeout, source)


class Google:
    """A running photos-simulator."""

    def __init__(self, process, host):
        self.process, self.host, self.archive = process, host, "archive"
        readable, _, _ = select.select([process.stdout], [], [], 60)
        line = process.stdout.readline() if readable else ""
        assert line, "photos-simulator did not start: its own words are above"
        said = json.loads(line)
        self.ca = said["ca"]
        self.client = said["client"]
        self.photos_credentials = said["photos_credentials"]
        self.storage_credentials = said["storage_credentials"]

    def control(self, name, value=None, method=None):
        """GET of what it knows, POST of what it is told."""
        connection = _Connection(self.host.address, self.ca)
        try:
            method = method or ("GET" if value is None else "POST")
            connection.request(method, "/control/" + name, None if value is None else json.dumps(value))
            answer = connection.getresponse()
            body = answer.read()
            assert answer.status == 200, f"/control/{name}: {answer.status} {body}"
            return json.loads(body)
        finally:
            connection.close()

    def consent(self, link):
        """What a person does in a browser: reads the warning, ticks every box, goes on. Returns where the browser ends."""
        url = urllib.parse.urlsplit(link)
        status, page, _ = self._visit(url.netloc, "GET", f"{url.path}?{url.query}")
        while status == 200:
            (action,) = re.findall(r'<form [^>]*action="([^"]+)"', page)
            fields = [("ticket", re.search(r'name="ticket" value="([^"]+)"', page)[1])]
            fields += [("scope", box) for box in re.findall(r'name="scope" id="[^"]+" value="([^"]+)"', page)]
            fields += [("account", person) for person in re.findall(r'name="account"[^>]* value="([^"]+)"', page)[:1]]
            fields += [("action", "continue")] if "scope" in dict(fields) else []
            status, page, location = self._visit(url.netloc, "POST", action, urllib.parse.urlencode(fields))
        assert status == 302, f"the sign-in ended with {status}: {page}"
        return location

    def _visit(self, name, method, path, form=None):
        connection = _Connection(self.host.address, self.ca, name)
        try:
            headers = {"Content-Type": "application/x-www-form-urlencoded"} if form else {}
            connection.request(method, path, form, headers)
            answer = connection.getresponse()
            return answer.status, answer.read().decode(), answer.getheader("Location")
        finally:
            connection.close()

    def faults(self, *rules):
        """From now on things go wrong by these rules, and by no others."""
        self.control("faults", list(rules))

    def struck(self):
        """How often each rule struck, in their order."""
        return [fault["struck"] for fault in self.control("counters")["faults"]]

    def requests(self, *operations):
        counted = self.control("counters")["requests"]
        return sum(counted.get(operation, 0) for operation in operations)

    def uploaded(self):
        """Bytes of uploads that have come in, those under way included."""
        counted = self.control("counters")["bytes_in"]
        return sum(counted.get(operation, 0) for operation in ("uploadMultipart", "uploadMedia", "uploadData"))

    def objects(self):
        """What stands in the archive."""
        return [item for item in self.control("objects") if item["bucket"] == self.archive]

    def wanted(self):
        """Size and checksum of every part that the library's items have, by item and part."""
        parts = {}
        for item in self.control("library"):
            if item["kind"] == "video":
                parts[item["id"], "video"] = item["dv"]
                continue
            parts[item["id"], "still"] = item["d"]
            if item["dv"]:
                parts[item["id"], "motion"] = item["dv"]
        return parts
