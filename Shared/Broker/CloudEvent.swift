import Foundation
import Time

/// An event as it travels between services: CloudEvents 1.0 with the extensions of the design (`city`, `journal…`, `correlationid`, `causationid`, `traceparent`).
///
/// `data` is JSON. Unknown attributes of a received event are ignored, so that old readers live.
public struct CloudEvent: Sendable, Hashable {
  /// UUIDv7 for a decision, derived from the content for a fact. It recognises a doubled transport and nothing more.
  public var id: UUID
  /// `/<city>/<service>`.
  public var source: String
  /// `de.dos2030.<domain>.<event>.v1`.
  public var type: String
  /// The stream the event belongs to: what is parked behind a failed event is what shares its subject.
  public var subject: String
  /// When it happened or was measured, in milliseconds.
  public var time: Instant
  /// The city whose event it is.
  public var city: String
  /// What all events of one undertaking share.
  public var correlationID: String?
  /// The event or command that led to this one.
  public var causationID: String?
  /// W3C Trace Context, `traceparent`.
  public var traceparent: String?
  /// Where a forwarded decision stands in its service's Journal; nil for a fact.
  public var journal: JournalPosition?
  /// The JSON value, as it was written.
  public var data: [UInt8]

  public init(
    id: UUID, source: String, type: String, subject: String, time: Instant, city: String, correlationID: String? = nil,
    causationID: String? = nil, traceparent: String? = nil, journal: JournalPosition? = nil, data: [UInt8]
  ) {
    self.id = id
    self.source = source
    self.type = type
    self.subject = subject
    self.time = time
    self.city = city
    self.correlationID = correlationID
    self.causationID = causationID
    self.traceparent = traceparent
    self.journal = journal
    self.data = data
  }
}

/// A place in a service's Journal. Within a partition and an epoch offsets are gapless; the epoch rises with each restore or failover.
public struct JournalPosition: Sendable, Hashable, Codable {
  public let partition: Int
  public let epoch: Int64
  public let offset: Int64

  public init(partition: Int, epoch: Int64, offset: Int64) {
    self.partition = partition
    self.epoch = epoch
    self.offset = offset
  }
}
