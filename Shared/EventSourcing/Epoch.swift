public import Broker
import Foundation

/// The first record of an epoch in a partition. A restore or failover raises the Journal's epoch, and with it comes what is kept of those before.
///
/// A consumer at or below `keeps` goes on. One beyond it has seen events that are gone: it stops the partition and says which, and a replay rebuilds.
public struct EpochBegan: Sendable, Hashable, Codable {
  public static let type = "de.dos2030.journal.epoch-began.v1"
  /// The streams of these records start with it; others must not.
  static let streamPrefix = "epoch/"

  public let epoch: Int64
  /// The last offset of earlier epochs that still stands; -1 where there is none.
  public let keeps: Int64

  public init(epoch: Int64, keeps: Int64) {
    self.epoch = epoch
    self.keeps = keeps
  }

  /// nil where the event is another one, or no longer readable as this one.
  public init?(type: String, data: [UInt8]) {
    guard type == Self.type, let read = try? JSONDecoder().decode(Self.self, from: Data(data)) else { return nil }
    self = read
  }

  /// What a consumer that has seen everything up to `position` has lost by this epoch; nil when it may go on.
  public func loss(for position: JournalPosition) -> EpochLoss? {
    guard position.epoch < epoch, position.offset > keeps else { return nil }
    return EpochLoss(partition: position.partition, epoch: epoch, gone: (keeps + 1)...position.offset)
  }
}

/// Events that a consumer has seen and that a restore took back.
public struct EpochLoss: Error, Sendable, Hashable {
  public let partition: Int
  /// The epoch that no longer has them.
  public let epoch: Int64
  /// The offsets, in the epochs before, of what is gone.
  public let gone: ClosedRange<Int64>

  public init(partition: Int, epoch: Int64, gone: ClosedRange<Int64>) {
    self.partition = partition
    self.epoch = epoch
    self.gone = gone
  }
}

extension EpochLoss: CustomStringConvertible {
  public var description: String {
    "partition \(partition): epoch \(epoch) began without the events \(gone.lowerBound) to \(gone.upperBound); stopped, rebuild with dos replay"
  }
}
