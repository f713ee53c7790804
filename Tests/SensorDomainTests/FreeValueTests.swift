import Foundation
import SensorDomain
import Testing

extension FreeValue {
  static func read(_ json: String) throws -> FreeValue { try JSONDecoder().decode(FreeValue.self, from: Data(json.utf8)) }
}

@Suite("Free JSON")
struct FreeValueTests {
  @Test("comes back as it was written")
  func roundTrip() throws {
    let value = FreeValue.object([
      "null": .null, "yes": .bool(true), "one": .int(1), "half": .number(0.5), "text": .string("ä\n"), "list": .array([.int(0), .bool(false)]),
    ])
    let encoded = try JSONEncoder().encode(value)
    #expect(try JSONDecoder().decode(FreeValue.self, from: encoded) == value)
  }

  @Test("tells true from one")
  func trueIsNotOne() throws {
    #expect(try FreeValue.read("[true, 1, 1.5]") == .array([.bool(true), .int(1), .number(1.5)]))
  }
}
