import EventSourcing
import Foundation
import Time

/// A message of another sender, as it came. It is shown beside one's own and sent to nobody.
struct ForeignReceived: Codable, Hashable, Sendable {
  static let type = "de.dos2030.warnings.foreign-received.v1"

  let sender: String
  let identifier: String
  let sent: Instant
  /// The CAP document.
  let document: String
  let at: Instant

  /// The stream that a message opens: it is known by what CAP's references name it by (section 3.2.1).
  var stream: String { "foreign-" + UUID.nameBased("foreign", sender, identifier, String(sent.milliseconds)).uuidString.lowercased() }
}
