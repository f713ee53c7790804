@testable import Postgres
import Testing

@Suite("What a server keeps") struct DurabilityTests {
  @Test(
    "a server that flushes only itself is refused where a standby may take over, and right where there is none",
    arguments: [
      ("on", "", nil), ("local", "", nil), ("remote_write", "", nil), ("remote_apply", "ANY 1 (a, b)", nil), ("remote_write", "a", nil), ("on", "a", nil),
      ("local", "a", "synchronous_commit"), ("off", "", "synchronous_commit"), ("off", "a", "synchronous_commit"),
    ] as [(String, String, String?)])
  func durabilityOfStandbys(commit: String, standbys: String, fault: String?) {
    #expect(Durability.unsafe(["fsync": "on", "synchronous_commit": commit, "synchronous_standby_names": standbys])?.setting == fault)
    #expect(Durability.unsafe(["fsync": "off", "synchronous_commit": commit, "synchronous_standby_names": standbys])?.setting == "fsync")
  }
}
