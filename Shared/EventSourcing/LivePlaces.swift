import Broker

/// Where a reader of a live feed stands: of each topic it hears, by the topic's name in the feed, the offset it wants next in every partition.
public struct LivePlaces: Sendable, Hashable {
  public private(set) var offsets: [String: [Int64]]

  public init(_ offsets: [String: [Int64]] = [:]) {
    self.offsets = offsets
  }

  /// What `text` says; a topic whose part cannot be read gets a place that none has, and so a reset.
  public init(text: String) {
    self.init()
    for part in text.split(separator: ",") {
      let sides = part.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
      guard sides.count == 2 else { continue }
      let numbers = sides[1].split(separator: ".", omittingEmptySubsequences: false).map { Int64($0) ?? -1 }
      offsets[String(sides[0])] = numbers.allSatisfy { $0 >= 0 } ? numbers : []
    }
  }

  /// As an event's id: `internal:3,public:12.0.7`.
  public var text: String {
    offsets.sorted { $0.key < $1.key }.map { name, offsets in
      name + ":" + offsets.map { String($0) }.joined(separator: ".")
    }.joined(separator: ",")
  }

  /// In these topics alone.
  public func only(_ names: some Collection<String>) -> LivePlaces {
    LivePlaces(offsets.filter { names.contains($0.key) })
  }

  /// With another's place in every topic where this has none.
  public func completed(with other: LivePlaces) -> LivePlaces {
    LivePlaces(offsets.merging(other.offsets) { own, _ in own })
  }

  mutating func move(_ topic: String, to places: [Int64]) { offsets[topic] = places }

  mutating func move(_ topic: String, _ partition: Int, to offset: Int64) { offsets[topic]?[partition] = offset }

  /// Whether an event still lies ahead of a reader who hears its topic.
  func awaits(_ topic: String, _ position: BrokerPosition) -> Bool {
    guard let offsets = offsets[topic] else { return false }
    return offsets[position.partition] <= position.offset
  }
}
