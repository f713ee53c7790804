/// What was sent to a city and what it acknowledged: the truth that its read models are held against.
///
/// Each place (datastream and time) and each thing is written by one worker, one request after the other, so that there is an order to be kept.
struct Ledger: Sendable {
  /// What identifies a reading.
  struct Place: Hashable, Sendable {
    let datastream: Int64
    /// The phenomenon time in milliseconds.
    let time: Int64
  }

  /// One reading that was sent for a place.
  struct Sent: Sendable {
    let value: Double
    /// The id that it was acknowledged with; nil as long as nobody knows what became of it.
    var id: Int64?
  }

  /// For each place what was sent, in order. The value of each differs from the one before unless it is a deliberate repetition.
  var readings: [Place: [Sent]] = [:]
  /// For the name of each thing that was sent the id it was acknowledged with.
  var things: [String: Int64?] = [:]
  /// Requests that were acknowledged; one that was repeated until it was counts once.
  var acknowledged = 0
  /// Answers of 503 with `Retry-After`.
  var refused = 0
  /// Requests that got no answer, since the server was gone.
  var broken = 0
  /// Requests that nobody answered in time.
  var hung = 0
  /// Answers that no outage excuses.
  var unexpected: [String] = []
  /// From sending to the answer or its absence, the longest.
  var longest = Duration.zero

  mutating func merge(_ other: Ledger) {
    readings.merge(other.readings) { $0 + $1 }
    things.merge(other.things) { $0 ?? $1 }
    acknowledged += other.acknowledged
    refused += other.refused
    broken += other.broken
    hung += other.hung
    unexpected += other.unexpected
    longest = max(longest, other.longest)
  }

  /// The values that a place may hold: the one acknowledged last, or one that was sent after it and of which nobody knows. Nil among them: it may hold none.
  static func possible(_ sent: [Sent]) -> [Double?] {
    guard let last = sent.lastIndex(where: { $0.id != nil }) else { return [nil] + sent.map(\.value) }
    return sent[last...].map(\.value)
  }

  var acknowledgedReadings: Int { readings.values.count { $0.contains { $0.id != nil } } }
  var acknowledgedThings: Int { things.values.count { $0 != nil } }
}
