import CloudStorage

/// What a person reads of a plan: what is done, what it costs, and how that was reckoned.
enum BucketWords {
    static func making(_ new: NewBucket, use: BucketUse) -> [String] {
        var lines = [
            "Make the \(use.words) gs://\(new.name): class \(new.storageClass), location \(new.location), rights by IAM only, "
                + "never public."
        ]
        lines += cost(new, use: use)
        switch (use, new.softDeleteDays) {
        case (.archive, 0):
            lines.append(
                "  No soft delete: what somebody deletes by mistake is gone at once. "
                    + "\(BucketJudgement.recommendedSoftDelete) days are recommended."
            )
        case (.archive, let days):
            lines.append("  Soft delete \(days) days: \(softDelete(days, in: new.location))")
        case (.state, let days):
            lines.append("  Soft delete \(days) days, for a few kilobytes.")
        }
        if let days = new.retentionDays { lines.append(retention(days)) }
        return lines
    }

    static func changing(_ change: BucketChange, of settings: BucketResource, use: BucketUse) -> [String] {
        let url = "gs://\(settings.name)"
        var lines: [String] = ["Change the \(use.words) \(url):"]
        if change.preventsPublicAccess {
            lines.append("  Public access prevention on: nobody can make it public by mistake. It costs nothing.")
        }
        if let days = change.softDeleteDays {
            lines.append(
                "  Soft delete \(days) days instead of \(settings.softDeleteDays): "
                    + softDelete(days, in: settings.location ?? "its location")
            )
        }
        if let days = change.retentionDays { lines.append(retention(days)) }
        return lines
    }

    private static func cost(_ new: NewBucket, use: BucketUse) -> [String] {
        guard let price = BucketPrice.of(new.storageClass, in: new.location) else {
            return [
                "  What a GB costs in \(new.location): https://cloud.google.com/storage/pricing."
                    + (use == .archive ? " In \(BucketOptions.defaultLocation) it is $0.0012 a month." : ""),
                minimum(new.storageClass),
            ].compactMap(\.self)
        }
        let month = price.perGigabyteMonth
        if use == .state {
            return [
                "  Costs: less than $0.01 a month for a few files (\(dollars(month)) per GB and month; "
                    + "\(dollars(price.perThousandWrites)) per 1,000 writes). No minimum storage time."
            ]
        }
        return [
            "  Costs: \(dollars(month)) per GB and month, so 100 GB are \(dollars(month * 100)) a month and 1 TB is "
                + "\(dollars(month * 1000)) (1,000 × \(dollars(month))).",
            "  Once: about \(dollars(price.perThousandWrites)) per 1,000 files stored, so 100,000 files are about "
                + "\(dollars(price.perThousandWrites * 100))\(price.isWriteConfirmed ? "" : " (not confirmed: look it up)"). "
                + "Reading back: \(dollars(price.perGigabyteRead)) per GB and the network.",
            "  Each file is charged for \(price.minimumDays) days at least, however early it is deleted: 100 GB are "
                + "\(dollars(month * 100 * 12)) (12 months × \(dollars(month * 100))).",
            "  US dollars without tax, as of September 2026"
                + (price.isWriteConfirmed ? "" : " but for what is not confirmed")
                + ": https://cloud.google.com/storage/pricing has today's.",
        ]
    }

    private static func minimum(_ storageClass: String) -> String? {
        storageClass == "ARCHIVE"
            ? "  Each file is charged for 365 days at least, however early it is deleted (class Archive)." : nil
    }

    /// Of the archive, whose photos are of the class Archive whatever its bucket's own class is.
    private static func softDelete(_ days: Int, in location: String) -> String {
        let sentence =
            "what somebody deletes can be restored that long, and is charged for that long; until then it costs "
            + "nothing."
        guard let price = BucketPrice.of("ARCHIVE", in: location) else {
            return sentence
                + " What 100 GB deleted would cost in \(location.lowercased()) is \(days)/30 of their price for a "
                + "month: https://cloud.google.com/storage/pricing."
        }
        let sum = price.perGigabyteMonth * 100 * Double(days) / 30
        return sentence + " 100 GB deleted: \(dollars(sum)) (100 × \(dollars(price.perGigabyteMonth)) × \(days)/30)."
    }

    private static func retention(_ days: Int) -> String {
        "  Retention policy of \(days) days, not locked: nobody, you included, can delete or replace what was stored less than "
            + "\(days) days ago, until the policy is removed. It costs nothing."
    }

    /// `$0.0012`, `$0.005`, `$0.12`, `$14.40`: two digits, or as many of four as it takes below ten cents.
    static func dollars(_ amount: Double) -> String {
        let scaled = Int64((amount * 10_000).rounded())
        let isSmall = scaled < 1000 && scaled % 100 != 0
        let whole = isSmall ? scaled / 10_000 : (scaled + 50) / 10_000
        var fraction = String(isSmall ? scaled % 10_000 : (scaled + 50) / 100 % 100)
        fraction = String(repeating: "0", count: (isSmall ? 4 : 2) - fraction.count) + fraction
        while fraction.count > 2, fraction.hasSuffix("0") { fraction.removeLast() }
        return "$\(Quantity.grouped(whole)).\(fraction)"
    }
}
