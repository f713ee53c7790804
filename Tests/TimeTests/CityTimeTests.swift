import Testing
import Time

@Suite("City time")
struct CityTimeTests {
  @Test(
    "is what the city's clocks show, with their offset",
    arguments: [
      ("2030-06-15T12:00:00.999Z", "2030-06-15T14:00:00+02:00"), ("2030-12-31T23:00:00Z", "2031-01-01T00:00:00+01:00"),
      ("2030-03-31T00:59:59Z", "2030-03-31T01:59:59+01:00"), ("2030-03-31T01:00:00Z", "2030-03-31T03:00:00+02:00"),
      ("2030-10-27T00:59:59Z", "2030-10-27T02:59:59+02:00"), ("2030-10-27T01:00:00Z", "2030-10-27T02:00:00+01:00"),
      ("1969-12-31T23:00:00Z", "1970-01-01T00:00:00+01:00"),
    ])
  func shown(utc: String, city: String) throws {
    let instant = try #require(Instant(rfc3339: utc))
    #expect(instant.cityTime == city)
    let whole = try #require(Instant(rfc3339: city))
    #expect(instant - whole < .seconds(1))
    #expect(instant.cityOffset == .seconds(city.hasSuffix("+02:00") ? 7_200 : 3_600))
  }

  @Test("has four digits of a year, also at the ends of what can be written")
  func ends() {
    #expect(Instant(milliseconds: .max).cityTime.utf8.count == 25)
    #expect(Instant(milliseconds: .min).cityTime.utf8.count == 25)
  }

  @Test(
    "is read without an offset: once, also in the hour that comes twice and in the one that is left out",
    arguments: [
      ("2030-06-15T14:00:00", "2030-06-15T12:00:00Z"), ("2030-01-15T14:00:00", "2030-01-15T13:00:00Z"), ("2030-03-31T01:59:59", "2030-03-31T00:59:59Z"),
      ("2030-03-31T02:30:00", "2030-03-31T00:30:00Z"), ("2030-03-31T03:00:00", "2030-03-31T01:00:00Z"), ("2030-10-27T01:59:59", "2030-10-26T23:59:59Z"),
      ("2030-10-27T02:30:00", "2030-10-27T01:30:00Z"), ("2030-10-27T03:00:00", "2030-10-27T02:00:00Z"),
    ])
  func read(shown: String, utc: String) throws {
    #expect(Instant(cityClocksShow: try #require(Instant(rfc3339: shown + "Z"))) == Instant(rfc3339: utc))
  }
}
