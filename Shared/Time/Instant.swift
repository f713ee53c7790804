#if canImport(Glibc)
  import Glibc
#else
  import Foundation
#endif

/// A moment in UTC, in whole milliseconds since 1970-01-01T00:00:00Z. Its text, and what it is encoded as, is RFC 3339.
public struct Instant: Hashable, Comparable, Sendable {
  /// Milliseconds since 1970-01-01T00:00:00Z, negative before it.
  public let milliseconds: Int64

  /// The moment that many milliseconds after 1970 began in UTC.
  public init(milliseconds: Int64) { self.milliseconds = milliseconds }

  /// Reads RFC 3339 strictly, see `init(rfc3339Bytes:)`; nil where that throws.
  public init?(rfc3339 text: some StringProtocol) {
    var copy = String(text)
    let read: Instant? = copy.withUTF8 { bytes in try? Instant(rfc3339Bytes: UnsafeRawBufferPointer(bytes)) }
    guard let read else { return nil }
    self = read
  }

  /// What the machine's clock says. Domain code never calls this: times come in with the command.
  public static func now() -> Instant {
    var time = timespec()
    clock_gettime(CLOCK_REALTIME, &time)
    return Instant(milliseconds: Int64(time.tv_sec) * 1_000 + Int64(time.tv_nsec) / 1_000_000)
  }

  public static func < (left: Instant, right: Instant) -> Bool { left.milliseconds < right.milliseconds }

  /// The moment a duration later; parts of a millisecond are cut off, and the ends of the range hold instead of overflowing.
  public static func + (left: Instant, right: Duration) -> Instant {
    let (sum, overflow) = left.milliseconds.addingReportingOverflow(right.wholeMilliseconds)
    guard overflow else { return Instant(milliseconds: sum) }
    return Instant(milliseconds: right < .zero ? .min : .max)
  }

  /// The moment a duration earlier.
  public static func - (left: Instant, right: Duration) -> Instant { left + (.zero - right) }

  /// How long after `right` the moment `left` is.
  public static func - (left: Instant, right: Instant) -> Duration { .milliseconds(left.milliseconds - right.milliseconds) }
}

extension Instant: Codable {
  /// An RFC 3339 string; anything else is a `DecodingError` that says what was wrong.
  public init(from decoder: any Decoder) throws {
    let container = try decoder.singleValueContainer()
    var text = try container.decode(String.self)
    do throws(TimeError) {
      self = try Instant.read(&text)
    } catch {
      throw DecodingError.dataCorruptedError(in: container, debugDescription: error.description)
    }
  }

  /// Writes `rfc3339`.
  public func encode(to encoder: any Encoder) throws {
    var container = encoder.singleValueContainer()
    try container.encode(rfc3339)
  }

  private static func read(_ text: inout String) throws(TimeError) -> Instant {
    let result: Result<Instant, TimeError> = text.withUTF8 { bytes in
      do throws(TimeError) { return .success(try Instant(rfc3339Bytes: UnsafeRawBufferPointer(bytes))) } catch { return .failure(error) }
    }
    return try result.get()
  }
}

extension Instant: CustomStringConvertible {
  public var description: String { rfc3339 }
}

extension Duration {
  /// The duration in milliseconds, what is smaller cut off.
  public var wholeMilliseconds: Int64 {
    let (seconds, attoseconds) = components
    let (scaled, overflow) = seconds.multipliedReportingOverflow(by: 1_000)
    return overflow ? (seconds < 0 ? .min : .max) : scaled + attoseconds / 1_000_000_000_000_000
  }
}
