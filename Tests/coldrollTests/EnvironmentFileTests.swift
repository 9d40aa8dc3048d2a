import Testing

@testable import coldroll

@Suite struct EnvironmentFileTests {
    @Test(arguments: [
        ("A=b", "b"), ("A=", ""), ("export A=b", "b"), ("  A = b  ", "b"), ("A=b # said", "b"), ("A=b#c", "b#c"),
        ("A=# nothing", ""), ("A='b # c'", "b # c"), ("A=\"b # c\" # said", "b # c"), ("A='b\\n'", "b\\n"),
        ("A=\"b\\nc\\t\\\"d\\\" \\\\ \\$e\"", "b\nc\t\"d\" \\ $e"), ("A=\"b\nc\"", "b\nc"), ("A='b\nc'", "b\nc"),
        ("A=b c", "b c"), ("A=$HOME/x", "$HOME/x"), ("A=it's", "it's"),
        ("A=postgresql://u:p%40w@h/d?x=y", "postgresql://u:p%40w@h/d?x=y"),
        ("\u{FEFF}A=b", "b"), ("A=b\r\n", "b"), ("#A=c\n;A=d\n\n  # e\nA=b", "b"),
        ("A=\"b\\\nc\"", "bc"),
        ("A=ü", "ü"),
    ])
    func aValueIsReadAsComposeAndSystemdDo(text: String, value: String) {
        let file = EnvironmentFile(text)
        #expect(file.faults == [])
        #expect(file.values == ["A": value])
    }

    @Test(arguments: [
        ("A", "line 1 is not KEY=value"), ("B=1\nnonsense\nC=2", "line 2 is not KEY=value"),
        ("1A=x", "line 1 has a key that is no variable name"), ("A B=x", "line 1 has a key that is no variable name"),
        ("=x", "line 1 has a key that is no variable name"), ("\nA=\"x", "line 2 has a quote that is never closed"),
        ("A='x' y", "line 1 goes on behind the closing quote"),
        ("A='x\ny'\nB", "line 3 is not KEY=value"),
        ("B=\nA='x\ny'\nexport A=x", "line 4 sets A again, as line 2 does; keep one of them"),
    ])
    func aLineThatCannotBeReadIsToldByItsNumber(text: String, fault: String) {
        #expect(EnvironmentFile(text).faults == [fault])
    }

    @Test func aFaultNeverHoldsTheValue() {
        let faults = EnvironmentFile("PASS WORD=hunter2\nPASS=\"hunter2\" hunter2\nhunter2").faults
        #expect(faults.count == 3)
        #expect(!faults.joined().contains("hunter2"))
    }

    @Test func everyLineWithoutAFaultIsKept() {
        #expect(EnvironmentFile("A=1\nnonsense\nB=2").values == ["A": "1", "B": "2"])
    }
}
