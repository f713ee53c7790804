import JSON

/// One entity as it is answered: its properties as JSON, and what was expanded.
struct STAEntity: Sendable {
  struct Expanded: Sendable {
    let navigation: STANavigation
    let target: STAEntityType
    let query: STAQuery
    let page: STAPage
  }

  let type: STAEntityType
  let id: Int64
  let shape: STAShape
  /// The members that show its properties, `"name":"x","description":"y"`.
  var properties = JSONWriter(capacity: 256)
  var expanded: [Expanded] = []

  init(type: STAEntityType, id: Int64, shape: STAShape) {
    self.type = type
    self.id = id
    self.shape = shape
  }

  /// The value of the property that alone was selected, as JSON; nil where it is absent.
  func value(only name: String) -> ArraySlice<UInt8>? {
    var key = JSONWriter()
    key.key(name: name)
    return properties.bytes.starts(with: key.bytes) ? properties.bytes.dropFirst(key.bytes.count) : nil
  }

  static func link(_ root: String, _ type: STAEntityType, _ id: Int64) -> String { "\(root)/\(type.set)(\(id))" }

  func write(to writer: inout JSONWriter, root: String) {
    let link = Self.link(root, type, id)
    writer.beginObject()
    if shape.isReference {
      writer.key("@iot.selfLink")
      writer.string(link)
    } else if shape.showsID {
      writer.key("@iot.id")
      writer.int(id)
      writer.key("@iot.selfLink")
      writer.string(link)
    }
    if !properties.bytes.isEmpty { writer.raw(properties.bytes) }
    for shown in shape.links {
      if !expanded.isEmpty, let expanded = expanded.first(where: { $0.navigation.name == shown.name }) {
        write(expanded, to: &writer, link: link, root: root)
      } else if let key = shown.key {
        writer.key(name: key)
        writer.string(link, shown.tail)
      }
    }
    writer.endObject()
  }

  private func write(_ expanded: Expanded, to writer: inout JSONWriter, link: String, root: String) {
    let name = expanded.navigation.name
    guard expanded.navigation.isMany else {
      writer.key(name: name)
      if let entity = expanded.page.entities.first { entity.write(to: &writer, root: root) } else { writer.null() }
      return
    }
    if let count = expanded.page.count {
      writer.key(name: "\(name)@iot.count")
      writer.int(count)
    }
    writer.key(name: name)
    writer.beginArray()
    for entity in expanded.page.entities { entity.write(to: &writer, root: root) }
    writer.endArray()
    if expanded.page.more {
      writer.key(name: "\(name)@iot.nextLink")
      writer.string("\(link)/\(name)?$top=\(expanded.query.limit)&$skip=\(expanded.query.skip + expanded.page.entities.count)")
    }
  }
}

/// One page of entities.
struct STAPage: Sendable {
  var entities: [STAEntity] = []
  /// Whether more follow.
  var more = false
  /// How many there are in all, where asked.
  var count: Int?

  /// - Parameter next: the address of the next page, written where more follow.
  func json(root: String, next: String) -> [UInt8] {
    var writer = JSONWriter(capacity: 512 * (entities.count + 1))
    writer.beginObject()
    if let count {
      writer.key("@iot.count")
      writer.int(count)
    }
    writer.key("value")
    writer.beginArray()
    for entity in entities { entity.write(to: &writer, root: root) }
    writer.endArray()
    // A page of nothing ($top=0, which asks for the count alone) would lead to itself.
    if more, !entities.isEmpty {
      writer.key("@iot.nextLink")
      writer.string(next)
    }
    writer.endObject()
    return writer.bytes
  }
}
