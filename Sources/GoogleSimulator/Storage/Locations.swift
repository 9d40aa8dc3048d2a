/// Where buckets can be (Cloud Storage: bucket locations).
enum Locations {
    private static let multi: Set = ["ASIA", "EU", "US"]
    private static let dual: Set = ["ASIA1", "EUR4", "EUR5", "EUR7", "EUR8", "NAM4"]
    private static let regions: Set = [
        "AFRICA-SOUTH1", "ASIA-EAST1", "ASIA-EAST2", "ASIA-NORTHEAST1", "ASIA-NORTHEAST2", "ASIA-NORTHEAST3",
        "ASIA-SOUTH1", "ASIA-SOUTH2", "ASIA-SOUTHEAST1", "ASIA-SOUTHEAST2", "ASIA-SOUTHEAST3", "AUSTRALIA-SOUTHEAST1",
        "AUSTRALIA-SOUTHEAST2", "EUROPE-CENTRAL2", "EUROPE-NORTH1", "EUROPE-NORTH2", "EUROPE-SOUTHWEST1",
        "EUROPE-WEST1", "EUROPE-WEST2", "EUROPE-WEST3", "EUROPE-WEST4", "EUROPE-WEST6", "EUROPE-WEST8", "EUROPE-WEST9",
        "EUROPE-WEST10", "EUROPE-WEST12", "ME-CENTRAL1", "ME-CENTRAL2", "ME-WEST1", "NORTHAMERICA-NORTHEAST1",
        "NORTHAMERICA-NORTHEAST2", "NORTHAMERICA-SOUTH1", "SOUTHAMERICA-EAST1", "SOUTHAMERICA-WEST1", "US-CENTRAL1",
        "US-EAST1", "US-EAST4", "US-EAST5", "US-SOUTH1", "US-WEST1", "US-WEST2", "US-WEST3", "US-WEST4",
    ]

    /// `region`, `dual-region` or `multi-region`; nil where no bucket can be.
    static func type(_ location: String) -> String? {
        if multi.contains(location) { return "multi-region" }
        if dual.contains(location) { return "dual-region" }
        return regions.contains(location) ? "region" : nil
    }
}
