import HTTP
import JSON

/// The service's root (OGC 18-088, section 9.2.1): its entity sets and the requirement classes it conforms to.
struct LandingPage: Sendable {
  let model: STAModel

  static let conformance = [
    "http://www.opengis.net/spec/iot_sensing/1.1/req/datamodel", "http://www.opengis.net/spec/iot_sensing/1.1/req/resource-path/resource-path-to-entities",
    "http://www.opengis.net/spec/iot_sensing/1.1/req/request-data", "http://www.opengis.net/spec/iot_sensing/1.1/req/create-update-delete",
    "http://www.opengis.net/spec/iot_sensing/1.1/req/data-array/data-array",
  ]

  func routes() -> [Route] {
    let info = RouteInfo(
      "The entity sets of the SensorThings API", tag: "SensorThings",
      responses: [BodyInfo(schema: Shape.object([("value", Shape.list(of: Shape.free)), ("serverSettings", Shape.free)], required: ["value"], others: .taken))])
    return [STAService.prefix, STAService.prefix + "/"].map { path in
      Route(.get, path, access: .everyone, accepts: [], info: info) { request in
        .json(json(root: request.origin + STAService.prefix))
      }
    }
  }

  func json(root: String) -> [UInt8] {
    var writer = JSONWriter(capacity: 2_048)
    writer.object { writer in
      writer.key("value")
      writer.array { writer in
        for type in model.types {
          writer.object { writer in
            writer.key("name")
            writer.string(type.set)
            writer.key("url")
            writer.string("\(root)/\(type.set)")
          }
        }
      }
      writer.key("serverSettings")
      writer.object { writer in
        writer.key("conformance")
        writer.array { writer in
          for name in Self.conformance { writer.string(name) }
        }
      }
    }
    return writer.bytes
  }
}
