public import Broker
import Foundation
import Postgres
import Time

/// Reading what was decided.
extension Journal {
  /// A stream from its beginning, or from after a version.
  /// - Throws: `.unavailable` or `.refused`.
  public func read(stream: String, after version: Int64 = 0) async throws(JournalError) -> [RecordedEvent] {
    let topic = try await topicNumber()
    return try await read("where topic = \(topic) and stream = \(stream) and version > \(version) order by version")
  }

  /// A partition in the order of its offsets: what follows `offset`, at most `limit`. -1 starts at the first record, which opens the first epoch.
  public func read(partition: Int, after offset: Int64, limit: Int) async throws(JournalError) -> [RecordedEvent] {
    let topic = try await topicNumber()
    return try await read(
      "where topic = \(topic) and partition = \(Int16(partition)) and log_offset > \(offset) order by log_offset limit \(Int64(limit))")
  }

  /// The last position of each partition, in their order.
  public func end() async throws(JournalError) -> [JournalPosition] {
    let topic = try await topicNumber()
    do {
      let rows = try await pool.query(
        """
        select p, e.epoch, e.log_offset from generate_series(0, \(Int32(self.topic.partitions - 1))) p cross join lateral (
          select epoch, log_offset from journal_events where topic = \(topic) and partition = p::smallint order by log_offset desc limit 1) e order by p
        """)
      return try rows.map { row in
        let (partition, epoch, offset) = try row.decode(Int32.self, Int64.self, Int64.self)
        return JournalPosition(partition: Int(partition), epoch: epoch, offset: offset)
      }
    } catch {
      throw JournalError(error)
    }
  }

  /// The epochs of a partition, in their order.
  public func epochs(partition: Int) async throws(JournalError) -> [EpochBegan] {
    try await read(stream: EpochBegan.streamPrefix + "\(partition)").compactMap { EpochBegan(type: $0.type, data: $0.data) }
  }

  /// What a consumer that has seen everything up to `position` lost by restores since; nil when it may go on. Looked at when a consumer starts or finds
  /// itself beyond the end: it would otherwise wait there until new events reach its offset, and take them for what follows.
  public func loss(for position: JournalPosition) async throws(JournalError) -> EpochLoss? {
    let losses = try await epochs(partition: position.partition).compactMap { $0.loss(for: position) }
    return losses.min { $0.gone.lowerBound < $1.gone.lowerBound }
  }

  private func read(_ condition: SQL) async throws(JournalError) -> [RecordedEvent] {
    do {
      let rows = try await pool.query(
        """
        select partition, epoch, log_offset, stream, version, event_id, type, time, correlation, causation, traceparent, data::text
        from journal_events \(condition)
        """)
      return try rows.map(RecordedEvent.init)
    } catch {
      throw JournalError(error)
    }
  }
}

extension RecordedEvent {
  fileprivate init(_ row: Row) throws {
    let (partition, epoch, offset, stream, version, id, type) = try row.decode(
      Int16.self, Int64.self, Int64.self, String.self, Int64.self, UUID.self, String.self)
    let context = EventContext(
      time: try row.value(at: 7), correlationID: try row.value(at: 8), causationID: try row.value(at: 9), traceparent: try row.value(at: 10))
    self.init(
      position: JournalPosition(partition: Int(partition), epoch: epoch, offset: offset), stream: stream, version: version, id: id, type: type,
      context: context, data: row.bytes(at: 11) ?? [])
  }
}
