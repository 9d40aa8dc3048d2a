// swift-tools-version: 6.3
import PackageDescription

// Not NonisolatedNonsendingByDefault: Swift 6.3.1 forgets in the specialised copies that its optimiser makes of such functions that
// they return to their caller's actor, and what follows the call runs beside it, in another actor's thread.
let strict: [SwiftSetting] = [
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("MemberImportVisibility"),
    .enableUpcomingFeature("InternalImportsByDefault"),
    .treatAllWarnings(as: .error),
]
let cFacing: [SwiftSetting] = strict + [.strictMemorySafety()]

/// A test target beside the target that it tests.
func tests(_ name: String, _ dependencies: [Target.Dependency] = []) -> Target {
    .testTarget(
        name: name + "Tests",
        dependencies: [.byName(name: name), "TestSupport"] + dependencies,
        swiftSettings: strict
    )
}

let package = Package(
    name: "coldroll",
    products: [
        .executable(name: "coldroll", targets: ["coldroll"]),
        .executable(name: "photos-simulator", targets: ["photos-simulator"]),
    ],
    targets: [
        .systemLibrary(name: "CPostgres", pkgConfig: "libpq", providers: [.apt(["libpq-dev"]), .brew(["libpq"])]),
        .systemLibrary(
            name: "CCurl",
            pkgConfig: "libcurl",
            providers: [.apt(["libcurl4-openssl-dev"]), .brew(["curl"])]
        ),
        .systemLibrary(
            name: "CCrypto",
            pkgConfig: "libcrypto",
            providers: [.apt(["libssl-dev"]), .brew(["openssl@3"])]
        ),
        .systemLibrary(
            name: "CTLS",
            pkgConfig: "libssl",
            providers: [.apt(["libssl-dev"]), .brew(["openssl@3"])]
        ),
        .systemLibrary(
            name: "CMicroHTTPD",
            pkgConfig: "libmicrohttpd",
            providers: [.apt(["libmicrohttpd-dev"]), .brew(["libmicrohttpd"])]
        ),
        .systemLibrary(
            name: "CQREncode",
            pkgConfig: "libqrencode",
            providers: [.apt(["libqrencode-dev"]), .brew(["qrencode"])]
        ),
        .systemLibrary(name: "CExif", pkgConfig: "libexif", providers: [.apt(["libexif-dev"]), .brew(["libexif"])]),
        .target(name: "CCrc32c"),

        .target(name: "Blocking", swiftSettings: strict),
        .target(name: "Logging", swiftSettings: strict),
        .target(name: "Checksums", dependencies: ["CCrc32c", "CCrypto"], swiftSettings: cFacing),
        .target(name: "Postgres", dependencies: ["CPostgres", "Blocking"], swiftSettings: cFacing),
        .target(name: "PrivatePostgres", dependencies: ["Postgres", "Logging"], swiftSettings: strict),
        .target(name: "HTTPClient", dependencies: ["CCurl", "CTLS", "Checksums", "Blocking"], swiftSettings: cFacing),
        .target(name: "HTTPServer", dependencies: ["CMicroHTTPD"], swiftSettings: cFacing),
        .target(name: "Media", swiftSettings: strict),
        .target(name: "QRCode", dependencies: ["CQREncode"], swiftSettings: cFacing),

        .target(name: "GoogleAuth", dependencies: ["HTTPClient", "CCrypto"], swiftSettings: cFacing),
        .target(name: "GooglePhotos", dependencies: ["HTTPClient", "GoogleAuth"], swiftSettings: strict),
        .target(
            name: "CloudStorage",
            dependencies: ["HTTPClient", "GoogleAuth", "Checksums", "Blocking"],
            swiftSettings: strict
        ),
        .target(
            name: "Schema",
            path: "sql",
            resources: [.embedInCode("migrations"), .embedInCode("queries")],
            swiftSettings: strict
        ),
        .target(name: "JobQueue", dependencies: ["Postgres", "Schema", "Logging"], swiftSettings: strict),
        .target(
            name: "Archiver",
            dependencies: [
                "JobQueue", "GooglePhotos", "CloudStorage", "Media", "HTTPClient", "GoogleAuth", "Checksums",
                "Postgres", "Logging",
            ],
            swiftSettings: strict
        ),
        .target(
            name: "GoogleSimulator",
            dependencies: ["HTTPServer", "CExif", "Checksums", "CCrypto", "Logging"],
            swiftSettings: cFacing
        ),

        .executableTarget(
            name: "coldroll",
            dependencies: [
                "Archiver", "PrivatePostgres", "JobQueue", "Postgres", "GooglePhotos", "GoogleAuth", "CloudStorage",
                "HTTPClient", "HTTPServer", "Schema", "Logging", "QRCode",
            ],
            swiftSettings: strict
        ),
        .executableTarget(
            name: "photos-simulator",
            dependencies: ["GoogleSimulator", "Logging"],
            swiftSettings: strict
        ),

        .executableTarget(
            name: "queue-benchmark",
            dependencies: ["JobQueue", "Postgres", "Logging"],
            path: "Benchmarks/queue/program",
            swiftSettings: strict
        ),

        .target(
            name: "TestSupport",
            dependencies: ["Postgres", "JobQueue", "Schema", "GoogleSimulator", "Checksums", "Logging"],
            path: "Tests/TestSupport",
            swiftSettings: strict
        ),
        tests("Logging"),
        tests("Postgres"),
        .executableTarget(
            name: "private-postgres-member",
            dependencies: ["PrivatePostgres", "Logging"],
            path: "Tests/PrivatePostgresMember",
            swiftSettings: strict
        ),
        tests("PrivatePostgres", ["JobQueue", "Postgres", "Logging", "private-postgres-member"]),
        tests("Checksums"),
        tests("HTTPClient", ["HTTPServer", "Checksums"]),
        tests("GoogleSimulator", ["Checksums"]),
        tests("GoogleAuth", ["HTTPClient", "GoogleSimulator", "HTTPServer"]),
        tests("GooglePhotos", ["HTTPClient", "GoogleAuth", "GoogleSimulator", "HTTPServer", "Checksums"]),
        tests("CloudStorage", ["HTTPClient", "GoogleAuth", "GoogleSimulator", "HTTPServer", "Checksums"]),
        tests("Media"),
        tests("QRCode"),
        tests("Schema", ["Postgres", "JobQueue"]),
        tests("JobQueue", ["Postgres", "Schema", "Logging"]),
        tests(
            "Archiver",
            [
                "JobQueue", "Postgres", "CloudStorage", "GooglePhotos", "GoogleAuth", "GoogleSimulator", "HTTPClient",
                "Logging", "Media",
            ]
        ),
        tests(
            "coldroll",
            [
                "Archiver", "PrivatePostgres", "JobQueue", "Postgres", "GooglePhotos", "GoogleAuth", "CloudStorage",
                "HTTPClient", "HTTPServer", "Logging",
            ]
        ),
        .testTarget(
            name: "EndToEndTests",
            dependencies: [
                "TestSupport", "JobQueue", "Postgres", "GoogleSimulator", "HTTPClient", "HTTPServer", "Checksums",
                "Logging",
            ],
            swiftSettings: strict
        ),
    ],
    swiftLanguageModes: [.v6]
)
