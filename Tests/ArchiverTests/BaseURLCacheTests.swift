import GooglePhotos
import Testing

@testable import Archiver

@Suite struct BaseURLCacheTests {
    private func items(_ count: Int, _ prefix: String, age: Duration = .zero) -> [MediaItem] {
        (0..<count).map {
            MediaItem(id: "\(prefix)\($0)", baseURL: BaseURL("https://example.com/", received: .now - age))
        }
    }

    @Test func `a full cache takes what jobs wait for, but no more of a scan's pages`() {
        let cache = BaseURLCache()
        cache.offer(items(BaseURLCache.limit, "page"))
        cache.offer(items(1, "later"))
        #expect(cache.item("later0") == nil)
        cache.offer(items(1, "wanted"), isWanted: true)
        #expect(cache.item("wanted0") != nil)
    }

    @Test func `what is too old makes room`() {
        let cache = BaseURLCache()
        cache.offer(items(BaseURLCache.limit, "old", age: BaseURLCache.youngerThan))
        cache.offer(items(1, "new"))
        #expect(cache.item("new0") != nil)
    }
}
