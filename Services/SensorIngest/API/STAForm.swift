import JSON
import Postgres
import Time

/// How the entities of one type are written as a query asks: made once for a page, with everything in it that is the same for each entity.
struct STAForm: Sendable {
  let type: STAEntityType
  private let cells: [STACell]
  private let showsID: Bool
  /// Whether rows are written, and not entities.
  let isDataArray: Bool
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
    isDataArray = query.isDataArray
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
    // Looked at in place: a copy of each would be counted, a thousand times a page.
    let cells = cells.span
    for index in cells.indices {
      try cells[index].write(row, column: column, to: &writer)
      column += cells[index].width
    }
  }

  /// Writes observations as the rows of data arrays (section 13.2), one for each datastream in the order in which they come first.
  /// - Parameter root: `https://host/sensors/v1.1`, which links begin with.
  func writeDataArrays(_ rows: Slice<Rows>, root: String, to writer: inout JSONWriter) throws {
    var places: [Int64: Int] = [:]
    var arrays: [(datastream: Int64, rows: [Row])] = []
    for row in rows {
      let datastream = try row.value(Int64.self, at: width + 1)
      if let place = places[datastream] {
        arrays[place].rows.append(row)
      } else {
        places[datastream] = arrays.count
        arrays.append((datastream, [row]))
      }
    }
    for array in arrays {
      writer.beginObject()
      writer.key("Datastream@iot.navigationLink")
      writer.string("\(root)/\(STAEntityType.datastream.set)(\(array.datastream))")
      writer.key("components")
      writer.beginArray()
      if showsID { writer.string("id") }
      for cell in cells { writer.string(cell.name) }
      writer.endArray()
      writer.key("dataArray@iot.count")
      writer.int(array.rows.count)
      writer.key("dataArray")
      writer.beginArray()
      for row in array.rows { try writeArray(row, to: &writer) }
      writer.endArray()
      writer.endObject()
    }
  }

  private func writeArray(_ row: Row, to writer: inout JSONWriter) throws {
    writer.beginArray()
    if showsID { writer.int(try id(row)) }
    var column = 0
    for cell in cells {
      try cell.write(row, column: column, isNamed: false, to: &writer)
      column += cell.width
    }
    writer.endArray()
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
  fileprivate let name: String
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
    name = property.name
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
  /// - Parameter isNamed: else the value alone, which is null where it is absent.
  fileprivate func write(_ row: Row, column: Int, isNamed: Bool = true, to writer: inout JSONWriter) throws {
    let key = isNamed ? key : nil
    switch value {
    case .text: if try row.withText(at: column, { writer.member(key, $0, isJSON: false) }) { return }
    case .json: if try row.withText(at: column, { writer.member(key, $0, isJSON: true) }) { return }
    case .int:
      if let number = try row.value(Int64?.self, at: column) {
        writer.key(key)
        return writer.int(number)
      }
    case .number:
      if let number = try row.value(Double?.self, at: column) {
        writer.key(key)
        return writer.double(number)
      }
    case .bool:
      if let truth = try row.value(Bool?.self, at: column) {
        writer.key(key)
        return writer.bool(truth)
      }
    case .either(let yes, let no):
      if let truth = try row.value(Bool?.self, at: column) {
        writer.key(key)
        return writer.string(truth ? yes : no)
      }
    case .instant:
      if let instant = try row.value(Instant?.self, at: column) {
        writer.key(key)
        return writer.instant(instant)
      }
    case .span:
      let from = try row.value(Instant.self, at: column)
      writer.key(key)
      if let to = try row.value(Instant?.self, at: column + 1) { writer.string("\(from)/\(to)") } else { writer.instant(from) }
      return
    case .result:
      if let number = try row.value(Double?.self, at: column) {
        writer.key(key)
        return writer.double(number)
      }
      if let truth = try row.value(Bool?.self, at: column + 1) {
        writer.key(key)
        return writer.bool(truth)
      }
      if try row.withText(at: column + 2, { writer.member(key, $0, isJSON: false) }) { return }
      if try row.withText(at: column + 3, { writer.member(key, $0, isJSON: true) }) { return }
      writer.key(key)
      return writer.null()
    case .null: break
    }
    guard writesNull || !isNamed else { return }
    writer.key(key)
    writer.null()
  }
}

extension JSONWriter {
  fileprivate mutating func key(_ key: JSONKey?) {
    if let key { self.key(key) }
  }

  fileprivate mutating func member(_ key: JSONKey?, _ text: Span<UInt8>, isJSON: Bool) {
    self.key(key)
    if isJSON { raw(text) } else { string(utf8: text) }
  }
}
