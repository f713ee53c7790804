public import Broker
public import Foundation
public import Time

/// An event as the Journal keeps it.
public struct RecordedEvent: Sendable, Hashable {
  public let position: JournalPosition
  public let stream: String
  /// The event's number in its stream, from 1.
  public let version: Int64
  public let id: UUID
  public let type: String
  public let context: EventContext
  /// JSON, byte for byte as it was written.
  public let data: [UInt8]

  public var time: Instant { context.time }

  public init(position: JournalPosition, stream: String, version: Int64, id: UUID, type: String, context: EventContext, data: [UInt8]) {
    self.position = position
    self.stream = stream
    self.version = version
    self.id = id
    self.type = type
    self.context = context
    self.data = data
  }

  /// The event as it travels, with its place in the Journal.
  public func cloudEvent(source: String, city: String) -> CloudEvent {
    CloudEvent(
      id: id, source: source, type: type, subject: stream, time: context.time, city: city, correlationID: context.correlationID,
      causationID: context.causationID, traceparent: context.traceparent, journal: position, data: data)
  }
}

/// What an append came to.
public struct Appended: Sendable, Hashable {
  /// Where the events stand, in the order in which they were given: of one partition and epoch, without a gap between them.
  public let positions: [JournalPosition]
  /// The idempotency key was known with the same body: nothing was written now, and this is what the first append came to.
  public let repeated: Bool
  /// The answer to give: the one handed in, or the one remembered from the first time.
  public let outcome: [UInt8]

  public init(positions: [JournalPosition], repeated: Bool, outcome: [UInt8]) {
    self.positions = positions
    self.repeated = repeated
    self.outcome = outcome
  }
}
