/// Raised at one mark, after a minimum duration, and cleared at another: what hysteresis remembers from one reading to the next.
struct Latch: Hashable, Sendable, Codable {
  enum Position: String, Hashable, Sendable, Codable {
    case off
    /// Beyond the mark, but not yet for long enough.
    case pending
    case on
  }

  /// A reading that played a part.
  struct Mark: Hashable, Sendable, Codable {
    let time: Int64
    let value: Double
  }

  private(set) var position = Position.off
  /// The reading that began what is pending or on.
  private(set) var raised: Mark?
  /// What that reading was compared with, where it was.
  private(set) var base: Mark?
  /// The reading that cleared it last, or the first one.
  private(set) var clearedAt: Int64?

  /// Since when it is as it is, for outcomes: pending counts as off.
  var since: Int64? { position == .on ? raised?.time : clearedAt ?? raised?.time }

  /// Goes on by a reading.
  ///
  /// - Parameter minimum: milliseconds from the first reading beyond the mark to the one that switches it on.
  mutating func take(_ mark: Mark, base: Mark? = nil, isRaised: Bool, isCleared: Bool, minimum: Int64 = 0) {
    switch position {
    case .on:
      guard isCleared else { return }
      self = Latch(clearedAt: mark.time)
    case .off, .pending:
      guard isRaised else {
        self = Latch(clearedAt: clearedAt ?? raised?.time ?? mark.time)
        return
      }
      if position == .off {
        raised = mark
        self.base = base
      }
      position = mark.time - (raised?.time ?? mark.time) >= minimum ? .on : .pending
    }
  }

  init() {}
  private init(clearedAt: Int64) { self.clearedAt = clearedAt }
}
