package import Postgres

extension Statement {
    /// Every statement that this module runs, for the test that prepares them all.
    package static let jobQueue: [Statement] =
        [
            BreakerStatements.report, BreakerStatements.sound, BreakerStatements.probe, BreakerStatements.close,
            BreakerStatements.open,
            BudgetStatements.open, BudgetStatements.draw, BudgetStatements.giveBack, BudgetStatements.refuse,
            ClaimStatements.claim, StartStatements.start, StartStatements.forget,
            CompleteStatements.stored, CompleteStatements.storedAgain, CompleteStatements.storedWithMotion,
            CompleteStatements.ended,
            CompleteStatements.repeated,
            DoubtStatements.horizon, DoubtStatements.find, DoubtStatements.look, DoubtStatements.confirmed,
            DoubtStatements.replace, DoubtStatements.isDue,
            FailureStatements.fail, FailureStatements.release, FailureStatements.correct, FailureStatements.rename,
            LaneStatements.park, LaneStatements.slowDown, LaneStatements.waiting, LaneStatements.totals,
            LaneStatements.hasLive,
            LedgerStatements.identity, LedgerStatements.witnesses, LedgerStatements.neutral, LedgerStatements.bind,
            LedgerStatements.archive,
            LedgerStatements.source,
            LedgerStatements.findSource, LedgerStatements.foundNothing, LedgerStatements.lanes,
            LedgerStatements.sources, LedgerStatements.beginRun,
            LedgerStatements.finishRun,
            PageStatements.record, NewPageStatements.record, PageStatements.recordPicked,
            ScanStatements.lockSource, ScanStatements.open, ScanStatements.takeOver, ScanStatements.unread,
            ScanStatements.abandon,
            ScanStatements.begin, ScanStatements.renew, ScanStatements.position, ScanStatements.letGo,
            ScanStatements.restart, EmptyPageStatements.all, EmptyPageStatements.note,
            EmptyPageStatements.believe, EmptyPageStatements.goOn, EmptyPageStatements.fill,
            ScanStatements.comparison, ScanStatements.finish, ScanStatements.disbelieve, ScanStatements.hasSeen,
            ScanStatements.unseen,
            ScanStatements.lastPage, ScanStatements.hasUnknown, ScanStatements.repeatedPage, ScanStatements.knownItems,
            ScanStatements.expectedItems, ScanStatements.counts, ScanStatements.newest, StandingStatements.standing,
            StandingStatements.firstGaps, StandingStatements.firstAccepted,
            SchemaStatements.exists, SchemaStatements.mayCreate, SchemaStatements.mayGrant, SchemaStatements.grantRoles,
            SchemaStatements.versions,
            UploadStatements.keep, UploadStatements.take, UploadStatements.note, UploadStatements.forget,
            SweepStatements.reap, SweepStatements.orphans, SweepStatements.knownOrphans, SweepStatements.promote,
            TallyStatements.tallies, TallyStatements.recount, TallyStatements.fold,
            UpkeepStatements.prune, UpkeepStatements.deadRows, UpkeepStatements.vacuum,
            WorkerStatements.register, WorkerStatements.beat, WorkerStatements.stop,
        ] + LoginStatements.all + MoveStatements.all + PickStatements.all
        + TurnStatements.all + ScheduleStatements.all + NoticeStatements.all
}
