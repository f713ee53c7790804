import Foundation
import HTTP
import JSON
import ServiceKit
import TestSupport
import Testing
import WarningDomain

@testable import Warning

@Suite("The description of the warnings' API", .timeLimit(.minutes(5))) struct DescriptionTests {
  private let document: JSONValue

  init() throws { document = try Schemas.json("openapi/warnings.json") }

  @Test("has for each body that a request brings an example that it allows") func examples() throws {
    var examples = 0
    for (path, operations) in document["paths"]?.object ?? [:] {
      for (method, operation) in operations.object ?? [:] {
        guard let content = operation["requestBody"]?["content"]?.object else { continue }
        for (type, body) in content {
          let example = try #require(body["example"], "\(method) \(path) has no example")
          let faults = try JSONSchema(document, root: body["schema"] ?? .null).faults(in: example)
          #expect(faults.isEmpty, "\(method) \(path), \(type): \(faults)")
          examples += 1
        }
      }
    }
    #expect(examples > 15)
  }

  @Test("leads to every schema it holds, and holds every schema it leads to") func components() throws {
    let schemas = try #require(document["components"]?["schemas"]?.object)
    var reached: Set<String> = ["Problem", "AlertEnded"]
    var waiting = [document["paths"] ?? .null, document["components"]?["responses"] ?? .null] + reached.compactMap { schemas[$0] }
    while let next = waiting.popLast() {
      for name in Self.references(in: next) where reached.insert(name).inserted { waiting.append(try #require(schemas[name], "\(name) is not there")) }
    }
    #expect(Set(schemas.keys) == reached)
  }

  @Test(
    "has the words of the code's lists",
    arguments: [
      ("category", Category.allCases.map(\.rawValue)), ("urgency", Urgency.allCases.map(\.rawValue)), ("severity", Severity.allCases.map(\.rawValue)),
      ("certainty", Certainty.allCases.map(\.rawValue)), ("responseType", ResponseType.allCases.map(\.rawValue)),
      ("channel", Channel.allCases.map(\.rawValue)), ("mode", AlertMode.allCases.map(\.rawValue)), ("messageKind", MessageKind.allCases.map(\.rawValue)),
    ]) func words(name: String, words: [String]) throws
  {
    #expect(document["components"]?["schemas"]?[EventShapes.component(name)]?["enum"]?.array?.map(\.string) == words)
  }

  @Test("allows the members that the code reads, and no other") func members() throws {
    let bodies: [(String, [String])] = [
      ("NewContent", ContentBody.fields), ("ContentOverTemplate", ContentBody.fields), ("AlertUpdate", UpdateBody.fields), ("AlertEnd", EndBody.fields),
      ("Reason", ReasonBody.fields), ("Approval", ApproveBody.fields), ("BreakGlass", BreakGlassBody.fields), ("Review", ReviewBody.fields),
      ("Confirmation", ConfirmBody.fields), ("NamedArea", NamedArea.fields), ("NewRule", Rule.fields), ("NewTemplate", AlertTemplate.fields),
      ("NewTemplateContent", TemplateContent.fields), ("NewText", AlertText.fields), ("NewUpstreamModel", LaggedRegression.fields),
      ("NewThreshold", Threshold.fields), ("NewRateOfChange", RateOfChange.fields), ("NewSilence", Silence.fields), ("NewUpstream", Upstream.fields),
      ("NewCountOf", CountOf.fields), ("NewEveryCondition", Condition.Parts.fields), ("NewAnyCondition", Condition.Parts.fields),
    ]
    for (name, fields) in bodies {
      let schema = try #require(document["components"]?["schemas"]?[name], "\(name)")
      #expect(Set(schema["properties"]?.object?.keys.map(\.self) ?? []) == Set(fields), "\(name)")
      #expect(schema["additionalProperties"]?.bool == false, "\(name)")
    }
  }

  @Test("is of values that every event's schema describes alike") func alike() throws {
    var seen: [String: JSONValue] = [:]
    for type in try Schemas.names(in: "events") where type.hasPrefix(Schemas.warnings.types) {
      for (name, schema) in try Schemas.json("events/\(type).json")["$defs"]?.object ?? [:] {
        #expect(seen[name] == nil || seen[name] == schema, "\(name) of \(type) is another elsewhere")
        seen[name] = schema
      }
    }
    for (name, schema) in EventShapes.published.definitions where !name.contains("-") { #expect(seen[name] == schema, "\(name)") }
  }

  private static func references(in value: JSONValue) -> [String] {
    switch value {
    case .object(let members):
      [members["$ref"]?.string.map { String($0.trimmingPrefix("#/components/schemas/")) }].compactMap { $0 }.filter { !$0.hasPrefix("#") }
        + members.values.flatMap(references)
    case .array(let items): items.flatMap(references)
    default: []
    }
  }
}
