import JSON
import Postgres

/// How the entities of one level of an answer are written, straight from the rows that the database gave, and what was expanded of them.
struct STALevel: Sendable {
  let form: STAForm
  var expanded: [STAExpansion] = []

  func write(_ row: Row, to writer: inout JSONWriter) throws {
    try form.write(id: try form.id(row), to: &writer, expanded: expanded) { try form.writeProperties(row, to: &$0) }
  }
}

/// What one navigation leads to from each entity of a level.
struct STAExpansion: Sendable {
  /// What is one entity's.
  struct Share: Sendable {
    /// The rows that are shown.
    var shown: Slice<Rows>?
    /// Whether more follow.
    var more = false
    /// How many there are in all, where asked.
    var count: Int?
  }

  let navigation: STANavigation
  let query: STAQuery
  /// Where the rest of an entity's is found, where it has more than are shown.
  let next: JSONFrame
  var level: STALevel
  var shares: [Int64: Share] = [:]

  /// - Parameters:
  ///   - address: of the entities that it leads from, `https://host/sensors/v1.1/Datastreams(`.
  ///   - limit: how many of one entity's are shown at most.
  init(_ navigation: STANavigation, _ query: STAQuery, from address: String, limit: Int, level: STALevel) {
    self.navigation = navigation
    self.query = query
    self.level = level
    next = JSONFrame(before: address, after: ")/\(navigation.name)?$top=\(query.limit)&$skip=\(query.skip + limit)")
  }

  /// Deals rows out that are in the order of their parents, each with its parent's id in a column.
  mutating func deal(_ rows: Rows, parent column: Int, limit: Int) throws {
    var first = 0
    while first < rows.count {
      let parent = try rows[first].value(Int64.self, at: column)
      var end = first + 1
      while end < rows.count, try rows[end].value(Int64.self, at: column) == parent { end += 1 }
      let shown = min(end - first, limit)
      shares[parent] = Share(shown: rows[first..<first + shown], more: first + shown < end)
      first = end
    }
  }

  /// The ids of all that are shown.
  func ids() throws -> [Int64] { try shares.values.flatMap { try $0.shown?.map(level.form.id) ?? [] } }

  /// Writes the members that show what it leads to from an entity.
  func write(of id: Int64, to writer: inout JSONWriter) throws {
    let share = shares[id] ?? Share()
    guard navigation.isMany else {
      writer.key(navigation.key)
      if let first = share.shown?.first { try level.write(first, to: &writer) } else { writer.null() }
      return
    }
    if let count = share.count {
      writer.key(name: "\(navigation.name)@iot.count")
      writer.int(count)
    }
    writer.key(navigation.key)
    writer.beginArray()
    if let shown = share.shown { for row in shown { try level.write(row, to: &writer) } }
    writer.endArray()
    if share.more {
      writer.key(navigation.nextKey)
      writer.string(next, around: id)
    }
  }
}

/// One page of entities.
struct STAPage: Sendable {
  let level: STALevel
  /// The entities it shows.
  let rows: Slice<Rows>?
  /// Whether more follow.
  let more: Bool
  /// How many there are in all, where asked.
  let count: Int?

  /// How many entities it shows.
  var shown: Int { rows?.count ?? 0 }

  /// - Parameters:
  ///   - root: `https://host/sensors/v1.1`.
  ///   - next: the address of the next page, written where more follow.
  func json(root: String, next: @autoclosure () -> String) throws -> [UInt8] {
    // About what a datastream with its latest reading takes: growing would copy it all.
    var writer = JSONWriter(capacity: 768 * (shown + 1) * (level.expanded.count + 1))
    writer.beginObject()
    if let count {
      writer.key("@iot.count")
      writer.int(count)
    }
    writer.key("value")
    writer.beginArray()
    if let rows {
      if level.form.isDataArray { try level.form.writeDataArrays(rows, root: root, to: &writer) } else { for row in rows { try level.write(row, to: &writer) } }
    }
    writer.endArray()
    // A page of nothing ($top=0, which asks for the count alone) would lead to itself.
    if more, shown > 0 {
      writer.key("@iot.nextLink")
      writer.string(next())
    }
    writer.endObject()
    return writer.bytes
  }
}

/// One entity that was asked for alone.
struct STAFound: Sendable {
  let level: STALevel
  let row: Row
  let id: Int64

  func json() throws -> [UInt8] {
    var writer = JSONWriter(capacity: 1_024)
    try level.write(row, to: &writer)
    return writer.bytes
  }

  /// The value of the property that alone was selected, as JSON; nil where it is absent.
  func value(of property: STAProperty) throws -> [UInt8]? {
    if property.name == "id" { return Array(String(id).utf8) }
    var (key, writer) = (JSONWriter(), JSONWriter())
    key.key(property.key)
    try level.form.writeProperties(row, to: &writer)
    return writer.bytes.isEmpty ? nil : Array(writer.bytes.dropFirst(key.bytes.count))
  }
}
