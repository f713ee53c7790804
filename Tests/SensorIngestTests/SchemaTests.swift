import Broker
import EventSourcing
import Foundation
import HTTP
import JSON
import SensorDomain
import ServiceKit
import TestSupport
import Testing

@testable import SensorIngest

@Suite("The published schemas")
struct SchemaTests {
  @Test("describe what the code writes, every member of it")
  func written() throws {
    for written in try SchemaExamples.all() {
      let schema = JSONSchema(try Schemas.json("events/\(written.type).json"), closed: true)
      let faults = try schema.faults(in: JSONValue(parsing: written.data))
      #expect(faults.isEmpty, "\(written.type): \(faults)")
    }
  }

  @Test("describe what the Journal writes when an epoch begins")
  func epochs() async throws {
    try await RegistryHarness.run { harness in
      let records = try await harness.journal.read(partition: 0, after: -1, limit: 10).filter { $0.type == EpochBegan.type }
      #expect(!records.isEmpty)
      let schema = JSONSchema(try Schemas.json("events/\(EpochBegan.type).json"), closed: true)
      for record in records { #expect(try schema.faults(in: JSONValue(parsing: record.data)).isEmpty) }
    }
  }

  @Test("exist for every type the code knows, each with a sample, and for no other")
  func complete() throws {
    let types = Set(try SchemaExamples.all().map(\.type) + [EpochBegan.type, TopicGrown.type])
    #expect(Set(try Self.names(in: "events")) == types)
    // A sample of an earlier version stays for ever, beside that version's schema.
    #expect(Set(try Self.names(in: "samples")) == types)
    for type in types { #expect(try Schemas.json("events/\(type).json")["title"] == .string(type)) }
  }

  @Test("fit their samples, and the code still reads each sample without losing a member")
  func samples() throws {
    for type in try Self.names(in: "samples") {
      let event = try CloudEvent(structured: try Schemas.bytes("samples/\(type).json"))
      #expect(event.type == type)
      let data = try JSONValue(parsing: event.data)
      let faults = try JSONSchema(try Schemas.json("events/\(type).json"), closed: true).faults(in: data)
      #expect(faults.isEmpty, "\(type): \(faults)")
      let again = try #require(try Self.readAndWritten(event), "\(type) is no longer read")
      #expect(Schemas.holds(try JSONValue(parsing: again), data), "\(type) loses members when read")
    }
  }

  @Test(
    "refuse a member that is missing, of another type, unknown or out of range",
    arguments: [
      (#"{"id":17}"#, "/time"), (#"{"id":"17","time":"2030-06-15T12:00:00.000Z"}"#, "/id"), (#"{"id":0,"time":"2030-06-15T12:00:00.000Z"}"#, "/id"),
      (#"{"id":17,"time":"2030-06-15"}"#, "/time"), (#"{"id":17,"time":"2030-06-15T12:00:00.000Z","name":"x"}"#, "/name"),
    ])
  func refusing(text: String, path: String) throws {
    let schema = JSONSchema(try Schemas.json("events/de.dos2030.sensors.thing-retired.v1.json"), closed: true)
    let faults = try schema.faults(in: JSONValue(parsing: text))
    #expect(faults.count == 1 && faults.allSatisfy { $0.hasPrefix(path + ":") }, "\(faults)")
  }

  @Test("are listed in the AsyncAPI document, all of them, with every topic")
  func asyncAPI() throws {
    let document = try AsyncAPIDocument()
    let topics = SensorIngestService().topics + [GrowingBroker.topic]
    #expect(Set(document.topics.keys.filter { !$0.hasPrefix(Schemas.warnings.topics) }) == Set(topics.map(\.name)))
    let types = Set(try SchemaExamples.all().map(\.type) + [EpochBegan.type, TopicGrown.type])
    #expect(document.types.filter { !$0.hasPrefix(Schemas.warnings.types) } == types)
    for topic in topics { #expect(document.topics[topic.name]?.isSubset(of: types) == true && document.topics[topic.name]?.isEmpty == false) }
    #expect(Set(topics.flatMap { document.topics[$0.name] ?? [] }) == types)
  }

  @Test("of the API is what the route table says; DOS_UPDATE_SCHEMAS=1 writes it anew")
  func openAPI() async throws {
    try await withTestDatabase(migrate: RegistryHarness.schema()) { pool in
      let broker = try await PostgresBroker.open(pool.configuration, unsafeDurability: true)
      let service = try await SensorIngestService().assemble(ServiceContext(pool: pool, broker: broker, city: "dortmund"))
      await broker.close()
      try Schemas.hold("openapi/sensors.json", to: try #require(service.api).document(of: service.routes))
    }
  }

  /// All but the warnings', which their own tests look at: a file that belongs to nobody is noticed here.
  private static func names(in part: String) throws -> [String] { try Schemas.names(in: part).filter { !$0.hasPrefix(Schemas.warnings.types) } }

  private static func readAndWritten(_ event: CloudEvent) throws -> [UInt8]? {
    if let began = EpochBegan(type: event.type, data: event.data) { return Array(try JSONEncoder().encode(began)) }
    if let grown = TopicGrown(event) { return Array(try JSONEncoder().encode(grown)) }
    if let fact = try ObservationFact(type: event.type, data: event.data) { return fact.data }
    return try RegistryEvent(type: event.type, data: event.data)?.data()
  }
}
