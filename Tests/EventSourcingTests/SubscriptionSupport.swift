import Broker
@testable import EventSourcing
import Postgres
import Synchronization
import TestSupport
import Testing

/// Writes down each event it gets, with its subject and what it says; a primary key of its own lets a doubled one fail.
struct Listing: Projection {
  static let name = "listing"
  let tables = [ProjectionTable(name: "listed", key: ["place", "journal_offset"])]
  /// Called before each batch is written, in its transaction.
  var before: @Sendable ([ProjectedEvent], isolated PostgresConnection) throws -> Void = { _, _ in }

  var checking: @Sendable (ProjectedEvent) throws -> Void = { _ in }

  func check(_ event: ProjectedEvent) throws { try checking(event) }

  func project(_ batch: [ProjectedEvent], on connection: isolated PostgresConnection, tables: TableNames) throws {
    try before(batch, connection)
    for item in batch {
      let position = try #require(item.event.journal)
      try connection.execute(
        """
        insert into \(tables["listed"]) (place, journal_offset, subject, type, said)
        values (\(Int32(position.partition)), \(position.offset), \(item.event.subject), \(item.event.type), \(String(decoding: item.event.data, as: UTF8.self)))
        """)
    }
  }

  static func createTable(_ pool: PostgresPool) async throws {
    try await pool.execute(
      """
      create table listed (place integer, journal_offset bigint, subject text not null, type text not null, said text not null,
        primary key (place, journal_offset))
      """)
  }
}

struct Listed: Equatable {
  let partition: Int
  let offset: Int64
  let subject: String
  let said: String
}

/// What the projection has, in the order of partition and offset.
func listed(_ pool: PostgresPool) async throws -> [Listed] {
  try await pool.query("select place, journal_offset, subject, said from listed order by place, journal_offset").map { row throws in
    let (partition, offset, subject, said) = try row.decode(Int32.self, Int64.self, String.self, String.self)
    return Listed(partition: Int(partition), offset: offset, subject: subject, said: said)
  }
}

/// What a projection of all decisions should have: everything in the Journal but the records that open an epoch.
func decided(_ journal: Journal) async throws -> [Listed] {
  var all: [Listed] = []
  for partition in 0..<journal.topic.partitions {
    for event in try await journal.read(partition: partition, after: -1, limit: 10_000) where event.type != EpochBegan.type {
      all.append(
        Listed(partition: partition, offset: event.position.offset, subject: event.stream, said: String(decoding: event.data, as: UTF8.self)))
    }
  }
  return all
}

/// Waits until a projection has come to the end of its source as it is now.
func caughtUp(_ subscription: Subscription) async throws -> Bool {
  try await eventually {
    let checkpoints = try await subscription.lag()
    return checkpoints.count == subscription.source.topic.partitions && checkpoints.values.allSatisfy { $0 == 0 }
  }
}

/// A source whose readers, having read something, hand it over only when told: a process that is paused between reading and writing.
struct PausedSource: EventSource {
  let source: any EventSource
  let pause: Pause
  var topic: Topic { source.topic }

  func earliest() async throws -> [Int64] { try await source.earliest() }
  func end() async throws -> [Int64] { try await source.end() }
  func reader(partition: Int, from checkpoint: Checkpoint) async throws -> any SourceReader {
    Reader(reader: try await source.reader(partition: partition, from: checkpoint), pause: pause)
  }

  private struct Reader: SourceReader {
    let reader: any SourceReader
    let pause: Pause

    func next(limit: Int, wait: Duration) async throws -> [ProjectedEvent] {
      let events = try await reader.next(limit: limit, wait: wait)
      if !events.isEmpty { await pause.hold() }
      return events
    }

    func close() async { await reader.close() }
  }
}

/// Holds whoever comes until it is lifted, and says whether somebody is held.
final class Pause: Sendable {
  private struct State {
    var lifted = false
    var held: [CheckedContinuation<Void, Never>] = []
  }
  private let state = Mutex(State())

  var holds: Bool { state.withLock { !$0.held.isEmpty } }

  func hold() async {
    await withCheckedContinuation { continuation in
      let free = state.withLock { state in
        if !state.lifted { state.held.append(continuation) }
        return state.lifted
      }
      if free { continuation.resume() }
    }
  }

  func lift() {
    let held = state.withLock { state in
      state.lifted = true
      defer { state.held = [] }
      return state.held
    }
    for continuation in held { continuation.resume() }
  }
}
