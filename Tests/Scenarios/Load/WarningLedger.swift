import HTTP
import Time

/// What officers asked a city for and what it acknowledged, and what its rules must have seen: the truth that its log and its receivers are held against.
struct WarningLedger: Sendable {
  /// A message that was approved, or may have been.
  struct Message: Sendable {
    /// In small letters.
    let id: String
    let isAcknowledged: Bool
    /// Nothing followed it before every target had it.
    var isAwaited = false
  }

  /// The first reading above a rule's mark.
  struct Rise: Sendable {
    let rule: String
    let time: Instant
    let isAcknowledged: Bool
  }

  /// In the order of their approvals, within an alert.
  var messages: [Message] = []
  var rises: [Rise] = []
  /// Requests, and the readings among them.
  var load = Ledger()

  mutating func merge(_ other: WarningLedger) {
    messages += other.messages
    rises += other.rises
    load.merge(other.load)
  }
}
