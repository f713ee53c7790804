import Broker

/// What a consumer makes of an event's journal position: next, seen before, or a reason to stop. Pure, so that every rule can be tried alone.
struct SubscriptionSequence: Sendable {
  /// The last journal position seen.
  private(set) var last: JournalPosition?
  let partition: Int
  /// For a replay over a restored log: what was taken back by later epochs is passed over, as if it had never been.
  let cuts: [EpochBegan]

  enum Verdict: Equatable {
    case project
    /// Recorded, and nothing for a projection: an epoch began.
    case pass
    /// Seen before, or taken back.
    case drop
    case stop(StopReason)
  }

  init(partition: Int, last: JournalPosition?, cuts: [EpochBegan] = []) {
    self.partition = partition
    self.last = last
    self.cuts = cuts
  }

  mutating func judge(_ event: CloudEvent) -> Verdict {
    guard let position = event.journal else { return .project }
    guard position.partition == partition else { return .stop(.misrouted(journalPartition: position.partition)) }
    if cuts.contains(where: { position.epoch < $0.epoch && position.offset > $0.keeps }) { return .drop }
    let began = EpochBegan(type: event.type, data: event.data)
    if let last {
      if position.epoch < last.epoch { return .drop }
      if position.epoch > last.epoch {
        guard let began else { return .stop(.epochWithoutBeginning(epoch: position.epoch)) }
        if let loss = began.loss(for: last) { return .stop(.gone(loss)) }
      } else if position.offset <= last.offset {
        return .drop
      }
      if position.offset != last.offset + 1 { return .stop(.gap(expected: last.offset + 1, found: position.offset)) }
    }
    last = position
    return began == nil ? .project : .pass
  }
}

/// Why a partition stands still until somebody decides. Every one is an alarm.
public enum StopReason: Error, Sendable, Hashable {
  /// Journal offsets skip ahead: events are missing from the topic.
  case gap(expected: Int64, found: Int64)
  /// A restore took back events that were consumed; `dos replay` rebuilds.
  case gone(EpochLoss)
  /// An event of a new epoch came before the record that opens it.
  case epochWithoutBeginning(epoch: Int64)
  /// An event of another journal partition.
  case misrouted(journalPartition: Int)
  /// What is wanted next is not there any more (retention), or not there yet (the broker was restored).
  case offsetOutOfRange(wanted: Int64, earliest: Int64, next: Int64)
}

extension StopReason: CustomStringConvertible {
  public var description: String {
    switch self {
    case .gap(let expected, let found): "the journal offset \(expected) was expected and \(found) came: events are missing"
    case .gone(let loss): loss.description
    case .epochWithoutBeginning(let epoch): "an event of epoch \(epoch) came before the record that opens it"
    case .misrouted(let partition): "an event of the journal partition \(partition) came in another partition of the topic"
    case .offsetOutOfRange(let wanted, let earliest, let next): "offset \(wanted) was wanted, the broker has \(earliest) up to \(next)"
    }
  }
}
