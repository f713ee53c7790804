/// A calendar day in Dortmund and Schwerte (Europe/Berlin): 24 hours long, 23 when summer time begins, 25 when it ends.
///
/// The rules are built in, so that a day is the same on a machine without zone data: summer time begins and ends at 01:00 UTC on the last Sunday of
/// March and of October (directive 2000/84/EC; since 1996), of September from 1981 to 1995, from 6 April to 28 September in 1980, and there was none
/// from 1950 to 1979.
public struct CityDay: Hashable, Comparable, Sendable {
  /// Days since 1970-01-01 in the calendar.
  public let daysSince1970: Int64

  /// The day with that many days between it and 1970-01-01.
  public init(daysSince1970: Int64) { self.daysSince1970 = daysSince1970 }

  /// The city's day in which a moment lies.
  public init(_ instant: Instant) {
    let local = instant.milliseconds + Self.offset(at: instant.milliseconds)
    daysSince1970 = CivilDate.floorDivide(local, 86_400_000)
  }

  /// Reads `2026-11-21`; nil for anything else and for a day that the calendar does not have.
  public init?(iso8601 text: some StringProtocol) {
    guard text.utf8.count == 10, let midnight = Instant(rfc3339: "\(text)T00:00:00Z") else { return nil }
    daysSince1970 = CivilDate.floorDivide(midnight.milliseconds, 86_400_000)
  }

  /// The first moment of the day: midnight in the city.
  public var start: Instant {
    let local = daysSince1970 * 86_400_000
    let inSummer = local - 2 * Self.hour
    return Instant(milliseconds: Self.offset(at: inSummer) == 2 * Self.hour ? inSummer : local - Self.hour)
  }

  /// The first moment of the next day; it no longer belongs to this one.
  public var end: Instant { next.start }

  /// The day after.
  public var next: CityDay { CityDay(daysSince1970: daysSince1970 + 1) }

  /// The day as `2026-11-21` (years 0000 to 9999).
  public var iso8601: String {
    var bytes: [UInt8] = []
    CivilDate(daysSince1970: daysSince1970).write(into: &bytes)
    return String(decoding: bytes, as: UTF8.self)
  }

  public static func < (left: CityDay, right: CityDay) -> Bool { left.daysSince1970 < right.daysSince1970 }

  private static let hour: Int64 = 3_600_000

  /// How many milliseconds the city's clocks are ahead of UTC.
  static func offset(at milliseconds: Int64) -> Int64 {
    let year = CivilDate(daysSince1970: CivilDate.floorDivide(milliseconds, 86_400_000)).year
    guard let summer = summer(of: year) else { return hour }
    return summer.contains(milliseconds) ? 2 * hour : hour
  }

  private static func summer(of year: Int) -> Range<Int64>? {
    let first: Int64
    let last: Int64
    switch year {
    case ..<1980: return nil
    case 1980: (first, last) = (CivilDate(year: 1980, month: 4, day: 6).daysSince1970, CivilDate(year: 1980, month: 9, day: 28).daysSince1970)
    default: (first, last) = (lastSunday(month: 3, year: year), lastSunday(month: year < 1996 ? 9 : 10, year: year))
    }
    return first * 86_400_000 + hour..<last * 86_400_000 + hour
  }

  private static func lastSunday(month: Int, year: Int) -> Int64 {
    let last = CivilDate(year: year, month: month, day: CivilDate.days(ofMonth: month, year: year)).daysSince1970
    // 1970-01-01 was a Thursday, so day 3 was a Sunday.
    return last - (last - 3) % 7
  }
}

extension CityDay: CustomStringConvertible {
  public var description: String { iso8601 }
}
