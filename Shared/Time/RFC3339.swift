extension Instant {
  /// The first and last moments that RFC 3339 can write: the years 0000 to 9999.
  static let written = Int64(-62_167_219_200_000)...Int64(253_402_300_799_999)

  /// Reads RFC 3339 (section 5.6) strictly: a date, `T`, a time of day and a zone, nothing before or behind. Digits beyond the millisecond are
  /// cut off; a leap second, 24:00 and days that the calendar does not have are refused.
  public init(rfc3339Bytes bytes: UnsafeRawBufferPointer) throws(TimeError) {
    var reader = RFC3339Reader(bytes: bytes)
    milliseconds = try reader.read()
  }

  /// The moment as `2026-11-21T10:00:00.000Z`, always in UTC and always with milliseconds. What lies beyond the years 0000 to 9999 is written as
  /// the nearest moment within.
  public var rfc3339: String {
    var bytes: [UInt8] = []
    bytes.reserveCapacity(24)
    writeRFC3339(into: &bytes)
    return String(decoding: bytes, as: UTF8.self)
  }

  /// Appends the 24 bytes of `rfc3339`.
  public func writeRFC3339(into bytes: inout [UInt8]) {
    let clamped = min(max(milliseconds, Self.written.lowerBound), Self.written.upperBound)
    let day = CivilDate.floorDivide(clamped, 86_400_000)
    let rest = Int(clamped - day * 86_400_000)
    let date = CivilDate(daysSince1970: day)
    withUnsafeTemporaryAllocation(of: UInt8.self, capacity: 24) { text in
      func put(_ value: Int, at place: Int) {
        text[place] = UInt8(48 + value / 10)
        text[place + 1] = UInt8(48 + value % 10)
      }
      _ = text.initialize(fromContentsOf: Self.pattern)
      put(date.year / 100, at: 0)
      put(date.year % 100, at: 2)
      put(date.month, at: 5)
      put(date.day, at: 8)
      put(rest / 3_600_000, at: 11)
      put(rest / 60_000 % 60, at: 14)
      put(rest / 1_000 % 60, at: 17)
      text[20] = UInt8(48 + rest / 100 % 10)
      put(rest % 100, at: 21)
      bytes.append(contentsOf: UnsafeBufferPointer(text))
    }
  }

  private static let pattern = Array("0000-00-00T00:00:00.000Z".utf8)
}

extension [UInt8] {
  mutating func appendTwoDigits(_ value: Int) {
    append(UInt8(48 + value / 10))
    append(UInt8(48 + value % 10))
  }
}

private struct RFC3339Reader {
  let bytes: UnsafeRawBufferPointer
  var position = 0

  mutating func read() throws(TimeError) -> Int64 {
    let year = try digits(4)
    try expect("-")
    let month = try digits(2)
    try expect("-")
    let day = try digits(2)
    guard (1...12).contains(month) else { throw .outOfRange(field: "month", value: month) }
    guard (1...CivilDate.days(ofMonth: month, year: year)).contains(day) else { throw .outOfRange(field: "day", value: day) }
    try expect("T", or: "t")
    let hour = try digits(2)
    try expect(":")
    let minute = try digits(2)
    try expect(":")
    let second = try digits(2)
    guard hour <= 23 else { throw .outOfRange(field: "hour", value: hour) }
    guard minute <= 59 else { throw .outOfRange(field: "minute", value: minute) }
    guard second <= 59 else { throw .outOfRange(field: "second", value: second) }
    let fraction = try milliseconds()
    let offset = try zone()
    guard position == bytes.count else { throw .malformed(at: position) }
    let days = CivilDate(year: year, month: month, day: day).daysSince1970
    let seconds = days * 86_400 + Int64(hour * 3_600 + minute * 60 + second) - Int64(offset * 60)
    let result = seconds * 1_000 + Int64(fraction)
    guard Instant.written.contains(result) else { throw .outOfRange(field: "year in UTC", value: year) }
    return result
  }

  private mutating func milliseconds() throws(TimeError) -> Int {
    guard position < bytes.count, bytes[position] == UInt8(ascii: ".") else { return 0 }
    position += 1
    let start = position
    var value = 0
    while position < bytes.count, let digit = digit(at: position) {
      if position - start < 3 { value = value * 10 + digit }
      position += 1
    }
    guard position > start else { throw .malformed(at: position) }
    for _ in min(position - start, 3)..<3 { value *= 10 }
    return value
  }

  private mutating func zone() throws(TimeError) -> Int {
    guard position < bytes.count else { throw .zoneMissing }
    let sign = bytes[position]
    position += 1
    switch sign {
    case UInt8(ascii: "Z"), UInt8(ascii: "z"): return 0
    case UInt8(ascii: "+"), UInt8(ascii: "-"):
      let hours = try digits(2)
      try expect(":")
      let minutes = try digits(2)
      guard hours <= 23 else { throw .outOfRange(field: "offset hour", value: hours) }
      guard minutes <= 59 else { throw .outOfRange(field: "offset minute", value: minutes) }
      return (sign == UInt8(ascii: "-") ? -1 : 1) * (hours * 60 + minutes)
    default: throw .malformed(at: position - 1)
    }
  }

  private mutating func digits(_ count: Int) throws(TimeError) -> Int {
    var value = 0
    for _ in 0..<count {
      guard position < bytes.count, let digit = digit(at: position) else { throw .malformed(at: position) }
      value = value * 10 + digit
      position += 1
    }
    return value
  }

  private func digit(at index: Int) -> Int? {
    let byte = bytes[index]
    return byte >= 48 && byte <= 57 ? Int(byte) - 48 : nil
  }

  private mutating func expect(_ first: Unicode.Scalar, or second: Unicode.Scalar? = nil) throws(TimeError) {
    guard position < bytes.count else { throw .malformed(at: position) }
    let byte = Unicode.Scalar(bytes[position])
    guard byte == first || byte == second else { throw .malformed(at: position) }
    position += 1
  }
}
