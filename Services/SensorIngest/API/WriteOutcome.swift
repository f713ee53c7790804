import HTTP
import JSON
import SensorDomain

/// What a write to the registry came to, as it is remembered with an idempotency key: status, address and entity, and the readings that came with it.
struct WriteOutcome {
  let status: Int
  let location: String?
  /// Of the entity; 0 where the answer names none.
  let id: Int64
  let entity: [UInt8]
  let facts: [ObservationsRecorded]

  init(_ written: STAService.Written, _ unit: RegistryUnit, facts: [ObservationsRecorded], root: String) throws {
    status = written.status
    self.facts = facts
    guard let type = written.type else {
      (location, id, entity) = (nil, 0, [])
      return
    }
    location = STAEntity.link(root, type, written.id)
    id = written.id
    entity = try unit.entity(type, written.id, given: written.values).json(root: root)
  }

  init(_ bytes: [UInt8]) throws {
    let value = try JSONValue(parsing: bytes)
    status = Int(value["status"]?.int ?? 200)
    location = value["location"]?.string
    id = value["id"]?.int ?? 0
    entity = value["entity"]?.string.map { Array($0.utf8) } ?? []
    facts = try (value["readings"]?.array ?? []).compactMap { fact in
      guard case .recorded(let recorded)? = try ObservationFact(type: ObservationsRecorded.type, data: fact.bytes) else { return nil }
      return recorded
    }
  }

  /// The entity as a string within, so that a repeat is answered with the same bytes.
  var bytes: [UInt8] {
    var writer = JSONWriter()
    writer.object { writer in
      writer.key("status")
      writer.int(status)
      if let location {
        writer.key("location")
        writer.string(location)
        writer.key("id")
        writer.int(id)
        writer.key("entity")
        writer.string(String(decoding: entity, as: UTF8.self))
      }
      if !facts.isEmpty {
        writer.key("readings")
        writer.beginArray()
        for fact in facts { writer.raw(ObservationFact.recorded(fact).data) }
        writer.endArray()
      }
    }
    return writer.bytes
  }

  var response: Response {
    guard let location else { return Response(status: status) }
    return status == 201 ? .created(location: location, json: entity) : .json(entity, status: status)
  }
}
