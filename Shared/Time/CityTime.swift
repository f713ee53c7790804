extension Instant {
  /// How far the city's clocks (Europe/Berlin) are ahead of UTC at this moment; beyond the years 0000 to 9999 as at the nearest moment within.
  public var cityOffset: Duration { .milliseconds(CityDay.offset(at: nearby)) }

  /// The moment as the city's clocks show it, `2030-06-15T14:00:00+02:00` (RFC 3339): what is less than a second is cut off. What lies beyond the years
  /// 0000 to 9999, or within a day of their ends, is written as the nearest moment within.
  public var cityTime: String {
    let offset = CityDay.offset(at: nearby)
    return "\(Instant(milliseconds: nearby + offset).rfc3339.prefix(19))+0\(offset / 3_600_000):00"
  }

  /// The moment at which the city's clocks show what a moment in UTC shows: of the two in the hour that comes twice in autumn the later, and of those that
  /// are left out in spring what they show an hour before.
  public init(cityClocksShow shown: Instant) {
    let near = shown.nearby
    self = Instant(milliseconds: near - CityDay.offset(at: near - 3_600_000))
  }

  /// A day within the ends of what can be written, so that no offset leads out of them.
  private var nearby: Int64 { min(max(milliseconds, Self.written.lowerBound + 86_400_000), Self.written.upperBound - 86_400_000) }
}
