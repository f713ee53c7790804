public import Broker
public import HTTP

/// The header `DOS-Position`: where the events of an acknowledged request stand, `topic/partition/offset`, several with commas between. A read that
/// carries it waits, bounded, until they are in its read model.
public enum DOSPosition {
  public static let header = "DOS-Position"
  /// How many positions a request may carry.
  public static let limit = 64

  /// A regular expression (ECMA-262) of its values.
  public static let pattern = "^[a-z0-9.-]+/[0-9]{1,4}/[0-9]{1,18}(, *[a-z0-9.-]+/[0-9]{1,4}/[0-9]{1,18}){0,\(limit - 1)}$"

  public static func write(_ positions: [BrokerPosition], to response: inout Response) {
    guard !positions.isEmpty else { return }
    response.headers[header] = positions.map { "\($0.topic)/\($0.partition)/\($0.offset)" }.joined(separator: ",")
  }

  public static func read(_ request: Request) throws(Problem) -> [BrokerPosition] {
    guard let text = request.headers[header] else { return [] }
    let items = text.split(separator: ",", omittingEmptySubsequences: false)
    guard items.count <= limit else { throw .badRequest(path: header, problem: "\(items.count) positions", expected: "at most \(limit)") }
    var positions: [BrokerPosition] = []
    for item in items {
      let parts = item.trimmingPrefix(while: { $0 == " " }).split(separator: "/", omittingEmptySubsequences: false)
      guard parts.count == 3, isTopic(parts[0]), isNumber(parts[1], 4), isNumber(parts[2], 18), let partition = Int(parts[1]), let offset = Int64(parts[2])
      else {
        throw .badRequest(path: header, problem: "'\(item.prefix(100))' is no position", expected: "topic/partition/offset, as an answer named it")
      }
      positions.append(BrokerPosition(topic: String(parts[0]), partition: partition, offset: offset))
    }
    return positions
  }

  private static func isTopic(_ text: Substring) -> Bool {
    !text.isEmpty && text.utf8.allSatisfy { (0x61...0x7a).contains($0) || (0x30...0x39).contains($0) || $0 == 0x2e || $0 == 0x2d }
  }

  private static func isNumber(_ text: Substring, _ most: Int) -> Bool {
    (1...most).contains(text.count) && text.utf8.allSatisfy { (0x30...0x39).contains($0) }
  }
}

extension ParameterInfo {
  /// What a read waits for.
  public static let position = ParameterInfo(
    DOSPosition.header, in: .header, "As an answer to a write named it: the read waits until it shows that write", schema: Shape.text(DOSPosition.pattern))
}

extension HeaderInfo {
  /// What a later read can wait for; absent where nothing was to be written.
  public static let position = HeaderInfo(
    DOSPosition.header, "Where what was written stands; a read that carries it shows it", schema: Shape.text(DOSPosition.pattern), isAlwaysThere: false)
}
