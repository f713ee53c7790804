import Foundation

/// How a domain's events are written and read: the one place that knows type names and old shapes.
///
/// Domain code knows neither JSON nor versions. An old version is turned into today's by an upcaster here, never edited in the log.
public protocol EventCoding<Event>: Sendable {
  associatedtype Event: Sendable

  /// The event's type, `de.dos2030.<domain>.<event>.v1`, and its data as JSON.
  func encode(_ event: Event) throws(EventCodingError) -> (type: String, data: [UInt8])
  /// The event, or nil for a type that is none of this domain's and may be skipped.
  func decode(type: String, data: [UInt8]) throws(EventCodingError) -> Event?
}

/// An event that could not be written or read.
public struct EventCodingError: Error, Sendable, Equatable, CustomStringConvertible {
  public let type: String
  public let problem: String

  public init(type: String, problem: String) {
    self.type = type
    self.problem = problem
  }

  public var description: String { "\(type): \(problem)" }
}

/// A coding made of one entry per event type, in `Codable`'s JSON.
///
///     let coding = EventTypes<DoorEvent>(
///       .type("de.dos2030.doors.built.v2", write: { if case .built(let built) = $0 { built } else { nil } }, read: DoorEvent.built),
///       .old("de.dos2030.doors.built.v1", BuiltV1.self) { .built(Built(door: $0.id, material: "wood")) })
public struct EventTypes<Event: Sendable>: EventCoding {
  private let entries: [Entry]
  private let byType: [String: Entry]

  public struct Entry: Sendable {
    let type: String
    let write: @Sendable (Event) throws -> [UInt8]?
    let read: @Sendable ([UInt8]) throws -> Event

    /// A type that is written and read. `write` gives the payload where the event is of this type.
    public static func type<Payload: Codable & Sendable>(
      _ type: String, write: @escaping @Sendable (Event) -> Payload?, read: @escaping @Sendable (Payload) -> Event
    ) -> Entry {
      Entry(
        type: type,
        write: { event in
          guard let payload = write(event) else { return nil }
          let encoder = JSONEncoder()
          // Sorted, so that the same event has the same bytes wherever it is written.
          encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
          return Array(try encoder.encode(payload))
        },
        read: { read(try JSONDecoder().decode(Payload.self, from: Data($0))) })
    }

    /// An upcaster: a type that is no longer written, and what it means today.
    public static func old<Payload: Decodable & Sendable>(_ type: String, _ payload: Payload.Type, read: @escaping @Sendable (Payload) throws -> Event) -> Entry
    {
      Entry(type: type, write: { _ in nil }, read: { try read(JSONDecoder().decode(Payload.self, from: Data($0))) })
    }
  }

  /// Every type it reads: those it writes, and old ones.
  public var types: Set<String> { Set(byType.keys) }

  public init(_ entries: Entry...) {
    self.entries = entries
    byType = Dictionary(entries.map { ($0.type, $0) }, uniquingKeysWith: { first, _ in first })
  }

  public func encode(_ event: Event) throws(EventCodingError) -> (type: String, data: [UInt8]) {
    for entry in entries {
      do {
        if let data = try entry.write(event) { return (entry.type, data) }
      } catch {
        throw EventCodingError(type: entry.type, problem: "\(error)")
      }
    }
    throw EventCodingError(type: "\(Event.self)", problem: "no type is known for \(event)")
  }

  public func decode(type: String, data: [UInt8]) throws(EventCodingError) -> Event? {
    guard let entry = byType[type] else { return nil }
    do {
      return try entry.read(data)
    } catch {
      throw EventCodingError(type: type, problem: "\(error)")
    }
  }
}
