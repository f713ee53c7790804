import Foundation
import Testing

@testable import Time

@Suite("An instant")
struct InstantTests {
  @Test(
    "is read from RFC 3339, whatever the zone",
    arguments: [
      ("1970-01-01T00:00:00Z", 0), ("1970-01-01T01:00:00+01:00", 0), ("1969-12-31T23:59:59.999Z", -1), ("2020-02-29T12:00:00.5Z", 1_582_977_600_500),
      ("2026-11-21T10:00:00.123987-05:30", 1_795_275_000_123), ("2000-01-01t00:00:00z", 946_684_800_000), ("2026-01-01T00:00:00-00:00", 1_767_225_600_000),
    ] as [(String, Int64)])
  func reads(text: String, milliseconds: Int64) {
    #expect(Instant(rfc3339: text)?.milliseconds == milliseconds)
  }

  @Test(
    "is refused where the text leaves doubt or names no real moment",
    arguments: [
      "", "2026-11-21", "2026-11-21T10:00:00", "2026-11-21 10:00:00Z", "2026-11-21T10:00Z", "2020-02-31T10:00:00Z", "2021-02-29T00:00:00Z",
      "2026-13-01T00:00:00Z",
      "2026-00-01T00:00:00Z", "2026-11-21T24:00:00Z", "2026-11-21T10:60:00Z", "2016-12-31T23:59:60Z", "2026-11-21T10:00:00.Z", "2026-11-21T10:00:00Zx",
      "2026-11-21T10:00:00+24:00", "2026-11-21T10:00:00+01:60", "2026-11-21T10:00:00+0100", "+026-11-21T10:00:00Z", "2026-11-21T10:00:00,5Z",
      "0000-01-01T00:00:00+00:01",
      "２026-11-21T10:00:00Z", "2026-11-21T10:00:00Z\0",
    ])
  func refuses(text: String) {
    #expect(Instant(rfc3339: text) == nil)
  }

  @Test("says that the zone is what is missing")
  func zoneMissing() {
    #expect(throws: TimeError.zoneMissing) {
      try Array("2026-11-21T10:00:00.5".utf8).withUnsafeBytes { try Instant(rfc3339Bytes: $0) }
    }
  }

  @Test(
    "is written in UTC with milliseconds, and read back the same",
    arguments: [-62_167_219_200_000, -1, 0, 1, 951_782_400_000, 1_795_275_000_123, 253_402_300_799_999] as [Int64])
  func roundTrip(milliseconds: Int64) {
    let instant = Instant(milliseconds: milliseconds)
    #expect(instant.rfc3339.utf8.count == 24)
    #expect(Instant(rfc3339: instant.rfc3339) == instant)
  }

  @Test("agrees with Foundation's formatter over four centuries")
  func agreesWithFoundation() {
    for step in 0..<4_000 {
      let seconds = -6_000_000_000 + Int64(step) * 3_000_017
      let expected = Date(timeIntervalSince1970: Double(seconds)).formatted(.iso8601)
      #expect(Instant(milliseconds: seconds * 1_000).rfc3339 == expected.dropLast() + ".000Z")
    }
  }

  @Test("never crashes on noise, and what it takes it writes back as the same moment")
  func noise() {
    var random = SystemRandomNumberGenerator()
    let alphabet = Array("0123456789-:.TZ+tz ".utf8)
    let seed = Array("2026-11-21T10:00:00.123+01:00".utf8)
    for _ in 0..<20_000 {
      var text = seed
      for _ in 0..<Int.random(in: 1...3, using: &random) {
        text[Int.random(in: 0..<text.count, using: &random)] = alphabet[Int.random(in: 0..<alphabet.count, using: &random)]
      }
      guard let instant = Instant(rfc3339: String(decoding: text, as: UTF8.self)) else { continue }
      #expect(Instant(rfc3339: instant.rfc3339) == instant)
    }
  }

  @Test("moves by durations and tells the distance")
  func arithmetic() {
    let start = Instant(milliseconds: 1_000)
    #expect(start + .seconds(2) == Instant(milliseconds: 3_000))
    #expect(start - .seconds(2) == Instant(milliseconds: -1_000))
    #expect(Instant(milliseconds: 3_500) - start == .milliseconds(2_500))
    #expect(Instant(milliseconds: .max) + .seconds(1) == Instant(milliseconds: .max))
  }

  @Test("is encoded as its text")
  func codable() throws {
    let instant = Instant(milliseconds: 1_795_275_000_123)
    let data = try JSONEncoder().encode([instant])
    #expect(String(decoding: data, as: UTF8.self) == #"["2026-11-21T15:30:00.123Z"]"#)
    #expect(try JSONDecoder().decode([Instant].self, from: data) == [instant])
  }
}
