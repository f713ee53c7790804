import HTTP
import WarningDomain

/// Brings letters to targets of one channel.
protocol Courier: Sendable {
  var channel: Channel { get }
  /// Attempts at the same time: a target that does not answer takes up one of them.
  var atOnce: Int { get }
  func bring(_ letter: Letter, _ parcel: Parcel, to target: DeliveryTarget) async -> DeliveryOutcome
}

/// What became of an attempt.
enum DeliveryOutcome: Sendable, Hashable {
  case delivered(Receipt)
  /// - `mayHaveArrived`: the other side may have it all the same.
  /// - `lasting`: another attempt would fail in the same way.
  case failed(String, mayHaveArrived: Bool, lasting: Bool, retryAfter: Duration? = nil)
}
