public import Foundation

/// What one append adds to one of its streams.
public struct StreamWrite: Sendable, Hashable {
  /// The stream's id; the subject and the key of its events.
  public var stream: String
  public var expected: ExpectedVersion
  public var events: [NewEvent]

  public init(stream: String, expected: ExpectedVersion, events: [NewEvent]) {
    self.stream = stream
    self.expected = expected
    self.events = events
  }
}

/// What must be true of a stream for a write to be accepted. A stream's version is the number of its events; the first event has version 1.
public enum ExpectedVersion: Sendable, Hashable {
  case noStream
  case exactly(Int64)
  /// Whatever is there: for events that no rule compares with what went before.
  case any

  /// As `dos_append` takes it.
  var number: Int64 {
    switch self {
    case .noStream: 0
    case .exactly(let version): version
    case .any: -1
    }
  }
}

/// An event that is to be recorded.
public struct NewEvent: Sendable, Hashable {
  /// UUIDv7; drawn when the command comes in, so that handing the same event over again is recognisable.
  public var id: UUID
  /// `de.dos2030.<domain>.<event>.v1`.
  public var type: String
  /// JSON. Its bytes are kept as they are.
  public var data: [UInt8]

  public init(id: UUID = .v7(), type: String, data: [UInt8]) {
    self.id = id
    self.type = type
    self.data = data
  }
}
