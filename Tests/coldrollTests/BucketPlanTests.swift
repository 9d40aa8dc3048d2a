import CloudStorage
import Foundation
import Testing

@testable import coldroll

/// What setup would do with buckets, and what it says that this costs.
@Suite struct BucketPlanTests {
    private func settings(_ json: String) throws -> BucketResource {
        try JSONDecoder().decode(BucketResource.self, from: Data(json.utf8))
    }

    /// A bucket in Finland, `prevention` on or off, with so many seconds of soft delete.
    private func found(
        _ use: BucketUse = .archive,
        prevention: String = "enforced",
        softDelete: Int = 604_800,
        more: String = ""
    ) throws -> BucketPlan.Found {
        let text = """
            {"name":"photos","location":"EUROPE-NORTH1","storageClass":"ARCHIVE","metageneration":"4",
             "softDeletePolicy":{"retentionDurationSeconds":"\(softDelete)"},
             "iamConfiguration":{"uniformBucketLevelAccess":{"enabled":true},"publicAccessPrevention":"\(prevention)"}\(more)}
            """
        return BucketPlan.Found(use: use, name: "photos", settings: try settings(text))
    }

    private func options(_ words: String...) -> BucketOptions {
        let arguments = Arguments(words, for: .setup)
        #expect(arguments.faults == [])
        return BucketOptions(arguments)
    }

    @Test func missingBucketsAreMadeOfTheirClassesInOnePlace() throws {
        let missing = [BucketUse.archive, .state].map { BucketPlan.Found(use: $0, name: "\($0)", settings: nil) }
        let plan = BucketPlan(missing, options("--retention", "400", "--location", "EUROPE-WEST1"))
        #expect(plan.isNeeded)
        #expect(
            plan.steps.map(\.action) == [
                .make(
                    NewBucket(
                        name: "archive",
                        location: "europe-west1",
                        storageClass: "ARCHIVE",
                        softDeleteDays: 30,
                        retentionDays: 400
                    )
                ),
                .make(NewBucket(name: "state", location: "europe-west1", storageClass: "STANDARD", softDeleteDays: 7)),
            ]
        )
    }

    @Test func aNewStateStoreStandsWhereTheArchiveIs() throws {
        let plan = BucketPlan([try found(), BucketPlan.Found(use: .state, name: "state", settings: nil)], options())
        guard case .make(let new) = plan.steps.first?.action else { return #expect(Bool(false)) }
        #expect(plan.steps.count == 1)
        #expect(new.location == "europe-north1")
    }

    @Test func withNothingToChangeThereIsNoPlan() throws {
        let plan = BucketPlan([try found(), try found(.state)], options("--soft-delete", "7"))
        #expect(plan.steps.isEmpty && plan.faults.isEmpty && !plan.isNeeded)
    }

    @Test func whatWasAskedForIsNeededAndWhatIsOnlyBetterIsNot() throws {
        let better = BucketPlan([try found(prevention: "inherited")], options())
        #expect(better.steps.map(\.isOptional) == [true])
        #expect(!better.isNeeded)
        let asked = BucketPlan([try found(prevention: "inherited")], options("--soft-delete", "30"))
        var change = BucketChange()
        change.preventsPublicAccess = true
        change.softDeleteDays = 30
        #expect(asked.steps.map(\.action) == [.change(change, version: 4)])
        #expect(asked.isNeeded)
        // Whoever may not turn it on is not made to try.
        var other = try found(prevention: "inherited")
        other.mayPrevent = false
        #expect(BucketPlan([other], options()).steps.isEmpty)
    }

    @Test(
        "nothing is ever loosened",
        arguments: [
            (["--soft-delete", "7"], "", "only ever makes that longer", "--soft-delete-duration=7d"),
            (["--soft-delete", "0"], "", "only ever makes that longer", "--clear-soft-delete"),
            (
                ["--retention", "5"], #","retentionPolicy":{"retentionPeriod":"864000"}"#, "of 10 days",
                "--retention-period=5d"
            ),
            (
                ["--retention", "50"], #","retentionPolicy":{"retentionPeriod":"864000","isLocked":true}"#, "locked",
                "leave out"
            ),
            (["--location", "us-central1"], "", "is in europe-north1", "never moves"),
        ]
    )
    func tightening(words: [String], more: String, message: String, fix: String) throws {
        let arguments = Arguments(words, for: .setup)
        let plan = BucketPlan([try found(softDelete: 2_592_000, more: more)], BucketOptions(arguments))
        try #require(plan.faults.count == 1, "\(plan)")
        #expect(plan.steps.isEmpty)
        #expect(plan.faults[0].contains(message) && plan.faults[0].contains(fix), "\(plan.faults[0])")
        #expect(plan.faults[0].contains("gs://photos"))
    }

    @Test func aBucketThatCannotBeReadIsNotPlannedFor() throws {
        var hidden = BucketPlan.Found(use: .archive, name: "photos", settings: nil)
        hidden.isReadable = false
        #expect(BucketPlan([hidden], options()).steps.isEmpty)
        #expect(BucketPlan([hidden], options()).faults == [])
    }

    @Test func eachFlagThatCannotBeSeenToInABucketThatCannotBeReadIsAFault() throws {
        var hidden = BucketPlan.Found(use: .archive, name: "photos", settings: nil)
        hidden.isReadable = false
        let asked = options("--soft-delete", "60", "--retention", "400", "--location", "us-central1")
        let faults = BucketPlan([hidden, try found(.state)], asked).faults
        #expect(faults.filter { $0.contains("gs://photos: these credentials may not read") }.count == 3, "\(faults)")
        for flag in ["--soft-delete 60 ", "--retention 400 ", "--location us-central1 "] {
            #expect(faults.contains { $0.hasPrefix(flag) }, "\(flag) is not in \(faults)")
        }
        // The state store has no use for the first two, and a location is for the bucket that is made.
        var state = BucketPlan.Found(use: .state, name: "state", settings: nil)
        state.isReadable = false
        let missing = BucketPlan.Found(use: .archive, name: "photos", settings: nil)
        let plan = BucketPlan([missing, state], asked)
        #expect(plan.faults == [] && plan.steps.count == 1)
    }

    @Test func softDeleteOfABucketThatIsThereIsShownWithWhatPhotosCostInIt() throws {
        let plan = BucketPlan([try found()], options("--soft-delete", "60"))
        #expect(plan.steps[0].words.joined().contains("100 GB deleted: $0.24 (100 × $0.0012 × 60/30)"), "\(plan)")
        let json = #"{"name":"photos","location":"US","storageClass":"STANDARD"}"#
        let other = BucketPlan.Found(use: .archive, name: "photos", settings: try settings(json))
        let words = BucketPlan([other], options("--soft-delete", "60")).steps[0].words.joined()
        #expect(
            words.contains("100 GB deleted would cost in us is 60/30 of their price for a month: https://"),
            "\(words)"
        )
        // The photos in it are of the class Archive all the same.
        let near = json.replacing("US", with: "EUROPE-NORTH1")
        let standard = BucketPlan.Found(use: .archive, name: "photos", settings: try settings(near))
        let sum = BucketPlan([standard], options("--soft-delete", "60")).steps[0].words.joined()
        #expect(sum.contains("100 GB deleted: $0.24"), "\(sum)")
    }

    @Test func theCostIsToldWithItsSums() throws {
        let plan = BucketPlan([BucketPlan.Found(use: .archive, name: "photos", settings: nil)], options())
        let text = plan.steps[0].words.joined(separator: "\n")
        for words in [
            "Make the archive gs://photos: class ARCHIVE, location europe-north1", "never public",
            "$0.0012 per GB and month, so 100 GB are $0.12 a month and 1 TB is $1.20 (1,000 × $0.0012)",
            "about $0.05 per 1,000 files stored, so 100,000 files are about $5.00 (not confirmed: look it up)",
            "as of September 2026 but for what is not confirmed",
            "charged for 365 days at least", "100 GB are $1.44 (12 months × $0.12)",
            "Soft delete 30 days", "100 GB deleted: $0.12 (100 × $0.0012 × 30/30)",
        ] { #expect(text.contains(words), "\(words) is not in \(text)") }
        let state = BucketPlan([BucketPlan.Found(use: .state, name: "s", settings: nil)], options()).steps[0].words
        #expect(state.joined().contains("$0.02 per GB and month; $0.005 per 1,000 writes"), "\(state)")
    }

    @Test func aPriceThatIsNotKnownIsNotInvented() throws {
        let plan = BucketPlan(
            [BucketPlan.Found(use: .archive, name: "photos", settings: nil)],
            options("--location", "asia-south2")
        )
        let text = plan.steps[0].words.joined(separator: "\n")
        #expect(text.contains("What a GB costs in asia-south2: https://cloud.google.com/storage/pricing"))
        #expect(text.contains("365 days at least"))
    }

    @Test(arguments: [
        (0.0012, "$0.0012"), (0.005, "$0.005"), (0.05, "$0.05"), (0.12, "$0.12"), (14.4, "$14.40"), (0, "$0.00"),
        (1234.5, "$1,234.50"), (0.02, "$0.02"), (1.199999, "$1.20"),
    ])
    func moneyIsReadable(amount: Double, text: String) { #expect(BucketWords.dollars(amount) == text) }

    @Test(arguments: [
        (["--soft-delete", "3"], "--soft-delete is '3'; expected 0, or a whole number of days from 7 to 90"),
        (["--soft-delete", "+9"], "--soft-delete is '+9'; expected 0, or a whole number of days from 7 to 90"),
        (["--retention", "0"], "--retention is '0'; expected a whole number of days from 1 to 36524"),
        (["--retention", "36525"], "--retention is '36525'; expected a whole number of days from 1 to 36524"),
        (["--location", "a/b"], "--location is 'a/b'; expected letters, digits, '-', '.' and ':'"),
        (["--project", "p&x=1"], "--project is 'p&x=1'; expected letters, digits, '-', '.' and ':'"),
    ])
    func eachFaultOfAFlagIsASentence(words: [String], fault: String) {
        #expect(Arguments(words, for: .setup).faults == [fault])
    }
}
