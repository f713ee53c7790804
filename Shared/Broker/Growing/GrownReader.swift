/// Reads a partition that is made of several pieces. One caller at a time.
actor GrownReader: PartitionReader {
  private let log: any GrowableLog
  private let topic: Topic
  private let partition: GrownPartition
  private var wanted: Int64
  private var piece: GrownPartition.Piece
  private var reader: any PartitionReader

  init(_ log: any GrowableLog, _ topic: Topic, _ partition: GrownPartition, from offset: Int64) async throws(BrokerError) {
    guard let piece = partition.piece(at: offset) else { throw .offsetOutOfRange(earliest: 0, next: 0) }
    reader = try await log.reader(topic: topic, partition: piece.stored, from: offset - piece.shift)
    (self.log, self.topic, self.partition, self.piece, wanted) = (log, topic, partition, piece, offset)
  }

  func next(limit: Int, wait: Duration) async throws(BrokerError) -> [ConsumedEvent] {
    let deadline = ContinuousClock.now + wait
    while true {
      if wanted >= piece.offsets.upperBound { try await goOn() }
      let events = try await reader.next(limit: limit, wait: max(.zero, deadline - .now)).map(placed)
      guard let last = events.last else { return [] }
      // What lies behind the piece belongs to the next one, or to another partition.
      wanted = min(last.position.offset + 1, piece.offsets.upperBound)
      let own = events.filter { $0.position.offset < piece.offsets.upperBound }
      if !own.isEmpty { return own }
    }
  }

  func close() async { await reader.close() }

  private func goOn() async throws(BrokerError) {
    guard let next = partition.piece(at: wanted) else { return }
    let following = try await log.reader(topic: topic, partition: next.stored, from: wanted - next.shift)
    await reader.close()
    (reader, piece) = (following, next)
  }

  /// As it stands in this partition. What lives in another one has a place here all the same, so that whoever counts offsets comes to the end.
  private func placed(_ event: ConsumedEvent) -> ConsumedEvent {
    let position = BrokerPosition(topic: event.position.topic, partition: partition.number, offset: event.position.offset + piece.shift)
    var told = event.event
    if !partition.owns(event.key, of: piece) { (told.type, told.data) = (Self.moved, Array("{}".utf8)) }
    return ConsumedEvent(position: position, key: event.key, event: told)
  }

  /// Of an event that is read in another partition now. Nobody takes it for anything.
  private static let moved = "de.dos2030.broker.moved.v1"
}
