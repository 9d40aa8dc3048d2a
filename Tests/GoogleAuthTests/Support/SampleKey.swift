/// A key made for these tests, which opens nothing, and what `openssl dgst -sha256 -sign` makes of a known text with it.
enum SampleKey {
    static let pem = """
        -----BEGIN PRIVATE KEY-----
        MIIEvQIBADANBgkqhkiG9w0BAQEFAASCBKcwggSjAgEAAoIBAQDmodVnye0wWc2F
        5PqoBpKKmR6wHy4GAkoAdQO3aJOaUTCu3ACk+0d6FG1EkthCPUkauWAAgXNVG4Y7
        emShp+G9pqU0ssWP044Bn3tulgO5w5IVpNRgOWL0cah4PQV8oJUZ1HWcBl8v5R8Z
        CDNCLrUm6An8j0+K+1yWLt0OAuq3oL3H4MFGSRGgkJCx10yPYsWEITQjt8EJVhse
        88lY+x60gM1g7fcHrDy0SbeAcHCS326MhgMAT++tF7rMAVIs/8BwyPMm+pGrvJYq
        azxI1jt+JX58cF4Hc7bcD10KLb2XW6ryqr4HviXRlBRaOWvgebXZx+c1Hcf0wPJP
        JjBaTlkbAgMBAAECggEACm1Bm4+5zShNZ6+Q+q/rx+yHqL9YHzk5eEJrpX4xKImU
        8ZE/tDXDpv8tnqtW4wCOgaQYDrdlHySZHnvexdI0HS6S17DHYfe9Our0M4bNUOr7
        4hLRvGHyMwpaay+ZdzQ/v9GzpkpBdNLFsHK6KO4f2xjwrqSAaTbXZwpj8w8ds0Lk
        P65ibuWBdTWFNnmYwhCT87Hws476tfJMCZtLuxCxPLcmSZ8x6HPDQLaq366853y5
        52YGPSzRsrYZrp4ctw71zaV6UVEfVnOhQTtqq7gn5lQHkSBkH+A+oPGSDseX4HaC
        fF1Muc5EBcObcnydiMwYKbQTesgk2yLhQsC1Ykc2zQKBgQD7Ba0l2yh3gzxN/8iP
        0W8W+rj/V9xHewbqAOH5MVrBBOdKLYCua9rrK0i56BUuX5KdBzdHV3P86LGAFDLV
        NTSG3V0qKEBrRpXLwVrL0JTbIEj186xyhTqqBHPByozMDurP34enbKJ9LADuivjR
        7sybwfZPrXbVwtvO6KPJm3ixTwKBgQDrNKWG1J7h2kzsUe0Sf8hbxCBdCKSGookM
        REp2q/mKhOjfUPyJCNDrrZfiRUNIgWwHDZzWSeg8qf684XzCAWvQjcoNekLTBzoV
        aRV+XCwnjNgglE/uAi/HYoHrRzpGpH8mq4IJP2kW9BOyA6zyihYnGMHTNhY2ChHB
        prVmtBGwdQKBgAV2QCg8toqzLlK8KA8JDZPAbNoRfVeI08OvtTsI2eKtSqMQjmY9
        LoxDatewtxVFOxlzmL5SptFv9rzEs75z4+qzUl2idpRe+s9uK52XskV6VFwVq0Dq
        qTYd1q72y019XZqcUIVSFc8HcBXArF1VBtq0w7lEGvvXu5Sq9zVhzqR9AoGAcBpT
        moPUhkkJyMjzeZG16Sb9Vdo8sH7fWx1hcFZfRYo7g9SRyK6PBQVkEtB4VSJ6XpI6
        YlgvfFp5s4S1dbI/tNMfrnTLTNFw+atwNx2vXdpfWIfX4NTh+OIWkhEM0Yato7yy
        6b1zVSFYEcx2rdLq5A+EsiphQ7hg5i+S3jSNCdECgYEA+B2+80ix6JVGPz3q//8z
        ROVjrvjwEW/ABm5S83Nkl7EBLx4KsQPrc/qkiZQqoPNMRoaKzelBfoDduJWFPssC
        rY1K+Gw7nBDWdzLwMv2S/nA90GNlCwCO4CXX1KEsMRfKpeAwnFch8vkxY+FMk89l
        MQDnSmxDo1GYo+hdTqOarQw=
        -----END PRIVATE KEY-----

        """

    /// For iat 1700000000, key-1, archiver@p.iam.gserviceaccount.com and the read_write scope of Cloud Storage.
    static let assertion = """
        eyJhbGciOiJSUzI1NiIsImtpZCI6ImtleS0xIiwidHlwIjoiSldUIn0.eyJhdWQiOiJodHRwczovL29hdXRoMi5nb29nbGVhcGlz\
        LmNvbS90b2tlbiIsImV4cCI6MTcwMDAwMzYwMCwiaWF0IjoxNzAwMDAwMDAwLCJpc3MiOiJhcmNoaXZlckBwLmlhbS5nc2Vydmlj\
        ZWFjY291bnQuY29tIiwic2NvcGUiOiJodHRwczovL3d3dy5nb29nbGVhcGlzLmNvbS9hdXRoL2RldnN0b3JhZ2UucmVhZF93cml0\
        ZSJ9.ZCj_Fb16ZOGFX4c8-BdYKYT3ztT-32zSJ6SLY9sJNWJ-jKTLCQbmn3hX19YDFFIWn7qb4PcCODOpG8MbBHrWj6ALEf_Tkif\
        _gc7NUD292bZu-PsfkuuSg_0odY_7vnaaAYT7JLyDEYLj6aHHJPYNDQvfqj8s5mFyNzOd6Rr687RmDi6hzG5K3L0D-eeISLdrRGb\
        x25nTz8MkZsMbpDz5rZpgMCVVaigP_1B2kEW6FgB2aUID8vzfnhZQevjjpqPpNaYGZGZGxGvRcoXXfvaRSkcyX4yiSmkFgbPiAZi\
        l2FtKoP6tboeNOJAzH9gXloRrmTaCQ0egQt4KOdR8nSBeVg
        """

    /// A key file as Google hands it out.
    static func file(tokenURI: String? = nil) -> String {
        let key = pem.split(separator: "\n").joined(separator: "\\n") + "\\n"
        let uri = tokenURI.map { #""token_uri":"\#($0)","# } ?? ""
        return """
            {"type":"service_account","project_id":"p","private_key_id":"key-1","private_key":"\(key)",\(uri)\
            "client_email":"archiver@p.iam.gserviceaccount.com","client_id":"1"}
            """
    }
}
