public import Broker
import Foundation
public import Postgres
public import Time

/// An event that waits: it could not be projected, or stands behind one of its stream that could not.
public struct DeadLetter: Sendable, Hashable {
  public let event: ProjectedEvent
  /// Why; nil for one that only waits behind another.
  public let cause: String?
  /// When it was parked, by the database's clock.
  public let parkedAt: Instant
}

/// What `dos dead-letters` works with.
public struct DeadLetters: Sendable {
  private let pool: PostgresPool
  private let box: DeadLetterBox

  public init(pool: PostgresPool, subscription: String, topic: String) {
    self.pool = pool
    box = DeadLetterBox(subscription: subscription, topic: topic)
  }

  /// In the order of their positions, at most `limit`.
  public func list(partition: Int? = nil, limit: Int = 1_000) async throws -> [DeadLetter] {
    let box = box
    return try await pool.withConnection { connection throws in try box.list(partition: partition, limit: limit, on: connection) }
  }

  /// Where everything stands that is parked, as the transaction sees it.
  public static func positions(subscription: String, topic: String, on connection: isolated PostgresConnection) throws -> Set<BrokerPosition> {
    try DeadLetterBox(subscription: subscription, topic: topic).positions(on: connection)
  }

  public func count() async throws -> Int {
    let rows = try await pool.query(
      "select count(*) from dos_dead_letters where subscription = \(box.subscription) and topic = \(box.topic)")
    return Int(try rows.first?.value(Int64.self, at: 0) ?? 0)
  }

  /// What became of a retry.
  public struct Retried: Sendable, Hashable {
    /// Events that went in now.
    public var projected = 0
    /// The one that failed again, and why; the rest was not tried.
    public var failed: DeadLetter?
  }

  /// Claims the partition like any owner and projects what is parked there in order, each in a transaction of its own. Stops at the first that fails again.
  /// - Throws: `CheckpointLost` when another owner claimed the partition meanwhile; `PostgresError` for trouble of the database.
  public func retry(partition: Int, projection: any Projection) async throws -> Retried {
    try await retry(partition: partition, within: { event, connection in try projection.project([event], on: connection, tables: TableNames()) })
  }

  /// - Parameters:
  ///   - before: runs before the transaction that takes the event out of the box.
  ///   - within: runs in it.
  func retry(
    partition: Int, before: (ProjectedEvent) async throws -> Void = { _ in },
    within: @escaping @Sendable (ProjectedEvent, isolated PostgresConnection) throws -> Void = { _, _ in }
  ) async throws -> Retried {
    let lease = try await Leases.claim(subscription: box.subscription, topic: box.topic, partition: partition, in: pool)
    let outcome: Result<Retried, any Error>
    do {
      outcome = .success(try await retry(lease, before, within))
    } catch {
      outcome = .failure(error)
    }
    try? await Leases.release(lease, in: pool)
    return try outcome.get()
  }

  private func retry(
    _ lease: Lease, _ before: (ProjectedEvent) async throws -> Void, _ within: @escaping @Sendable (ProjectedEvent, isolated PostgresConnection) throws -> Void
  ) async throws -> Retried {
    var retried = Retried()
    while let letter = try await list(partition: lease.partition, limit: 1).first {
      let box = box
      do {
        try await before(letter.event)
        try await pool.transaction { connection throws in
          try lease.advance(from: lease.checkpoint, to: lease.checkpoint, on: connection)
          try within(letter.event, connection)
          try box.remove(letter, on: connection)
        }
        retried.projected += 1
      } catch  where BatchWriter.isDeterministic(error) {
        let cause = "\(error)"
        try await pool.transaction { connection throws in
          try lease.advance(from: lease.checkpoint, to: lease.checkpoint, on: connection)
          try box.note(cause, on: letter, on: connection)
        }
        retried.failed = DeadLetter(event: letter.event, cause: cause, parkedAt: letter.parkedAt)
        return retried
      }
    }
    return retried
  }
}

/// The rows of one subscription's dead letters.
struct DeadLetterBox: Sendable {
  let subscription: String
  let topic: String

  func park(_ parked: ProjectedEvent, cause: String?, on connection: isolated PostgresConnection) throws(PostgresError) {
    let headers = parked.event.headers
    let why: SQL = cause.map { "\(String($0.replacing("\0", with: " ").prefix(4_000)))" } ?? "null"
    try connection.execute(
      """
      insert into dos_dead_letters (subscription, topic, partition, position, subject, key, type, cause, header_names, header_values, data)
      values (\(subscription), \(topic), \(Int32(parked.position.partition)), \(parked.position.offset), \(parked.event.subject), \(parked.key),
        \(parked.event.type), \(why), \(headers.map(\.name)), \(headers.map(\.value)), \(parked.event.data))
      """)
  }

  func list(partition: Int?, limit: Int, on connection: isolated PostgresConnection) throws -> [DeadLetter] {
    let place: SQL = partition.map { "and partition = \(Int32($0))" } ?? ""
    return try connection.query(
      """
      select partition, position, key, cause, header_names, header_values, data, parked_at from dos_dead_letters
      where subscription = \(subscription) and topic = \(topic) \(place) order by partition, position limit \(Int64(limit))
      """
    ).map { row throws in
      let (partition, position, key, cause, names, values) = try row.decode(
        Int32.self, Int64.self, String.self, String?.self, [String].self, [String].self)
      let event = try CloudEvent(headers: zip(names, values).map { (name: $0, value: $1) }, data: try row.value(at: 6))
      let place = BrokerPosition(topic: topic, partition: Int(partition), offset: position)
      return DeadLetter(event: ProjectedEvent(position: place, key: key, event: event), cause: cause, parkedAt: try row.value(at: 7))
    }
  }

  /// Where everything stands that is parked.
  func positions(on connection: isolated PostgresConnection) throws -> Set<BrokerPosition> {
    let rows = try connection.query("select partition, position from dos_dead_letters where subscription = \(subscription) and topic = \(topic)")
    return Set(
      try rows.map { row throws in
        let (partition, position) = try row.decode(Int32.self, Int64.self)
        return BrokerPosition(topic: topic, partition: Int(partition), offset: position)
      })
  }

  /// The streams of a partition that events are parked of.
  func subjects(partition: Int, in pool: PostgresPool) async throws -> Set<String> {
    let rows = try await pool.query(
      """
      select distinct subject from dos_dead_letters
      where subscription = \(subscription) and topic = \(topic) and partition = \(Int32(partition))
      """)
    return Set(try rows.map { row throws in try row.value(String.self, at: 0) })
  }

  func remove(_ letter: DeadLetter, on connection: isolated PostgresConnection) throws(PostgresError) {
    try connection.execute("delete from dos_dead_letters where \(row(of: letter))")
  }

  func note(_ cause: String, on letter: DeadLetter, on connection: isolated PostgresConnection) throws(PostgresError) {
    try connection.execute("update dos_dead_letters set cause = \(String(cause.replacing("\0", with: " ").prefix(4_000))) where \(row(of: letter))")
  }

  private func row(of letter: DeadLetter) -> SQL {
    let position = letter.event.position
    return """
      subscription = \(subscription) and topic = \(topic) and partition = \(Int32(position.partition)) and position = \(position.offset)
      """
  }
}
