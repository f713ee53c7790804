import Foundation

/// A topic of facts got more partitions: those from `from` on are new, and there are `to` now. The decision of the topic `dos.topics`.
///
/// `to` is a multiple of `from`, so that a key stays in its partition p or moves to one of p + from, p + 2 × from, …: each new partition goes on where one old
/// partition, its parent, ended.
public struct TopicGrown: Sendable, Hashable, Codable {
  public static let type = "de.dos2030.broker.topic-grown.v1"

  public let topic: String
  public let from: Int
  public let to: Int
  /// The offset that the next event of each old partition would have had.
  public let ends: [Int64]

  public init(topic: String, from: Int, to: Int, ends: [Int64]) {
    self.topic = topic
    self.from = from
    self.to = to
    self.ends = ends
  }

  /// Nil where the event is another one, or no longer readable as this one.
  public init?(_ event: CloudEvent) {
    guard event.type == Self.type, let read = try? JSONDecoder().decode(Self.self, from: Data(event.data)), read.ends.count == read.from else { return nil }
    self = read
  }
}
