import Testing

@testable import coldroll

@Suite struct ConninfoTests {
    @Test(arguments: [
        ("postgresql://ada:hunter2@h:5432/db?sslmode=require", "postgresql://ada@h:5432/db?sslmode=require", "hunter2"),
        ("postgres://ada:p%40%3A%2Fw@h", "postgres://ada@h", "p@:/w"),
        ("postgresql:///db?host=/tmp&password=hunter2&user=ada", "postgresql:///db?host=/tmp&user=ada", "hunter2"),
        ("postgresql://h/db?password=hunter2", "postgresql://h/db", "hunter2"),
        ("host=/tmp password=hunter2 user=ada", "host=/tmp user=ada", "hunter2"),
        ("host=/tmp password = 'hunter 2\\'' user='a da'", "host=/tmp user='a da'", "hunter 2'"),
        ("password=hun\\ ter host=h", "host=h", "hun ter"),
    ])
    func thePasswordIsTakenOut(text: String, without: String, password: String) {
        #expect(Conninfo(text).withoutPassword == without)
        #expect(Conninfo(text).password == password)
    }

    @Test(arguments: [
        "postgresql://ada@h/db", "postgresql:///db?host=/tmp", "host=/tmp user='a b' dbname=x",
        "postgresql://[::1]:5432/db",
    ])
    func withoutAPasswordNothingChanges(text: String) {
        #expect(Conninfo(text).withoutPassword == text)
        #expect(Conninfo(text).password == nil)
    }
}
