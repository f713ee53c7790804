import JSON
import Postgres
import Time

/// How the entities of one type are written as a query asks: made once for a page, with everything in it that is the same for each entity.
struct STAForm: Sendable {
  let type: STAEntityType
  private let cells: [STACell]
  private let showsID: Bool
  /// Whether only the entity's own link is shown.
  private let isReference: Bool
  private let selfLink: JSONFrame
  private let links: [Link]
  /// The columns that are read of a row, each followed by a comma, so that the id can come last. The table's alias is `t`.
  let columns: String
  /// How many those are: the number of the column with the id.
  let width: Int

  private struct Link {
    let name: String
    /// As it is written where it is not expanded; nil where it is not shown.
    let shown: (key: JSONKey, address: JSONFrame)?
  }

  /// - Parameter root: `https://host/sensors/v1.1`, which links begin with.
  init(_ type: STAEntityType, _ query: STAQuery, root: String) throws(STAQueryError) {
    self.type = type
    isReference = query.isReference
    let names = try isReference ? [] : query.select.map { (select) throws(STAQueryError) in try Self.names(select, of: type) }
    let properties = names.map { names in type.properties.filter { names.contains($0.name) } } ?? type.properties
    showsID = names.map { !$0.isDisjoint(with: ["id", "@iot.id", "@iot.selfLink"]) } ?? true
    (cells, columns) = names == nil ? (type.cells, type.columns) : STACell.of(properties)
    width = cells.reduce(0) { $0 + $1.width }
    let address = "\(root)/\(type.set)("
    selfLink = JSONFrame(before: address, after: ")")
    links = type.navigations.map { navigation in
      let isShown = names?.contains(navigation.name) ?? true
      return Link(
        name: navigation.name, shown: isShown ? (navigation.linkKey, JSONFrame(before: address, after: ")/\(navigation.name)")) : nil)
    }
  }

  private static func names(_ select: [STAName], of type: STAEntityType) throws(STAQueryError) -> Set<String> {
    let known = Set(type.names + ["id", "@iot.selfLink"])
    for name in select where !known.contains(name.text) {
      throw STAQueryError(
        option: "$select", position: name.position, problem: "a \(type.name) has no \(name.text)",
        expected: nearestName(to: name.text, among: type.names) ?? "one of \(type.names.joined(separator: ", "))")
    }
    return Set(select.map(\.text))
  }

  func id(_ row: Row) throws -> Int64 { try row.value(at: width) }

  /// Writes the members that show an entity's properties.
  func writeProperties(_ row: Row, to writer: inout JSONWriter) throws {
    var column = 0
    for cell in cells {
      try cell.write(row, column: column, to: &writer)
      column += cell.width
    }
  }

  /// Writes an entity: its id, what `properties` writes, and its links, expanded where `expanded` has what they lead to.
  func write(
    id: Int64, to writer: inout JSONWriter, expanded: [STAExpansion] = [], properties: (inout JSONWriter) throws -> Void
  ) throws {
    writer.beginObject()
    if showsID, !isReference {
      writer.key("@iot.id")
      writer.int(id)
    }
    if showsID || isReference {
      writer.key("@iot.selfLink")
      writer.string(selfLink, around: id)
    }
    try properties(&writer)
    for link in links {
      if !expanded.isEmpty, let expansion = expanded.first(where: { $0.navigation.name == link.name }) {
        try expansion.write(of: id, to: &writer)
      } else if let (key, address) = link.shown {
        writer.key(key)
        writer.string(address, around: id)
      }
    }
    writer.endObject()
  }
}

/// How one property is written from the columns that hold it.
struct STACell: Sendable {
  private let key: JSONKey
  private let value: Value
  private let writesNull: Bool
  /// How many columns it takes.
  let width: Int

  private enum Value {
    case text, int, number, bool, instant, json, span, result, null
    case either(String, or: String)
  }

  private init(_ property: STAProperty) {
    key = property.key
    writesNull = property.writesNull
    width = property.read.count
    value =
      switch (property.shown, property.kind) {
      case (.span, _): .span
      case (.result, _): .result
      case (.either(_, let yes, let no), _): .either(yes, or: no)
      case (nil, .text), (nil, .geometry), (nil, .duration), (nil, .interval): .text
      case (nil, .int): .int
      case (nil, .number): .number
      case (nil, .bool): .bool
      case (nil, .instant): .instant
      case (nil, .json), (nil, .result): .json
      case (nil, .null): .null
      }
  }

  /// The cells of properties, and what is selected to fill them.
  static func of(_ properties: [STAProperty]) -> (cells: [STACell], columns: String) {
    let columns = properties.flatMap(\.read).enumerated().map { "\($0.element.of("t")) as p\($0.offset), " }
    return (properties.map(STACell.init), columns.joined())
  }

  /// Writes the member; nothing where the value is absent and left out.
  fileprivate func write(_ row: Row, column: Int, to writer: inout JSONWriter) throws {
    if case .result = value {
      // Any of its columns may hold it.
    } else if row.isNull(at: column) {
      guard writesNull else { return }
      writer.key(key)
      return writer.null()
    }
    writer.key(key)
    switch value {
    case .text: try row.withText(at: column) { writer.string(utf8: $0) }
    case .int: writer.int(try row.value(Int64.self, at: column))
    case .number: writer.double(try row.value(at: column))
    case .bool: writer.bool(try row.value(at: column))
    case .instant: writer.instant(try row.value(at: column))
    case .json: try row.withText(at: column) { writer.raw($0) }
    case .null: writer.null()
    case .either(let yes, let no): writer.string(try row.value(at: column) ? yes : no)
    case .span:
      let from = try row.value(Instant.self, at: column)
      if let to = try row.value(Instant?.self, at: column + 1) { writer.string("\(from)/\(to)") } else { writer.instant(from) }
    case .result:
      if let number = try row.value(Double?.self, at: column) {
        writer.double(number)
      } else if let truth = try row.value(Bool?.self, at: column + 1) {
        writer.bool(truth)
      } else if try row.withText(at: column + 2, { writer.string(utf8: $0) }) == nil, try row.withText(at: column + 3, { writer.raw($0) }) == nil {
        writer.null()
      }
    }
  }
}
