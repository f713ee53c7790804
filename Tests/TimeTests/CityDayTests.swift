import Foundation
import Testing
import Time

@Suite("A day of the city")
struct CityDayTests {
  @Test("begins at midnight in Berlin, which summer time moves")
  func starts() {
    #expect(CityDay(iso8601: "2026-01-15")?.start.rfc3339 == "2026-01-14T23:00:00.000Z")
    #expect(CityDay(iso8601: "2026-07-15")?.start.rfc3339 == "2026-07-14T22:00:00.000Z")
  }

  @Test(
    "has 23 hours when summer time begins and 25 when it ends",
    arguments: [("2020-03-29", 23), ("2020-10-25", 25), ("2026-03-29", 23), ("2026-10-25", 25), ("2026-11-21", 24)])
  func lengths(day: String, hours: Int) throws {
    let day = try #require(CityDay(iso8601: day))
    #expect(day.end - day.start == .seconds(hours * 3_600))
  }

  @Test("owns its first moment and not its end")
  func edges() throws {
    let day = try #require(CityDay(iso8601: "2026-10-25"))
    #expect(CityDay(day.start) == day)
    #expect(CityDay(day.end - .milliseconds(1)) == day)
    #expect(CityDay(day.end) == day.next)
    #expect(CityDay(day.start - .milliseconds(1)) < day)
  }

  @Test("agrees with the zone data of the system from 1970 to 2037")
  func agreesWithZoneData() throws {
    guard let berlin = TimeZone(identifier: "Europe/Berlin") else { return }
    var instant = Int64(0)
    while instant < 2_145_000_000_000 {
      let local = instant + Int64(berlin.secondsFromGMT(for: Date(timeIntervalSince1970: Double(instant) / 1_000))) * 1_000
      #expect(CityDay(Instant(milliseconds: instant)).daysSince1970 == local / 86_400_000)
      instant += 5_400_000 * 7
    }
  }

  @Test("is written as a date and refused where the calendar has no such day")
  func text() {
    #expect(CityDay(iso8601: "2026-11-21")?.iso8601 == "2026-11-21")
    #expect(CityDay(iso8601: "2026-02-30") == nil)
    #expect(CityDay(iso8601: "2026-2-3") == nil)
  }
}
