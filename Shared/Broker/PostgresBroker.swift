import Foundation
import Postgres
import Synchronization
import Time

/// The broker on PostgreSQL alone: topics are tables of the database `dos_broker`.
///
/// Acknowledged after COMMIT, with offsets gapless and in commit order. A town without a Kafka team runs the whole platform on it.
public final class PostgresBroker: GrowableLog {
  private let readers: PostgresPool
  private let writers: PostgresPool
  private let limits: BrokerLimits
  private let outbox: Outbox
  private let heads: HeadWatch
  private let recent: RecentEvents
  private let writer: PostgresWriter
  private let topics = Mutex<[String: KnownTopic]>([:])
  private let tasks = Mutex<[Task<Void, Never>]>([])

  /// Connects, checks that the server keeps what it acknowledges, and brings the tables up to date.
  /// - Parameters:
  ///   - configuration: the database `dos_broker`.
  ///   - unsafeDurability: goes on with `fsync` or `synchronous_commit` off; for tests.
  ///   - migrated: told what became of the tables.
  /// - Throws: `UnsafeDurability` with the setting at fault; `BrokerError.unavailable`; `PostgresError` for what waiting cannot mend.
  public static func open(
    _ configuration: PostgresConfiguration, unsafeDurability: Bool = false, limits: BrokerLimits = BrokerLimits(),
    migrated: (Migrations.Outcome) -> Void = { _ in }
  ) async throws -> PostgresBroker {
    let broker = PostgresBroker(configuration, limits: limits)
    do {
      if !unsafeDurability { try await broker.readers.checkDurability() }
      migrated(try await Migrations.apply(BrokerMigrations.load(), scope: BrokerMigrations.scope, to: broker.writers))
    } catch {
      await broker.close()
      guard let trouble = error as? PostgresError, trouble.isTransient else { throw error }
      throw BrokerError.unavailable(reason: trouble.message, mayHaveArrived: false)
    }
    return broker
  }

  private init(_ configuration: PostgresConfiguration, limits: BrokerLimits) {
    self.limits = limits
    readers = PostgresPool(configuration, size: 4, waitLimit: .seconds(10))
    // Of its own, so that readers never keep the writer waiting.
    writers = PostgresPool(configuration, size: 1, waitLimit: .seconds(10))
    outbox = Outbox(limit: limits.waitingBytes, lateReason: "the database did not answer in time")
    recent = RecentEvents()
    heads = HeadWatch(readers, recent: recent)
    writer = PostgresWriter(pool: writers, outbox: outbox, heads: heads, recent: recent)
    let (writer, outbox) = (writer, outbox)
    let writing = Task { await writer.run() }
    let expiring = Task {
      while !Task.isCancelled {
        outbox.expire(now: .now)
        try? await Task.sleep(for: .milliseconds(100))
      }
    }
    tasks.withLock { $0 = [writing, expiring] }
  }

  /// Events committed by this process since it started.
  public var published: Int64 { writer.published }
  public var waitingBytes: Int { outbox.waitingBytes }

  public func publish(_ events: [OutgoingEvent]) async throws(BrokerError) -> [BrokerPosition] {
    try await outbox.publish(events, limits) { name throws(BrokerError) in
      let topic = try await known(name)
      return (topic.id, topic.partitions)
    }
  }

  public func reader(topic: Topic, partition: Int, from offset: Int64) async throws(BrokerError) -> any PartitionReader {
    let known = try await known(topic.name)
    guard (0..<known.partitions).contains(partition) else { throw .unknownPartition(topic: topic.name, partition: partition) }
    let place = Place(topic: known.id, partition: Int32(partition))
    let end = recent.end(of: place)
    let bounds = try await bounds(of: known)[partition]
    recent.compare(place, known: end, found: bounds.next)
    guard (bounds.earliest...bounds.next).contains(offset) else {
      throw .offsetOutOfRange(earliest: bounds.earliest, next: bounds.next)
    }
    return PostgresReader(pool: readers, heads: heads, recent: recent, topic: topic.name, place: place, from: offset)
  }

  public func end(of topic: Topic) async throws(BrokerError) -> [Int64] {
    try await bounds(of: known(topic.name)).map(\.next)
  }

  public func earliest(of topic: Topic) async throws(BrokerError) -> [Int64] {
    try await bounds(of: known(topic.name)).map(\.earliest)
  }

  public func declare(_ topics: [Topic]) async throws(BrokerError) {
    for topic in topics {
      let declared = try await attempt { connection throws in try TopicRegistry.declare(topic, on: connection) }
      self.topics.withLock { $0[topic.name] = declared }
    }
  }

  public func addPartitions(to topic: Topic) async throws(BrokerError) {
    let grown = try await attempt { connection throws in try TopicRegistry.addPartitions(to: topic, on: connection) }
    topics.withLock { $0[topic.name] = grown }
  }

  /// Deletes in small pieces.
  @discardableResult
  public func sweep(now: Instant) async throws(BrokerError) -> Int {
    var gone = 0
    for work in try await attempt({ connection throws in try RetentionSweep.work(on: connection) }) {
      while true {
        let piece = try await attempt { connection throws in try RetentionSweep.piece(of: work, now: now, on: connection) }
        gone += piece
        if piece < RetentionSweep.pieceEvents { break }
      }
    }
    if gone > 0 { recent.clear() }
    return gone
  }

  public func close() async {
    outbox.close()
    let running = tasks.withLock { tasks in
      defer { tasks = [] }
      return tasks
    }
    await running.first?.value
    for task in running { task.cancel() }
    for task in running { await task.value }
    heads.close()
    await readers.close()
    await writers.close()
  }

  private func known(_ name: String) async throws(BrokerError) -> KnownTopic {
    if let known = topics.withLock({ $0[name] }) { return known }
    guard let found = try await attempt({ connection throws in try TopicRegistry.find(name, on: connection) }) else { throw .unknownTopic(name) }
    topics.withLock { $0[name] = found }
    return found
  }

  private func bounds(of topic: KnownTopic) async throws(BrokerError) -> [PartitionBounds] {
    let places = (0..<topic.partitions).map { Place(topic: topic.id, partition: Int32($0)) }
    let found = try await attempt { connection throws in try PartitionBounds.read(Set(places), on: connection) }
    return places.map { found[$0] ?? PartitionBounds(earliest: 0, next: 0) }
  }

  private func attempt<Outcome: Sendable>(
    _ body: @escaping @Sendable (isolated PostgresConnection) throws -> Outcome
  ) async throws(BrokerError) -> Outcome {
    do {
      return try await readers.transaction(body)
    } catch {
      throw error as? BrokerError ?? .unavailable(reason: "\(error)", mayHaveArrived: false)
    }
  }
}
