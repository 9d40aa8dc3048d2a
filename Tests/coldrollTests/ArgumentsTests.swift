import Testing

@testable import coldroll

@Suite struct ArgumentsTests {
    @Test func aValueMayFollowOrBeJoinedByAnEqualsSign() {
        #expect(Arguments(["--slots", "16"], for: .work).value("--slots") == "16")
        #expect(Arguments(["--slots=16"], for: .work).value("--slots") == "16")
        #expect(Arguments(["--reason=a=b", "7"], for: .skip).value("--reason") == "a=b")
        #expect(Arguments(["--reason", "-1 pixel", "7"], for: .skip).value("--reason") == "-1 pixel")
    }

    @Test func operandsAndFlagsMayBeMixed() {
        let arguments = Arguments(["12", "--reason", "gone", "--env-file=x"], for: .skip)
        #expect(arguments.operands == ["12"])
        #expect(arguments.value("--env-file") == "x")
        #expect(arguments.faults == [])
    }

    @Test func wordsBehindTwoDashesAreHandedOnToPsqlAlone() {
        let psql = Arguments(["--", "-c", "select 1", "--help"], for: .psql)
        #expect(psql.rest == ["-c", "select 1", "--help"])
        #expect(!psql.wantsHelp)
        #expect(Arguments(["--", "-7"], for: .retry).operands == ["-7"])
    }

    @Test(arguments: [
        (["--slots", "0"], "--slots is '0'; expected 'auto' or a whole number from 1 to 64"),
        (["--slots", "+4"], "--slots is '+4'; expected 'auto' or a whole number from 1 to 64"),
        (["--slots"], "--slots needs a value: --slots N|auto"),
        (["--slots", "--drain"], "--slots needs a value: --slots N|auto"),
        (["--drain=yes"], "--drain takes no value"),
        (["--drain", "--drain"], "--drain is given twice"),
        (["--max-wait", "soon"], "--max-wait is 'soon'; expected a span such as 90s, 10m, 2h or 1d"),
        (["--motion", "maybe"], "--motion is 'maybe'; expected auto, always, never"),
        (["--drian"], "coldroll work has no flag --drian; did you mean --drain?"),
        (["--zebra=1"], "coldroll work has no flag --zebra"),
        (["-x"], "coldroll work has no flag -x"),
        (["photos"], "unexpected argument 'photos'"),
        (["a\u{1B}[2J"], "unexpected argument 'a\u{FFFD}[2J'"),
    ])
    func eachFaultIsASentence(words: [String], fault: String) {
        #expect(Arguments(words, for: .work).faults == [fault])
    }

    @Test func everyFaultIsCollected() {
        #expect(Arguments(["--slots", "many", "--drian", "x"], for: .work).faults.count == 3)
    }

    @Test func retryTakesPartsOrAReasonButNotBothOrNeither() {
        #expect(Arguments(["1", "2"], for: .retry).faults == [])
        #expect(Arguments(["--reason", "cut%"], for: .retry).faults == [])
        #expect(Arguments([], for: .retry).faults.count == 1)
        #expect(Arguments(["1", "--reason", "x"], for: .retry).faults == ["give part numbers or --reason, not both"])
        #expect(Arguments(["1", "two", "-"], for: .retry).faults == ["not a part's number: 'two', '-'"])
    }

    @Test func aLaneIsOneNumberFromOne() {
        #expect(Arguments(["2"], for: .pause).faults == [])
        #expect(Arguments(["0"], for: .pause).faults == ["not a lane's number: '0'"])
        #expect(Arguments(["1", "2"], for: .resume).faults.count == 1)
    }

    @Test func aStrangerToPsqlIsToldOfTheTwoDashes() {
        #expect(
            Arguments(["-c", "select 1"], for: .psql).faults.first
                == "coldroll psql has no flag -c; put psql's own behind '--'"
        )
    }
}
