import JSON
import Postgres
import SensorDomain

/// A value as its column of JSON has it. The order of members is the database's own.
protocol JSONColumn {
  func write(to writer: inout JSONWriter)
}

extension JSONColumn {
  var column: JSONText {
    var writer = JSONWriter()
    write(to: &writer)
    return JSONText(writer.bytes)
  }
}

extension FreeValue: JSONColumn {
  func write(to writer: inout JSONWriter) {
    switch self {
    case .null: writer.null()
    case .bool(let value): writer.bool(value)
    case .int(let value): writer.int(value)
    case .number(let value): writer.double(value)
    case .string(let value): writer.string(value)
    case .array(let values):
      writer.beginArray()
      for value in values { value.write(to: &writer) }
      writer.endArray()
    case .object(let members):
      writer.beginObject()
      for (name, value) in members {
        writer.key(name: name)
        value.write(to: &writer)
      }
      writer.endObject()
    }
  }
}

extension SensorDomain.Governance: JSONColumn {
  func write(to writer: inout JSONWriter) {
    writer.beginObject()
    writer.key("legalBasis")
    writer.string(legalBasis)
    writer.key("owner")
    writer.string(owner)
    writer.key("purpose")
    writer.string(purpose)
    writer.key("retention")
    switch retention {
    case .forever: writer.string("forever")
    case .days(let days): writer.int(days)
    }
    if let successor {
      writer.key("successor")
      writer.string(successor)
    }
    writer.endObject()
  }
}

extension Reporting: JSONColumn {
  func write(to writer: inout JSONWriter) {
    writer.beginObject()
    writer.key("kind")
    switch self {
    case .periodic(let interval):
      writer.string("periodic")
      writer.key("interval")
      writer.int(interval)
    case .onChange: writer.string("onChange")
    case .onChangeWithHeartbeat(let heartbeat):
      writer.string("onChange")
      writer.key("heartbeat")
      writer.int(heartbeat)
    }
    writer.endObject()
  }
}
