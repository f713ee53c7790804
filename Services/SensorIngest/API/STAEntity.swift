import JSON

/// One entity as a write has left it, with no row read.
struct STAEntity: Sendable {
  let type: STAEntityType
  let id: Int64
  /// The members that show its properties, `"name":"x","description":"y"`.
  var properties = JSONWriter(capacity: 256)

  init(type: STAEntityType, id: Int64) {
    self.type = type
    self.id = id
  }

  static func link(_ root: String, _ type: STAEntityType, _ id: Int64) -> String { "\(root)/\(type.set)(\(id))" }

  func json(root: String) throws -> [UInt8] {
    var writer = JSONWriter(capacity: 1_024)
    try STAForm(type, STAQuery(), root: root).write(id: id, to: &writer) { writer in
      if !properties.bytes.isEmpty { writer.raw(properties.bytes) }
    }
    return writer.bytes
  }
}
