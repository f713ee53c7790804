import Foundation
import Testing
import WarningDomain

@Suite("A rule")
struct RuleTests {
  @Test("has no problem when it is sound, whatever its condition is", arguments: soundConditions)
  func sound(_ condition: Condition) throws {
    #expect(try sampleRule(condition).problems() == [])
  }

  @Test("is the same after a way through JSON", arguments: soundConditions)
  func roundTrip(_ condition: Condition) throws {
    let rule = try sampleRule(condition)
    let encoder = JSONEncoder()
    encoder.outputFormatting = .sortedKeys
    let bytes = try encoder.encode(rule)
    let again = try JSONDecoder().decode(Rule.self, from: bytes)
    #expect(again == rule)
    #expect(try encoder.encode(again) == bytes)
  }

  @Test("is written with these fields")
  func shape() throws {
    let encoder = JSONEncoder()
    encoder.outputFormatting = .sortedKeys
    let condition = Condition.any([
      .threshold(Threshold(datastream: 7, direction: .above, raiseAt: 3.5, clearAt: 3.25, for: 600)),
      .rateOfChange(RateOfChange(datastream: 8, direction: .rise, by: 0.5, within: 900, clearBelow: 0.25)),
      .countOf(CountOf(atLeast: 1, of: [.silence(Silence(datastream: 9, longerThan: 3_600))])),
    ])
    #expect(
      String(decoding: try encoder.encode(condition), as: UTF8.self) == """
        {"kind":"any","of":[{"clearAt":3.25,"datastream":7,"direction":"above","for":600,"kind":"threshold","raiseAt":3.5},\
        {"by":0.5,"clearBelow":0.25,"datastream":8,"direction":"rise","kind":"rateOfChange","within":900},\
        {"atLeast":1,"kind":"countOf","of":[{"datastream":9,"kind":"silence","longerThan":3600}]}]}
        """)
  }

  @Test("of an unknown kind is refused, with the known ones named")
  func unknownKind() throws {
    let error = #expect(throws: DecodingError.self) { try JSONDecoder().decode(Condition.self, from: Data(#"{"kind": "treshold"}"#.utf8)) }
    guard case .dataCorrupted(let context)? = error else { return #expect(Bool(false), "not refused as corrupted") }
    #expect(context.debugDescription == "the kind 'treshold' is unknown; known are threshold, rateOfChange, countOf, silence, upstream, all, any")
    #expect(context.codingPath.map(\.stringValue) == ["kind"])
  }

  @Test("nested beyond the limit is refused before it is followed")
  func nesting() throws {
    let depth = 100
    let text =
      String(repeating: #"{"kind":"all","of":["#, count: depth) + #"{"kind":"silence","datastream":1,"longerThan":60}"# + String(repeating: "]}", count: depth)
    #expect(throws: DecodingError.self) { try JSONDecoder().decode(Condition.self, from: Data(text.utf8)) }
    var nested = Condition.threshold(highWater)
    for _ in 1..<Condition.depthLimit { nested = .all([nested]) }
    #expect(try sampleRule(nested).problems() == [])
    let encoded = try JSONEncoder().encode(nested)
    #expect(try JSONDecoder().decode(Condition.self, from: encoded) == nested)
    #expect(try sampleRule(.all([nested])).problems().map(\.path) == ["condition"])
  }

  @Test("names the field that is wrong", arguments: wrongConditions)
  func problems(_ condition: Condition, _ path: String) throws {
    #expect(try sampleRule(condition).problems().map(\.path) == [path])
  }

  @Test("with texts and durations that cannot be names all of them")
  func fields() throws {
    var rule = try sampleRule(staleAfter: 5)
    rule.name = "Pegel\nhoch"
    rule.description = " "
    rule.city = "Dortmund"
    rule.district = String(repeating: "x", count: 256)
    rule.rota = ""
    #expect(rule.problems().map(\.path) == ["name", "description", "city", "district", "rota", "staleAfter"])
  }

  @Test("may look at no more than some hundred datastreams")
  func size() throws {
    let one = { (id: Int) in Condition.silence(Silence(datastream: Int64(id), longerThan: 60)) }
    #expect(try sampleRule(.any((1...Condition.datastreamLimit).map(one))).problems() == [])
    #expect(try sampleRule(.any((0...Condition.datastreamLimit).map(one))).problems().map(\.path) == ["condition"])
    let parts = Condition.any(Array(repeating: one(1), count: Condition.sizeLimit))
    #expect(try sampleRule(parts).problems().map(\.expected) == ["at most 1000 parts"])
  }

  @Test("says which datastreams it looks at, and how far back")
  func reach() {
    let condition = Condition.all([
      .threshold(highWater), .rateOfChange(RateOfChange(datastream: 7, direction: .rise, by: 1, within: 1_800, clearBelow: 0.5)),
      .upstream(Upstream(gaugeA: 8, gaugeB: 9, model: sampleModel, raiseAt: 4, clearAt: 3)),
    ])
    #expect(condition.datastreams == [7, 8, 9])
    #expect(condition.reach == [7: 1_800, 8: 3_600, 9: 1_800])
  }
}

private let soundConditions: [Condition] = [
  .threshold(highWater),
  .threshold(Threshold(datastream: 7, direction: .below, raiseAt: 0.2, clearAt: 0.3, for: 3_600)),
  .rateOfChange(RateOfChange(datastream: 7, direction: .fall, by: 0.5, within: 900, clearBelow: 0.1)),
  .silence(Silence(datastream: 7, longerThan: 7_200)),
  .countOf(CountOf(atLeast: 2, of: [1, 2, 3].map { .threshold(Threshold(datastream: $0, direction: .above, raiseAt: 1, clearAt: 1)) })),
  .upstream(Upstream(gaugeA: 1, gaugeB: 2, model: sampleModel, raiseAt: 4, clearAt: 3.8, certainty: .possible)),
  .all([.threshold(highWater), .any([.silence(Silence(datastream: 9, longerThan: 60)), .threshold(highWater)])]),
]

private let wrongConditions: [(Condition, String)] = [
  (.threshold(Threshold(datastream: 7, direction: .above, raiseAt: 3, clearAt: 3.1)), "condition.clearAt"),
  (.threshold(Threshold(datastream: 7, direction: .below, raiseAt: 3, clearAt: 2.9)), "condition.clearAt"),
  (.threshold(Threshold(datastream: 7, direction: .above, raiseAt: .infinity, clearAt: 2.9)), "condition.raiseAt"),
  (.threshold(Threshold(datastream: 7, direction: .above, raiseAt: 3, clearAt: 3, for: -1)), "condition.for"),
  (.threshold(Threshold(datastream: 7, direction: .above, raiseAt: 3, clearAt: 3, for: 604_801)), "condition.for"),
  (.rateOfChange(RateOfChange(datastream: 7, direction: .rise, by: .nan, within: 60, clearBelow: 1)), "condition.by"),
  (.rateOfChange(RateOfChange(datastream: 7, direction: .rise, by: 1, within: 60, clearBelow: 2)), "condition.clearBelow"),
  (.rateOfChange(RateOfChange(datastream: 7, direction: .rise, by: 1, within: 0, clearBelow: 1)), "condition.within"),
  (.silence(Silence(datastream: 7, longerThan: 0)), "condition.longerThan"),
  (.countOf(CountOf(atLeast: 0, of: [.threshold(highWater)])), "condition.atLeast"),
  (.countOf(CountOf(atLeast: 2, of: [.threshold(highWater)])), "condition.atLeast"),
  (.all([]), "condition.of"),
  (.any([.threshold(highWater), .all([.silence(Silence(datastream: 1, longerThan: -5))])]), "condition.of[1].of[0].longerThan"),
  (.upstream(Upstream(gaugeA: 1, gaugeB: 1, model: sampleModel, raiseAt: 4, clearAt: 3)), "condition.gaugeB"),
  (.upstream(Upstream(gaugeA: 1, gaugeB: 2, model: sampleModel, raiseAt: 4, clearAt: 5)), "condition.clearAt"),
  (.upstream(Upstream(gaugeA: 1, gaugeB: 2, model: sampleModel, raiseAt: 4, clearAt: 3, certainty: .unlikely)), "condition.certainty"),
]
