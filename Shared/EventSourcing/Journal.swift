public import Broker
public import Postgres
import Synchronization

/// The decisions of one service, in its own database: a log of partitions whose offsets are gapless and in commit order.
///
/// Appends are handed to a queue per partition; what waits shares a transaction, there and with other partitions. Once handed over an append is never cancelled, whoever leaves, and
/// a lost answer to its commit is resolved before it returns.
public final class Journal: Sendable {
  public let topic: Topic
  /// Goes into every event: the city it is of, and `/<city>/<service>`.
  public let city: String
  public let source: String
  public let settings: JournalSettings
  public let observer: JournalObserver
  /// Wakes projections and the forwarder in this process when it commits.
  public let commits = CommitSignal()
  let pool: PostgresPool
  private let queues: [AppendQueue]
  private let number: TopicNumber

  public convenience init(
    pool: PostgresPool, topic: Topic, city: String, source: String, settings: JournalSettings = JournalSettings(), observer: JournalObserver = JournalObserver()
  ) {
    self.init(pool: pool, topic: topic, city: city, source: source, settings: settings, observer: observer, losesAnswer: { false })
  }

  /// - Parameter losesAnswer: asked after each answer of the database; true lets it count as lost on the way, which no test can bring about from outside.
  init(
    pool: PostgresPool, topic: Topic, city: String, source: String, settings: JournalSettings, observer: JournalObserver,
    losesAnswer: @escaping @Sendable () -> Bool
  ) {
    self.pool = pool
    self.topic = topic
    self.city = city
    self.source = source
    self.settings = settings
    self.observer = observer
    let number = TopicNumber(pool: pool, topic: topic)
    self.number = number
    let shared = SharedAppends(pool: pool, number: number, settings: settings, losesAnswer: losesAnswer)
    queues = (0..<topic.partitions).map { [commits] in
      let log = PartitionLog(pool: pool, number: number, partition: $0, shared: shared)
      return AppendQueue(partition: $0, log: log, settings: settings, observer: observer, commits: commits)
    }
  }

  /// Appends to streams of one partition: all of it, or nothing.
  ///
  /// - Parameters:
  ///   - partition: where the streams live; nil takes it from their ids, which must then agree.
  ///   - idempotency: remembered with `outcome` in the same transaction. A repeat writes nothing and gets the first outcome.
  ///   - outcome: the answer that a repeat is to get.
  /// - Returns: when the events are committed.
  /// - Throws: ``JournalError``; only `.unavailable(mayHaveHappened: true)` leaves open whether anything was written.
  @discardableResult
  public func append(
    _ writes: [StreamWrite], partition: Int? = nil, idempotency: IdempotencyKey? = nil, outcome: [UInt8] = [], context: EventContext
  ) async throws(JournalError) -> Appended {
    let home = try self.partition(of: writes, partition)
    let append = PendingAppend(id: .v7(), writes: writes, idempotency: idempotency, outcome: outcome, context: context)
    try append.check()
    return try await queues[home].append(append)
  }

  /// Appends in line over all partitions, without those that are on their way to the database.
  public var waiting: Int { queues.reduce(0) { $0 + $1.waiting } }

  /// Where a stream lives unless its writer says otherwise.
  public func partition(of stream: String) -> Int { topic.partition(forKey: stream) }

  /// The number that stands for the topic in the tables. Declares the topic at first use.
  func topicNumber() async throws(JournalError) -> Int16 {
    do {
      return try await number.value()
    } catch {
      throw JournalError(error)
    }
  }

  /// Waits for what was handed over, and refuses what comes after.
  public func close() async {
    for queue in queues { await queue.close() }
  }

  private func partition(of writes: [StreamWrite], _ given: Int?) throws(JournalError) -> Int {
    if let given {
      guard (0..<topic.partitions).contains(given) else {
        throw .malformed("partition \(given) of topic \(topic.name), which has \(topic.partitions)")
      }
      return given
    }
    guard let first = writes.first else { throw .malformed("an append without streams") }
    let home = topic.partition(forKey: first.stream)
    guard writes.allSatisfy({ topic.partition(forKey: $0.stream) == home }) else { throw .severalPartitions(streams: writes.map(\.stream)) }
    return home
  }
}

/// How much waits, and for how long.
public struct JournalSettings: Sendable, Hashable {
  /// How long an append tries to get an answer from the database, and to resolve one that was lost, before it gives up.
  public var patience: Duration
  /// Appends that may wait for one partition; beyond it `.full` at once.
  public var waitingLimit: Int
  /// Bytes of events that may wait for one partition.
  public var waitingBytes: Int
  /// Appends that share a transaction at most, and their bytes.
  public var groupLimit: Int
  public var groupBytes: Int

  public init(
    patience: Duration = .seconds(10), waitingLimit: Int = 10_000, waitingBytes: Int = 64 << 20, groupLimit: Int = 256, groupBytes: Int = 1 << 20
  ) {
    self.patience = patience
    self.waitingLimit = waitingLimit
    self.waitingBytes = waitingBytes
    self.groupLimit = groupLimit
    self.groupBytes = groupBytes
  }
}

/// The topic's number, asked for once.
final class TopicNumber: Sendable {
  private let pool: PostgresPool
  private let topic: Topic
  private let known = Mutex<Int16?>(nil)

  init(pool: PostgresPool, topic: Topic) {
    self.pool = pool
    self.topic = topic
  }

  func value() async throws -> Int16 {
    if let number = known.withLock({ $0 }) { return number }
    let rows = try await pool.query("select journal_declare_topic(\(topic.name), \(Int32(topic.partitions)))")
    guard let number = try rows.first?.decode(Int16.self) else {
      throw JournalError.refused(sqlState: nil, message: "journal_declare_topic answered nothing")
    }
    known.withLock { $0 = number }
    return number
  }
}

extension JournalError {
  /// What a failed read or an append that was never sent means to the caller.
  init(_ error: any Error) {
    switch error {
    case let error as JournalError: self = error
    case let error as PostgresError where error.isTransient: self = .unavailable(reason: error.description, mayHaveHappened: false)
    case let error as PostgresError where error.kind == .closed: self = .closed
    case let error as PostgresError: self = .refused(sqlState: error.sqlState, message: error.description)
    default: self = .unavailable(reason: "\(error)", mayHaveHappened: false)
    }
  }
}
