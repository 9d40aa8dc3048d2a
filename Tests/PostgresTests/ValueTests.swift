import Postgres
import TestSupport
import Testing

@Suite(.unmigratedDatabase, .timeLimit(.minutes(5))) struct ValueTests {
    /// Runs `SELECT sql` with one value and gives back its only column.
    private func echo(_ sql: String, _ value: PostgresValue) async throws -> Row {
        let connection = try await Connection.connect(MigratedDatabase.conninfo)
        return try #require(try await connection.run(Statement("test.echo", "SELECT \(sql)"), [value]).first)
    }

    @Test(arguments: [
        "", "ü", "NULL", "null", "a,b", "{}", #"\"#, #"""#, #"say "hi" \n"#, " leading", "line\nbreak", "👩‍👧",
    ])
    func `text arrives as it was sent, alone and as an element`(_ text: String) async throws {
        #expect(try await echo("$1::text", .text(text)).text(0) == text)
        let elements = try await echo("count(*) FILTER (WHERE e = $1) FROM unnest(ARRAY[$1]::text[]) AS e", .text(text))
        #expect(try elements.integer(0) == 1)
        #expect(try await echo("($1::text[])[2]", .texts(["x", text])).text(0) == text)
    }

    @Test func `text arrays keep NULL apart from the word NULL and from empty text`() async throws {
        let row = try await echo(
            "array_length(a, 1), a[1] IS NULL, a[2], a[3], a[4] FROM (SELECT $1::text[]) AS t (a)",
            .texts([nil, "NULL", "", #"a"b\c"#])
        )
        #expect(try row.integer(0) == 4)
        #expect(try row.boolean(1))
        #expect(try row.text(2) == "NULL")
        #expect(try row.text(3) == "")
        #expect(try row.text(4) == #"a"b\c"#)
    }

    @Test func `text arrays become the type that the SQL names`() async throws {
        let value = PostgresValue.texts(["2024-02-29T12:00:00Z", nil])
        #expect(try await echo("extract(epoch FROM ($1::timestamptz[])[1])::bigint", value).integer(0) == 1_709_208_000)
        #expect(try await echo("($1::jsonb[])[1] ->> 'a'", .texts([#"{"a": "x,\"y\""}"#])).text(0) == #"x,"y""#)
    }

    @Test func `a NUL in text arrives as the replacement character`() async throws {
        #expect(try await echo("$1::text", .text("a\0b")).text(0) == "a\u{FFFD}b")
        #expect(try await echo("($1::text[])[1]", .texts(["\0"])).text(0) == "\u{FFFD}")
    }

    @Test(arguments: [Int64.min, -1, 0, 1, Int64.max]) func `integers keep all 64 bits`(_ number: Int64) async throws {
        #expect(try await echo("$1::bigint", .integer(number)).integer(0) == number)
        #expect(try await echo("($1::bigint[])[1]", .integers([number])).integer(0) == number)
        #expect(try await echo("unnest($1)", .integers([number])).integer(0) == number)
    }

    @Test(arguments: ["bigint", "int", "smallint", "numeric"])
    func `an integer array may be cast to any integer type`(_ type: String) async throws {
        let row = try await echo(
            "a[1], a[2] IS NULL, array_length(a, 1) FROM (SELECT $1::\(type)[]) AS t (a)",
            .integers([7, nil])
        )
        #expect(try row.integer(0) == 7)
        #expect(try row.boolean(1))
        #expect(try row.integer(2) == 2)
    }

    @Test func `an empty array is empty, not NULL`() async throws {
        for (type, value) in [
            ("bigint", PostgresValue.integers([])), ("text", .texts([])), ("float8", .doubles([])),
            ("boolean", .booleans([])),
        ] {
            #expect(try await echo("cardinality($1::\(type)[])", value).integer(0) == 0)
        }
    }

    @Test(arguments: [0.1, -1e300, Double.leastNonzeroMagnitude, .infinity, 1 / 3])
    func `doubles keep every bit`(_ number: Double) async throws {
        #expect(try await echo("$1::float8", .double(number)).double(0) == number)
        #expect(try await echo("($1::float8[])[1]", .doubles([number, nil])).double(0) == number)
    }

    @Test func `NaN stays NaN`() async throws {
        #expect(try await echo("$1::float8", .double(.nan)).double(0).isNaN)
    }

    @Test func `booleans travel alone and in arrays`() async throws {
        let row = try await echo(
            "a[1], a[2], a[3] FROM (SELECT $1::boolean[]) AS t (a)",
            .booleans([true, false, nil])
        )
        #expect(try row.boolean(0) == true)
        #expect(try row.boolean(1) == false)
        #expect(try row.booleanOrNil(2) == nil)
        #expect(try await echo("NOT $1::boolean", .boolean(false)).boolean(0))
    }

    @Test func `bytes arrive unchanged, zeros included`() async throws {
        let all = (0...255).map { UInt8($0) }
        #expect(try await echo("$1::bytea", .bytes(all)).bytes(0) == all)
        #expect(try await echo("length($1)", .bytes([])).integer(0) == 0)
        #expect(try await echo("$1::bytea", .bytes(nil)).bytesOrNil(0) == nil)
    }

    @Test func `null of every kind is NULL`() async throws {
        for value in [PostgresValue.null, .text(nil), .integer(nil), .double(nil), .boolean(nil), .bytes(nil)] {
            #expect(try await echo("$1::text IS NULL", value).boolean(0))
        }
    }

    @Test func `a value of another type than expected is an unexpected answer`() async throws {
        let row = try await echo("$1::text", .text("seven"))
        #expect(
            throws: PostgresError(
                code: .unexpectedAnswer,
                message: "column 0 is not a whole number",
                statement: "test.echo"
            )
        ) {
            try row.integer(0)
        }
        #expect(throws: PostgresError(code: .unexpectedAnswer, message: "column 1 is missing", statement: "test.echo"))
        {
            try row.text(1)
        }
        for text in [
            "", "-", "--1", "1 ", "+1", "1.0", "0x1", "9223372036854775808", "-9223372036854775809",
            "99999999999999999999",
        ] {
            let row = try await echo("$1::text", .text(text))
            #expect(throws: PostgresError.self, "\(text)") { try row.integer(0) }
        }
        for text in ["", "true", "tt", "1"] {
            let row = try await echo("$1::text", .text(text))
            #expect(throws: PostgresError.self, "\(text)") { try row.boolean(0) }
        }
        let null = try await echo("NULL::bigint WHERE $1::boolean", .boolean(true))
        #expect(throws: PostgresError.self) { try null.integer(0) }
        #expect(try null.integerOrNil(0) == nil)
    }
}
