import Foundation
import GoogleSimulator
import Testing

extension Stage {
    /// Puts an object into the archive by the owner's own hand: Google's tools, not coldroll.
    func upload(_ text: String, as name: String) async throws {
        let script = """
            import json, ssl, sys, urllib.parse, urllib.request
            base, ca, credentials, name, text = sys.argv[1:]
            context = ssl.create_default_context(cafile=ca)
            login = json.load(open(credentials))
            form = {"grant_type": "refresh_token", "client_id": login["client_id"],
                    "client_secret": login["client_secret"], "refresh_token": login["refresh_token"]}
            answer = urllib.request.urlopen(base + "/token", urllib.parse.urlencode(form).encode(), context=context)
            token = json.load(answer)["access_token"]
            where = base + "/upload/storage/v1/b/archive/o?uploadType=media&name=" + urllib.parse.quote(name, safe="")
            request = urllib.request.Request(where, text.encode(), {"Authorization": "Bearer " + token,
                                                                    "Content-Type": "text/plain"})
            urllib.request.urlopen(request, context=context).read()
            """
        let end = try await Program(
            "/usr/bin/env",
            [
                "python3", "-c", script, simulator.url, try #require(simulator.certificateAuthorityFile),
                simulator.storageUserCredentialsFile, name, text,
            ],
            environment,
            output: directory + "/upload"
        ).end()
        try #require(end.status == 0, "\(end.output)")
    }
}
