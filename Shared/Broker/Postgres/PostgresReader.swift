import Foundation
import Postgres
import Time

/// A place in one partition of `PostgresBroker`. One caller at a time.
actor PostgresReader: PartitionReader {
  /// A fetch ends early rather than hold more than this of events' data.
  private static let fetchBytes: Int64 = 8 << 20

  private let pool: PostgresPool
  private let heads: HeadWatch
  private let recent: RecentEvents
  private let topic: String
  private let place: Place
  private var wanted: Int64
  private var isClosed = false

  init(pool: PostgresPool, heads: HeadWatch, recent: RecentEvents, topic: String, place: Place, from offset: Int64) {
    self.pool = pool
    self.heads = heads
    self.recent = recent
    self.topic = topic
    self.place = place
    wanted = offset
  }

  func next(limit: Int, wait: Duration) async throws(BrokerError) -> [ConsumedEvent] {
    let deadline = ContinuousClock.now + wait
    var waited = false
    // Who knows the end can begin to wait: what others write is found by the watch.
    if wait > .zero, recent.events(of: place, from: wanted, limit: 1)?.isEmpty == true {
      if case .quiet = try await heads.wait(place, beyond: wanted, until: deadline), !isClosed { return [] }
      waited = true
    }
    while true {
      if isClosed { throw .closed }
      if let known = recent.events(of: place, from: wanted, limit: limit), let last = known.last {
        wanted = last.position.offset + 1
        return known
      }
      if waited { try await checkRange() }
      let events = try await fetch(limit: limit)
      if let first = events.first, let last = events.last {
        // Offsets are gapless, so a first event that is not the wanted one means that retention has taken those before.
        if first.position.offset != wanted { try await failOutOfRange() }
        wanted = last.position.offset + 1
        return events
      }
      if ContinuousClock.now >= deadline || Task.isCancelled { return [] }
      if case .quiet = try await heads.wait(place, beyond: wanted, until: deadline), !isClosed { return [] }
      waited = true
    }
  }

  func close() {
    isClosed = true
  }

  private func checkRange() async throws(BrokerError) {
    let bounds = try await bounds()
    if wanted < bounds.earliest || wanted > bounds.next { throw .offsetOutOfRange(earliest: bounds.earliest, next: bounds.next) }
  }

  private func failOutOfRange() async throws(BrokerError) {
    let bounds = try await bounds()
    throw .offsetOutOfRange(earliest: bounds.earliest, next: bounds.next)
  }

  private func bounds() async throws(BrokerError) -> PartitionBounds {
    let place = place
    let known = recent.end(of: place)
    let found: PartitionBounds?
    do {
      found = try await pool.withConnection { connection throws in try PartitionBounds.read([place], on: connection)[place] }
    } catch {
      throw .unavailable(reason: "\(error)", mayHaveArrived: false)
    }
    guard let found else { throw .unknownPartition(topic: topic, partition: Int(place.partition)) }
    recent.compare(place, known: known, found: found.next)
    return found
  }

  private func fetch(limit: Int) async throws(BrokerError) -> [ConsumedEvent] {
    let (topic, place, wanted) = (topic, place, wanted)
    do {
      return try await pool.withConnection { connection throws in
        let rows = try connection.query(
          """
          select "offset", key, id, source, type, subject, time, city, correlation_id, causation_id, traceparent,
            journal_partition, journal_epoch, journal_offset, data
          from (
            select e.*, sum(octet_length(data)) over (order by "offset") - octet_length(data) as before
            from (
              select * from events
              where topic = \(place.topic) and partition = \(place.partition) and "offset" >= \(wanted)
              order by "offset" limit \(Int64(limit))) e) counted
          where before < \(Self.fetchBytes) order by "offset"
          """)
        return try rows.map { row throws in try Self.event(row, topic: topic, partition: Int(place.partition)) }
      }
    } catch {
      if Task.isCancelled { return [] }
      throw .unavailable(reason: "\(error)", mayHaveArrived: false)
    }
  }

  private static func event(_ row: Row, topic: String, partition: Int) throws(PostgresError) -> ConsumedEvent {
    let (offset, key, id, source, type, subject) = try row.decode(Int64.self, String.self, UUID.self, String.self, String.self, String.self)
    let (journalPartition, epoch, journalOffset): (Int32?, Int64?, Int64?) = (try row.value(at: 11), try row.value(at: 12), try row.value(at: 13))
    var journal: JournalPosition?
    if let journalPartition, let epoch, let journalOffset {
      journal = JournalPosition(partition: Int(journalPartition), epoch: epoch, offset: journalOffset)
    }
    let event = CloudEvent(
      id: id, source: source, type: type, subject: subject, time: try row.value(at: 6), city: try row.value(at: 7),
      correlationID: try row.value(at: 8), causationID: try row.value(at: 9), traceparent: try row.value(at: 10), journal: journal,
      data: try row.value(at: 14))
    return ConsumedEvent(position: BrokerPosition(topic: topic, partition: partition, offset: offset), key: key, event: event)
  }
}
