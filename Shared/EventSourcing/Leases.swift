public import Foundation
public import Postgres
import Synchronization

/// Who consumes which partition, decided on the checkpoint rows: renewed every second, 3 s long, by the database's clock.
///
/// Each instance takes its fair share and gives up what is beyond it, as the client libraries of Kinesis and Event Hubs do. No instance knows
/// another; all they share is the table.
public final class Leases: Sendable {
  public let subscription: String
  public let topic: String
  public let partitions: Int
  /// Names this instance; no two that run may have the same.
  public let holder: String

  private let pool: PostgresPool
  private let starts: @Sendable () async throws -> [Int64]
  private let running = Mutex<[Int: Running]>([:])
  private let living = Mutex(1)
  private let log: @Sendable (String) -> Void

  private struct Running {
    let lease: Lease
    let task: Task<Void, Never>
    /// The position that stands in the table, as far as this process knows.
    var reached: Int64
    /// It was told to end, and ends in its own time: nobody waits for it, since the other partitions' leases have to be renewed meanwhile.
    var isEnding = false
  }

  /// - Parameters:
  ///   - pool: the database that has the checkpoints.
  ///   - starts: where each partition begins when the subscription is new; asked once.
  ///   - log: told about trouble with the database, which is waited out.
  public init(
    pool: PostgresPool, subscription: String, topic: String, partitions: Int, holder: String = UUID().uuidString.lowercased(),
    starts: @escaping @Sendable () async throws -> [Int64], log: @escaping @Sendable (String) -> Void = { _ in }
  ) {
    self.pool = pool
    self.subscription = subscription
    self.topic = topic
    self.partitions = partitions
    self.holder = holder
    self.starts = starts
    self.log = log
  }

  /// The partitions held now.
  public var held: [Int] { running.withLock { $0.keys.sorted() } }

  /// How many instances share the partitions, this one among them, as of the last second.
  var instances: Int { living.withLock { $0 } }

  /// Says where the checkpoint was moved to. A commit that nobody waited for is taken back by a crash of the server; then the lease ends, so that the partition
  /// is claimed again at the checkpoint that stands, whether or not more events come.
  func moved(_ lease: Lease, to position: Int64) {
    running.withLock { running in
      if running[lease.partition]?.lease.claim == lease.claim { running[lease.partition]?.reached = position }
    }
  }

  /// Holds a fair share of the partitions until cancelled, and runs `work` for each of them while it is held.
  ///
  /// `work` is cancelled when the lease is lost or given up. If it returns before, the partition is claimed again, at the checkpoint that stands then.
  public func run(_ work: @escaping @Sendable (Lease) async -> Void) async {
    await prepare()
    while !Task.isCancelled {
      do {
        try await round(work)
      } catch {
        if !Task.isCancelled { log("leases of \(subscription) on \(topic): \(error)") }
      }
      try? await Task.sleep(for: .seconds(1))
    }
    let last = Array(running.withLock { $0.values })
    for entry in last { entry.task.cancel() }
    for entry in last { await entry.task.value }
    // Shielded: this task is cancelled, and who takes over should not have to wait for the leases to run out.
    await Task { try? await self.leave() }.value
  }

  private func prepare() async {
    while !Task.isCancelled {
      do {
        let given = try await starts()
        let (subscription, topic) = (subscription, topic)
        try await pool.transaction { connection throws in
          try CheckpointTable.ensure(subscription: subscription, topic: topic, starts: given, on: connection)
        }
        return
      } catch {
        if !Task.isCancelled { log("the start of \(subscription) on \(topic): \(error)") }
        try? await Task.sleep(for: .seconds(1))
      }
    }
  }

  private func round(_ work: @escaping @Sendable (Lease) async -> Void) async throws {
    // What is ending is not renewed: work that hangs loses its partition like an instance that does.
    let mine = running.withLock { $0.filter { !$0.value.isEnding } }
    let leases = mine.mapValues(\.lease)
    let standing = try await pool.transaction { [self] connection throws in try renew(leases, on: connection) }
    living.withLock { $0 = standing.instances }
    for (partition, entry) in mine {
      let held = standing.held[partition]
      if held?.claim != entry.lease.claim { stop(entry.lease) }
      if let held, held.claim == entry.lease.claim, held.position < entry.reached {
        log("\(subscription) on \(topic), partition \(partition): a crash of the database has taken it back from \(entry.reached) to \(held.position)")
        stop(entry.lease)
      }
    }
    let share = (partitions + standing.instances - 1) / standing.instances
    let keeping = running.withLock { $0.values.filter { !$0.isEnding }.map(\.lease) }.sorted { $0.partition > $1.partition }
    for lease in keeping.prefix(max(0, keeping.count - share)) { stop(lease) }
    // What is ending counts: it is worked on until it has ended.
    let room = share - held.count
    if room > 0 {
      for lease in try await pool.transaction({ [self] connection throws in try take(room, on: connection) }) { start(lease, work) }
    }
  }

  private func start(_ lease: Lease, _ work: @escaping @Sendable (Lease) async -> Void) {
    running.withLock { running in
      running[lease.partition] = Running(
        lease: lease,
        task: Task { [self] in
          await work(lease)
          await ended(lease)
        },
        reached: lease.checkpoint.position)
    }
  }

  /// Gives it back, so that whoever comes next need not wait for the lease to run out. Shielded: work that was told to end runs in a cancelled task.
  private func ended(_ lease: Lease) async {
    await Task { try? await self.release(lease) }.value
    running.withLock { running in
      if running[lease.partition]?.lease.claim == lease.claim { running[lease.partition] = nil }
    }
  }

  private func stop(_ lease: Lease) {
    let task = running.withLock { running -> Task<Void, Never>? in
      guard let entry = running[lease.partition], entry.lease.claim == lease.claim, !entry.isEnding else { return nil }
      running[lease.partition]?.isEnding = true
      return entry.task
    }
    task?.cancel()
  }
}

extension Leases {
  private struct Standing: Sendable {
    let instances: Int
    /// What this instance holds by the table.
    let held: [Int: (claim: Int64, position: Int64)]
  }

  /// Says that this instance lives, prolongs what it holds, and counts who else does.
  private func renew(_ mine: [Int: Lease], on connection: isolated PostgresConnection) throws -> Standing {
    try connection.execute(
      """
      insert into dos_lease_holders (subscription, topic, holder, seen) values (\(subscription), \(topic), \(holder), clock_timestamp())
      on conflict (subscription, topic, holder) do update set seen = clock_timestamp()
      """)
    // A row that a batch has locked is passed over: waiting for it would let the others run out, and the batch has renewed it itself.
    // Only what is worked on, by its claim: a row in this instance's name that it knows nothing of (the answer to taking it was lost, or giving it back
    // failed) must run out, else nobody would ever work on it.
    let (partitions, held) = (mine.values.map { Int64($0.partition) }, mine.values.map(\.claim))
    try connection.execute(
      """
      update dos_checkpoints set until = clock_timestamp() + interval '3 seconds' where (subscription, topic, partition) in (
        select subscription, topic, partition from dos_checkpoints
        where subscription = \(subscription) and topic = \(topic) and holder = \(holder)
          and (partition::bigint, claim) in (select * from unnest(\(partitions), \(held))) order by partition for update skip locked)
      """)
    let claims = try connection.query(
      "select partition, claim, position from dos_checkpoints where subscription = \(subscription) and topic = \(topic) and holder = \(holder)")
    let instances = try connection.query(
      """
      select count(*) from dos_lease_holders
      where subscription = \(subscription) and topic = \(topic) and seen > clock_timestamp() - interval '3 seconds'
      """)
    var mine: [Int: (claim: Int64, position: Int64)] = [:]
    for row in claims {
      let (partition, claim, position) = try row.decode(Int32.self, Int64.self, Int64.self)
      mine[Int(partition)] = (claim, position)
    }
    return Standing(instances: max(1, Int(try instances.first?.value(Int64.self, at: 0) ?? 1)), held: mine)
  }

  /// Takes up to that many partitions whose lease has run out, raising their claims.
  private func take(_ count: Int, on connection: isolated PostgresConnection) throws -> [Lease] {
    try connection.query(
      """
      update dos_checkpoints set holder = \(holder), until = clock_timestamp() + interval '3 seconds', claim = claim + 1
      where (subscription, topic, partition) in (
        select subscription, topic, partition from dos_checkpoints
        where subscription = \(subscription) and topic = \(topic) and until < clock_timestamp()
        order by partition limit \(Int64(count)) for update skip locked)
      returning partition, claim, position, epoch, journal_offset
      """
    ).map { row throws in
      let (partition, claim, position, epoch, offset) = try row.decode(Int32.self, Int64.self, Int64.self, Int64?.self, Int64?.self)
      return Lease(
        subscription: subscription, topic: topic, partition: Int(partition), claim: claim,
        checkpoint: Checkpoint(position: position, journal: CheckpointTable.journal(Int(partition), epoch, offset)))
    }
  }

  private func release(_ lease: Lease) async throws {
    try await pool.execute(
      """
      update dos_checkpoints set holder = null, until = '-infinity' where subscription = \(subscription) and topic = \(topic)
        and partition = \(Int32(lease.partition)) and holder = \(holder) and claim = \(lease.claim)
      """)
  }

  private func leave() async throws {
    let (subscription, topic, holder) = (subscription, topic, holder)
    try await pool.transaction { connection throws in
      try connection.execute(
        """
        update dos_checkpoints set holder = null, until = '-infinity'
        where subscription = \(subscription) and topic = \(topic) and holder = \(holder)
        """)
      try connection.execute(
        "delete from dos_lease_holders where subscription = \(subscription) and topic = \(topic) and holder = \(holder)")
    }
  }
}

extension Leases {
  /// Claims one partition at once, whoever holds it: for the hands of an operator (dead letters). Released, or run out, it goes back to the instances.
  static func claim(subscription: String, topic: String, partition: Int, in pool: PostgresPool) async throws -> Lease {
    let rows = try await pool.query(
      """
      update dos_checkpoints set holder = 'operator', until = clock_timestamp() + interval '3 seconds', claim = claim + 1
      where subscription = \(subscription) and topic = \(topic) and partition = \(Int32(partition))
      returning claim, position, epoch, journal_offset
      """)
    guard let row = rows.first else { throw CheckpointLost(subscription: subscription, topic: topic, partition: partition, claim: 0) }
    let (claim, position, epoch, offset) = try row.decode(Int64.self, Int64.self, Int64?.self, Int64?.self)
    let checkpoint = Checkpoint(position: position, journal: CheckpointTable.journal(partition, epoch, offset))
    return Lease(subscription: subscription, topic: topic, partition: partition, claim: claim, checkpoint: checkpoint)
  }

  /// Gives a partition back if it is still held by that claim.
  static func release(_ lease: Lease, in pool: PostgresPool) async throws {
    try await pool.execute(
      """
      update dos_checkpoints set holder = null, until = '-infinity' where subscription = \(lease.subscription) and topic = \(lease.topic)
        and partition = \(Int32(lease.partition)) and claim = \(lease.claim)
      """)
  }
}
