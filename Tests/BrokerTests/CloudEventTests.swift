import Broker
import Foundation
import Testing
import Time

@Suite("Events and keys") struct CloudEventTests {
  // Vectors of Kafka's own test, org.apache.kafka.common.utils.UtilsTest.testMurmur2.
  @Test(
    "murmur2 is Kafka's",
    arguments: [
      ("21", -973_932_308), ("foobar", -790_332_482), ("a-little-bit-long-string", -985_981_536), ("a-little-bit-longer-string", -1_486_304_829),
      ("lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8", -58_897_971), ("abc", 479_470_107),
    ] as [(String, Int32)])
  func murmur(_ key: String, _ hash: Int32) {
    #expect(Int32(bitPattern: murmur2(key.utf8)) == hash)
  }

  @Test("a key's partition is the positive hash modulo the partitions") func partition() {
    // toPositive(-973932308) = 1173551340; a power of two does not tell it from the unsigned hash, 3321034988.
    #expect(topic(partitions: 16).partition(forKey: "21") == 12)
    #expect(topic(partitions: 7).partition(forKey: "21") == 1_173_551_340 % 7)
    #expect(topic(partitions: 1).partition(forKey: "anything") == 0)
  }

  @Test("an event survives headers and structured JSON") func forms() throws {
    var full = event("ü 🚒", journal: JournalPosition(partition: 1, epoch: 2, offset: 3))
    full.traceparent = "00-a-b-01"
    #expect(try CloudEvent(headers: full.headers + [(name: "ce_unknown", value: "x")], data: full.data) == full)
    #expect(full.headers.contains { $0 == ("ce_journaloffset", "3") })
    #expect(try CloudEvent(structured: full.structured) == full)
    let text = String(decoding: full.structured, as: UTF8.self)
    #expect(text.contains("\"journaloffset\":3") && text.contains("\"specversion\":\"1.0\"") && text.contains("\"datacontenttype\":\"application/json\""))
  }

  @Test("what is no event is refused with the attribute's name") func refusals() {
    let good = event("x")
    #expect(throws: CloudEventError.missing(attribute: "subject")) {
      try CloudEvent(headers: good.headers.filter { $0.name != "ce_subject" }, data: good.data)
    }
    #expect(throws: CloudEventError.self) { try CloudEvent(structured: Array("[]".utf8)) }
    #expect(throws: CloudEventError.self) {
      try CloudEvent(headers: good.headers.map { $0.name == "ce_time" ? (name: $0.name, value: "yesterday") : $0 }, data: good.data)
    }
  }
}
