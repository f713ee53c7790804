import Broker
import EventSourcing
import Foundation
import HTTP
import JSON
import ServiceKit
import TestSupport
import Testing
import WarningDomain

@testable import Warning

@Suite("The published schemas of warnings")
struct SchemaTests {
  @Test("describe what the code writes, every member of it, and the code reads it again")
  func written() throws {
    for written in try SchemaExamples.all() {
      let schema = JSONSchema(try Schemas.json("events/\(written.type).json"), closed: true)
      let faults = try schema.faults(in: JSONValue(parsing: written.data))
      #expect(faults.isEmpty, "\(written.type): \(faults)")
      #expect(try Self.readAndWritten(type: written.type, data: written.data) == written.data, "\(written.type) is another when read")
    }
  }

  @Test("exist for every type the code knows, each with a sample, and for no other")
  func complete() throws {
    #expect(Set(try SchemaExamples.all().map(\.type)) == Self.types)
    #expect(Set(try Self.names(in: "events")) == Self.types)
    for type in Self.types { #expect(try Schemas.json("events/\(type).json")["title"] == .string(type)) }
    let samples = Set(try Self.names(in: "samples"))
    #expect(Self.types.isSubset(of: samples))
    // Further shapes of a type stand beside its sample: alert-issued.v1.exercise.
    for name in samples { #expect(Self.types.contains { name == $0 || name.hasPrefix($0 + ".") }, "\(name) belongs to no type") }
  }

  @Test("fit their samples, and the code still reads each sample without losing a member")
  func samples() throws {
    for name in try Self.names(in: "samples") {
      let event = try CloudEvent(structured: try Schemas.bytes("samples/\(name).json"))
      #expect(name == event.type || name.hasPrefix(event.type + "."))
      let data = try JSONValue(parsing: event.data)
      let faults = try JSONSchema(try Schemas.json("events/\(event.type).json"), closed: true).faults(in: data)
      #expect(faults.isEmpty, "\(name): \(faults)")
      let again = try #require(try Self.readAndWritten(type: event.type, data: event.data), "\(name) is no longer read")
      #expect(Schemas.holds(try JSONValue(parsing: again), data), "\(name) loses members when read")
    }
  }

  @Test("have a sample of every kind of condition, of every origin, and of messages approved, without a second pair of eyes, and acknowledged")
  func shapes() throws {
    let samples = try Self.names(in: "samples").map { try Schemas.json("samples/\($0).json") }
    func data(_ type: String) -> [JSONValue] { samples.filter { $0["type"] == .string(Schemas.warnings.types + type) }.compactMap { $0["data"] } }
    let rules = data("rule-drafted.v1").compactMap { $0["rule"]?["condition"] }
    #expect(Set(rules.flatMap(Self.kinds)) == ["threshold", "rateOfChange", "countOf", "silence", "upstream", "all", "any"])
    #expect(Set(data("alert-drafted.v1").compactMap { $0["origin"]?["kind"]?.string }) == ["hand", "template", "hint"])
    let approvals = data("alert-issued.v1").compactMap { $0["approvals"]?.object }
    for member in ["approvedBy", "breakGlass", "acknowledgedBy", "release"] {
      #expect(approvals.contains { $0[member] != nil } && approvals.contains { $0[member] == nil }, "\(member)")
    }
  }

  @Test(
    "refuse a member that is missing, of another type, unknown or out of range",
    arguments: [
      (#"{"id":"01977388-8100-7000-8000-000000000020"}"#, "/at"),
      (#"{"id":"20","at":"2030-06-15T12:00:00.000Z","rota":"hochwasser","level":2}"#, "/id"),
      (#"{"id":"01977388-8100-7000-8000-000000000020","at":"2030-06-15","rota":"hochwasser","level":2}"#, "/at"),
      (#"{"id":"01977388-8100-7000-8000-000000000020","at":"2030-06-15T12:00:00.000Z","rota":"hochwasser","level":1}"#, "/level"),
      (#"{"id":"01977388-8100-7000-8000-000000000020","at":"2030-06-15T12:00:00.000Z","rota":7,"level":2}"#, "/rota"),
      (#"{"id":"01977388-8100-7000-8000-000000000020","at":"2030-06-15T12:00:00.000Z","rota":"hochwasser","level":2,"name":"x"}"#, "/name"),
    ])
  func refusing(text: String, path: String) throws {
    let schema = JSONSchema(try Schemas.json("events/de.dos2030.warnings.hint-escalated.v1.json"), closed: true)
    let faults = try schema.faults(in: JSONValue(parsing: text))
    #expect(faults.contains { $0.hasPrefix(path + ":") }, "\(faults)")
  }

  @Test("take UUIDs as they are written, in upper case, and in lower case")
  func uuids() throws {
    let schema = JSONSchema(try Schemas.json("events/de.dos2030.warnings.hint-confirmed.v1.json"), closed: true)
    for id in ["01977388-8100-7000-8000-00000000ABCD", "01977388-8100-7000-8000-00000000abcd"] {
      #expect(try schema.faults(in: JSONValue(parsing: #"{"id":"\#(id)","by":{"subject":"ada"},"at":"2030-06-15T12:00:00.000Z"}"#)).isEmpty)
    }
  }

  @Test("are listed in the AsyncAPI document, each on its topic")
  func asyncAPI() throws {
    let document = try AsyncAPIDocument()
    let alerts = WarningCoding.published.types
    #expect(
      document.topics.filter { $0.key.hasPrefix(Schemas.warnings.topics) } == [
        WarningTopics.decisions.name: Self.types.subtracting(alerts).union([EpochBegan.type]), WarningTopics.alerts.name: alerts.union([EpochBegan.type]),
      ])
    #expect(document.types.filter { $0.hasPrefix(Schemas.warnings.types) } == Self.types)
  }

  @Test("of what everybody reads have no officer in them, nor anything that holds one")
  func nobodyNamed() throws {
    for type in WarningCoding.published.types {
      let parts = try #require(try Schemas.json("events/\(type).json")["$defs"]?.object)
      #expect(Set(parts.keys).isDisjoint(with: ["officer", "approvals", "draft"]), "\(type)")
    }
  }

  @Test("of the API is what the route table says; DOS_UPDATE_SCHEMAS=1 writes it anew")
  func openAPI() async throws {
    try await withTestDatabase(migrate: WholeWarnings.schema()) { pool in
      let broker = try await PostgresBroker.open(pool.configuration, unsafeDurability: true)
      let service = try await WarningService().assemble(ServiceContext(pool: pool, broker: broker, city: "dortmund"))
      await broker.close()
      try Schemas.hold("openapi/warnings.json", to: try #require(service.api).document(of: service.routes))
    }
  }

  private static let types = WarningCoding.alerts.types.union(WarningCoding.hints.types).union(WarningCoding.deliveries.types)
    .union(WarningCoding.releases.types).union(WarningCoding.rules.types).union(WarningCoding.templates.types).union(WarningCoding.published.types).union([
      ForeignReceived.type
    ])

  private static func names(in part: String) throws -> [String] { try Schemas.names(in: part).filter { $0.hasPrefix(Schemas.warnings.types) } }

  private static func kinds(_ condition: JSONValue) -> [String] {
    [condition["kind"]?.string].compactMap { $0 } + (condition["of"]?.array ?? []).flatMap(kinds)
  }

  private static func readAndWritten(type: String, data: [UInt8]) throws -> [UInt8]? {
    func again<Event>(_ coding: EventTypes<Event>) throws -> [UInt8]? { try coding.decode(type: type, data: data).map { try coding.encode($0).data } }
    if type == ForeignReceived.type { return try WarningJSON.bytes(JSONDecoder().decode(ForeignReceived.self, from: Data(data))) }
    return try again(WarningCoding.alerts) ?? again(WarningCoding.hints) ?? again(WarningCoding.deliveries) ?? again(WarningCoding.releases)
      ?? again(WarningCoding.rules) ?? again(WarningCoding.templates) ?? again(WarningCoding.published)
  }
}
