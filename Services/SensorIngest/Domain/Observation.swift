import Time

/// A reading as it was sent (OGC 18-088, section 8.2.6), before anybody asked whether it can be.
public struct Observation: Hashable, Sendable {
  /// When what was measured was so, or the start of the interval in which it was. With the datastream it says which observation this is.
  public var phenomenonTime: Instant
  /// The end of the interval, where it was one.
  public var phenomenonEnd: Instant?
  public var result: ObservedResult
  /// When the result was made, where that differs.
  public var resultTime: Instant?
  /// RFC 3339, a moment or an interval, as sent.
  public var validTime: String?
  /// JSON.
  public var resultQuality: [UInt8]?
  /// A JSON object.
  public var parameters: [UInt8]?
  /// The FeatureOfInterest that it names; nil where it is about the place of its thing.
  public var feature: Int64?

  public init(
    phenomenonTime: Instant, phenomenonEnd: Instant? = nil, result: ObservedResult, resultTime: Instant? = nil, validTime: String? = nil,
    resultQuality: [UInt8]? = nil, parameters: [UInt8]? = nil, feature: Int64? = nil
  ) {
    self.phenomenonTime = phenomenonTime
    self.phenomenonEnd = phenomenonEnd
    self.result = result
    self.resultTime = resultTime
    self.validTime = validTime
    self.resultQuality = resultQuality
    self.parameters = parameters
    self.feature = feature
  }
}

/// What was measured, by its JSON type.
public enum ObservedResult: Hashable, Sendable {
  case number(Double)
  case truth(Bool)
  case text(String)
  /// An object or array, as JSON.
  case json([UInt8])

  /// What it is, in words for an error.
  public var kind: String {
    switch self {
    case .number: "a number"
    case .truth: "true or false"
    case .text: "a text"
    case .json: "an object or array"
    }
  }
}

/// What an observation is judged by.
public struct ObservedDatastream: Hashable, Sendable {
  public let id: Int64
  public let observationType: ObservationType
  public let plausibleRange: PlausibleRange?
  public let isClosed: Bool

  public init(id: Int64, observationType: ObservationType, plausibleRange: PlausibleRange?, isClosed: Bool) {
    self.id = id
    self.observationType = observationType
    self.plausibleRange = plausibleRange
    self.isClosed = isClosed
  }
}

/// Whether a value can be what a sound sensor reports. It is kept either way and travels in the fact.
public enum Verdict: String, Hashable, Sendable, Codable {
  case plausible
  case implausible
}

/// Why a reading is not taken. Others of its request are.
public enum ObservationRefusal: Error, Hashable, Sendable {
  case datastreamUnknown(Int64)
  case datastreamClosed(Int64)
  /// Before 1970.
  case tooEarly(Instant)
  /// More than five minutes ahead of our clock.
  case inFuture(Instant, now: Instant)
  case notFinite
  case wrongType(ObservedResult, expected: ObservationType)
  /// More than an event can carry.
  case tooLarge(bytes: Int, limit: Int)
  /// U+0000, which PostgreSQL keeps in no text.
  case nullCharacter
}

extension Observation {
  /// How far ahead of ours a sensor's clock may be.
  public static let clockTolerance: Duration = .seconds(300)
  /// How many bytes a text or JSON in a reading may have.
  public static let sizeLimit = 65_536

  /// Judges the reading against its datastream; pure, so `now` comes in.
  public func verdict(for datastream: ObservedDatastream, now: Instant) throws(ObservationRefusal) -> Verdict {
    guard !datastream.isClosed else { throw .datastreamClosed(datastream.id) }
    guard phenomenonTime.milliseconds >= 0 else { throw .tooEarly(phenomenonTime) }
    let latest = now + Self.clockTolerance
    for time in [phenomenonTime, phenomenonEnd].compactMap({ $0 }) where time > latest { throw .inFuture(time, now: now) }
    let size = (resultQuality?.count ?? 0) + (parameters?.count ?? 0) + (validTime?.utf8.count ?? 0) + result.size
    guard size <= Self.sizeLimit else { throw .tooLarge(bytes: size, limit: Self.sizeLimit) }
    guard !holdsNullCharacter else { throw .nullCharacter }
    try checkType(datastream.observationType)
    guard case .number(let value) = result, let range = datastream.plausibleRange else { return .plausible }
    return range.contains(value) ? .plausible : .implausible
  }

  private var holdsNullCharacter: Bool {
    if case .text(let text) = result, text.utf8.contains(0) { return true }
    // Written JSON holds it as an escape only; text that merely looks like one is refused too.
    var documents = [resultQuality, parameters].compactMap { $0 }
    if case .json(let bytes) = result { documents.append(bytes) }
    return documents.contains { String(decoding: $0, as: UTF8.self).contains("\\u0000") }
  }

  private func checkType(_ type: ObservationType) throws(ObservationRefusal) {
    switch (type, result) {
    case (_, .number(let value)) where !value.isFinite: throw .notFinite
    case (.measurement, .number), (.truth, .truth), (.category, .text), (.any, _): return
    case (.count, .number(let value)) where value == value.rounded() && value >= 0: return
    default: throw .wrongType(result, expected: type)
    }
  }
}

extension ObservedResult {
  fileprivate var size: Int {
    switch self {
    case .number, .truth: 8
    case .text(let text): text.utf8.count
    case .json(let bytes): bytes.count
    }
  }
}

extension ObservationRefusal: CustomStringConvertible {
  /// The reason for whoever sent it, and what would be right.
  public var description: String {
    switch self {
    case .datastreamUnknown(let id): "there is no datastream \(id)"
    case .datastreamClosed(let id): "the datastream \(id) is closed"
    case .tooEarly(let time): "phenomenonTime \(time) is before 1970"
    case .inFuture(let time, let now): "phenomenonTime \(time) is more than 5 minutes ahead of \(now)"
    case .notFinite: "the result is not a finite number"
    case .wrongType(let result, let expected): "the result is \(result.kind), the datastream takes \(expected.words)"
    case .nullCharacter: "the reading holds the character U+0000"
    case .tooLarge(let bytes, let limit): "the reading has \(bytes) bytes, at most \(limit) are taken"
    }
  }
}

extension ObservationType {
  fileprivate var words: String {
    switch self {
    case .measurement: "a number"
    case .count: "a whole number from 0"
    case .truth: "true or false"
    case .category: "a text"
    case .any: "any value"
    }
  }
}
