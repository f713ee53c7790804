public import Broker
public import HTTP

/// The header `DOS-Position`: where the events of an acknowledged request stand, `topic/partition/offset`, several with commas between. A read that
/// carries it waits, bounded, until they are in its read model.
public enum DOSPosition {
  public static let header = "DOS-Position"
  /// How many positions a request may carry.
  public static let limit = 64

  public static func write(_ positions: [BrokerPosition], to response: inout Response) {
    guard !positions.isEmpty else { return }
    response.headers[header] = positions.map { "\($0.topic)/\($0.partition)/\($0.offset)" }.joined(separator: ",")
  }

  public static func read(_ request: Request) throws(Problem) -> [BrokerPosition] {
    guard let text = request.headers[header] else { return [] }
    let items = text.split(separator: ",")
    guard items.count <= limit else { throw .badRequest(path: header, problem: "\(items.count) positions", expected: "at most \(limit)") }
    var positions: [BrokerPosition] = []
    for item in items {
      let parts = item.trimmingPrefix(while: { $0 == " " }).split(separator: "/", omittingEmptySubsequences: false)
      guard parts.count == 3, let partition = Int(parts[1]), let offset = Int64(parts[2]), partition >= 0, offset >= 0 else {
        throw .badRequest(path: header, problem: "'\(item.prefix(100))' is no position", expected: "topic/partition/offset, as an answer named it")
      }
      positions.append(BrokerPosition(topic: String(parts[0]), partition: partition, offset: offset))
    }
    return positions
  }
}
