import Foundation
import JSON
import Time

/// CloudEvents in structured mode: one JSON object that holds attributes and `data` (CloudEvents JSON format 1.0.2).
extension CloudEvent {
  /// The media type of a structured event.
  public static let mediaType = "application/cloudevents+json"

  /// The event as one JSON object; journal positions are numbers, so a consumer can compare them without parsing text.
  public var structured: [UInt8] {
    var writer = JSONWriter(capacity: data.count + 512)
    writeStructured(to: &writer)
    return writer.bytes
  }

  /// Writes the event as a value, for answers that hold several.
  public func writeStructured(to writer: inout JSONWriter) {
    writer.beginObject()
    for (name, value) in attributes {
      writer.key(name: name)
      if name.hasPrefix("journal"), let number = Int64(value) { writer.int(number) } else { writer.string(value) }
    }
    writer.key("datacontenttype")
    writer.string("application/json")
    writer.key("data")
    writer.raw(data.isEmpty ? Array("null".utf8) : data)
    writer.endObject()
  }

  /// Reads a structured event. Unknown attributes are ignored. `data` keeps its meaning, not its bytes: members come in the order of their names.
  public init(structured bytes: [UInt8]) throws(CloudEventError) {
    let value: JSONValue
    do {
      value = try JSONValue(parsing: bytes)
    } catch {
      throw .notJSON("\(error.path.isEmpty ? "" : error.path + ": ")\(error.problem); expected \(error.expected)")
    }
    guard let members = value.object else { throw .notJSON("\(value.kind) instead of an object") }
    var attributes: [String: String] = [:]
    for (name, member) in members where name != "data" {
      switch member {
      case .string(let text): attributes[name] = text
      case .int(let number): attributes[name] = String(number)
      case .bool(let flag): attributes[name] = String(flag)
      default: break
      }
    }
    try self.init(attributes: attributes, data: members["data"]?.bytes ?? Array("null".utf8))
  }
}
