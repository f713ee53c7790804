import JSON
import Postgres
import Time

/// Reads entities as a query asks: one statement per level, whatever the number of entities (and one to count, where asked).
struct STAReader {
  let model: STAModel
  let pool: PostgresPool
  let viewer: STAViewer
  /// `https://host/sensors/v1.1`, which links begin with.
  let root: String

  /// At most so many expanded navigations in one request, over all levels.
  static let maximumExpands = 20
  /// At most so many entities in the levels below the first; each entity gets its share, at least one.
  static let maximumExpanded = 100_000

  /// Which entities of a type are wanted.
  enum Scope: Sendable {
    case all
    case id(Int64)
    /// Those that a navigation reaches from one entity of another type.
    case reached(from: STAEntityType, id: Int64, STANavigation)
  }

  /// One page of a collection.
  func page(_ type: STAEntityType, _ scope: Scope, _ query: STAQuery) async throws -> STAPage {
    try checkExpands(query)
    let found = try await rows(type, scope, query)
    var page = STAPage(entities: found.rows, more: found.more, count: nil)
    if query.count { page.count = try await count(type, scope, query) }
    page.entities = try await expand(page.entities, of: type, query)
    return page
  }

  /// One entity, nil where it is not there or may not be seen.
  func entity(_ type: STAEntityType, _ scope: Scope, _ query: STAQuery) async throws -> STAEntity? {
    try checkExpands(query)
    var single = query
    single.top = 1
    return try await expand(rows(type, scope, single).rows, of: type, query).first
  }

  // MARK: - One level

  private func rows(_ type: STAEntityType, _ scope: Scope, _ query: STAQuery) async throws -> (rows: [STAEntity], more: Bool) {
    if query.limit == 0 { return ([], try await count(type, scope, query) > query.skip) }
    let shape = try STAShape(type, query)
    var sql: SQL = "select \(shape.columns(alias: "t"))t.id from \(identifier: type.table) t where \(try condition(type, scope, query))"
    var navigation: STANavigation?
    if case .reached(_, _, let way) = scope { navigation = way }
    sql += " order by \(try order(query, type, within: navigation))\(Self.limit(query.limit, skip: query.skip))"
    let found = try await pool.query(sql)
    let width = shape.width
    var entities: [STAEntity] = []
    entities.reserveCapacity(found.count)
    for row in found.prefix(query.limit) { entities.append(try shape.entity(row, idColumn: width)) }
    return (entities, found.count > query.limit)
  }

  private func count(_ type: STAEntityType, _ scope: Scope, _ query: STAQuery) async throws -> Int {
    if let tally = tally(type, scope, query) { return Int(try await pool.query(tally)[0].value(Int64.self, at: 0)) }
    let rows = try await pool.query("select count(*) from \(identifier: type.table) t where \(try condition(type, scope, query))")
    return Int(try rows[0].value(Int64.self, at: 0))
  }

  /// How many observations there are in all, or of a datastream: the days count what is not withdrawn, in the transaction that stores it. Nil for what
  /// only the rows themselves can tell. Counting ten million rows takes a quarter of a second, and most of it again with each page.
  private func tally(_ type: STAEntityType, _ scope: Scope, _ query: STAQuery) -> SQL? {
    guard type.name == STAEntityType.observation.name, query.filter == nil else { return nil }
    var sql: SQL = "select coalesce(sum(d.readings), 0)::bigint from observation_days d join datastreams o on o.id = d.datastream_id"
    sql += " where \(viewer.condition(.datastream, alias: "o"))"
    switch scope {
    case .all: return sql
    case .reached(let from, let id, _) where from.name == STAEntityType.datastream.name: return sql + " and o.id = \(id)"
    default: return nil
    }
  }

  private func condition(_ type: STAEntityType, _ scope: Scope, _ query: STAQuery) throws(STAQueryError) -> SQL {
    var sql: SQL
    switch scope {
    case .all: sql = viewer.condition(type, alias: "t")
    case .id(let id): sql = "\(viewer.condition(type, alias: "t")) and t.id = \(id)"
    case .reached(let from, let id, let navigation):
      sql = viewer.condition(type, alias: "t", reachedBy: navigation)
      sql += " and exists (select 1 from \(identifier: from.table) o where o.id = \(id) and \(viewer.condition(from, alias: "o"))"
      // The id itself, so that the planner sees which rows of the index are meant.
      if case .children(let column) = navigation.link {
        sql += ") and t.\(unsafe: column) = \(id)"
      } else {
        sql += " and \(unsafe: navigation.join(this: "o", other: "t")))"
      }
    }
    return try filtered(sql, type, query)
  }

  private func filtered(_ sql: SQL, _ type: STAEntityType, _ query: STAQuery) throws(STAQueryError) -> SQL {
    guard let filter = query.filter else { return sql }
    var compiler = STACompiler(model: model, viewer: viewer, option: "$filter")
    return sql + " and \(try compiler.predicate(filter, of: type, alias: "t"))"
  }

  /// One more than wanted tells whether more follow. Rounded up, since it stands in the text: the server must know it to choose a plan that stops early,
  /// and each text is a prepared statement of its own.
  private static func limit(_ wanted: Int, skip: Int) -> SQL {
    var rounded = 2
    while rounded <= wanted { rounded *= 2 }
    return skip == 0 ? " limit \(unsafe: String(rounded))" : " limit \(unsafe: String(rounded)) offset \(skip)"
  }

  /// Ends with the id, so that pages neither overlap nor leave anything out; but where a key already tells siblings apart, an index has it as it is.
  private func order(_ query: STAQuery, _ type: STAEntityType, within navigation: STANavigation?) throws(STAQueryError) -> SQL {
    var sql: SQL = ""
    for (index, order) in query.orderBy.enumerated() {
      var compiler = STACompiler(model: model, viewer: viewer, option: "$orderby")
      // With "nulls last" no index serves; it is said only where there can be nulls.
      var direction = order.descending ? "desc nulls last" : "asc nulls first"
      if case .path(let names, _) = order.expression, names.count == 1, names[0].hasSuffix("id") || type.property(names[0])?.isRequired == true {
        direction = order.descending ? "desc" : "asc"
      }
      if index == 0, case .path(let names, _) = order.expression, let navigation, names == [navigation.siblingKey] {
        return "\(try compiler.key(order.expression, of: type, alias: "t")) \(unsafe: direction)"
      }
      let key = try compiler.key(order.expression, of: type, alias: "t")
      // Whole objects have no order of their own: that of their texts is one that clients can follow (the conformance suite does). What lies within a
      // property keeps the order of numbers.
      if case .path(let names, _) = order.expression, names.count == 1, type.property(names[0])?.kind == .json {
        sql += "(\(key))::text collate \"C\" \(unsafe: direction), "
      } else {
        sql += "\(key) \(unsafe: direction), "
      }
    }
    return sql + "t.id"
  }

  // MARK: - The levels below

  private func checkExpands(_ query: STAQuery) throws(STAQueryError) {
    var total = 0
    var queue = query.expand
    while let expand = queue.popLast() {
      total += 1
      if total > Self.maximumExpands {
        throw STAQueryError(
          option: "$expand", position: expand.navigation.position, problem: "names more than \(Self.maximumExpands) navigations",
          expected: "fewer, in several requests")
      }
      queue += expand.query.expand
    }
  }

  private func expand(_ entities: [STAEntity], of type: STAEntityType, _ query: STAQuery) async throws -> [STAEntity] {
    var entities = entities
    for expand in query.expand {
      guard let navigation = type.navigation(expand.navigation.text), let target = model.target(of: navigation) else {
        let names = type.navigations.map(\.name)
        throw STAQueryError(
          option: "$expand", position: expand.navigation.position, problem: "a \(type.name) has no \(expand.navigation.text)",
          expected: nearestName(to: expand.navigation.text, among: names) ?? "one of \(names.joined(separator: ", "))")
      }
      var below = try await children(of: entities, type, navigation, target, expand.query)
      if !expand.query.expand.isEmpty {
        // The next level is read for all of them at once, and dealt out again.
        var all = try await self.expand(below.values.flatMap(\.entities), of: target, expand.query)[...]
        for id in below.keys {
          guard var page = below[id] else { continue }
          let count = page.entities.count
          page.entities = Array(all.prefix(count))
          all = all.dropFirst(count)
          below[id] = page
        }
      }
      for index in entities.indices {
        entities[index].expanded.append(
          STAEntity.Expanded(navigation: navigation, target: target, query: expand.query, page: below[entities[index].id] ?? STAPage()))
      }
    }
    return entities
  }

  private func children(
    of parents: [STAEntity], _ type: STAEntityType, _ navigation: STANavigation, _ target: STAEntityType, _ query: STAQuery
  ) async throws -> [Int64: STAPage] {
    guard !parents.isEmpty else { return [:] }
    let ids = Array(Set(parents.map(\.id)))
    let limit = navigation.isMany ? min(query.limit, max(1, Self.maximumExpanded / ids.count)) : 1
    let shape = try STAShape(target, query)
    let condition = try filtered(viewer.condition(target, alias: "t", reachedBy: navigation), target, query)
    var pages: [Int64: STAPage] = [:]
    // A lateral join reads each parent's first entities by its index, and never the rest.
    var inner: SQL = "select \(shape.columns(alias: "t"))t.id as entity_id from \(identifier: target.table) t"
    inner += " where \(unsafe: navigation.join(this: "p", other: "t")) and \(condition) order by \(try order(query, target, within: navigation))"
    inner += Self.limit(limit, skip: query.skip)
    var sql: SQL = "select c.*, p.id as parent_id from \(identifier: type.table) p cross join lateral"
    sql += " (select i.*, row_number() over () as place from (\(inner)) i) c where p.id = any(\(ids)) order by p.id, c.place"
    let found = try await pool.query(sql)
    let columns = shape.width
    for row in found {
      let parent = try row.value(Int64.self, at: columns + 2)
      if pages[parent, default: STAPage()].entities.count == limit {
        pages[parent, default: STAPage()].more = true
      } else {
        pages[parent, default: STAPage()].entities.append(try shape.entity(row, idColumn: columns))
      }
    }
    if query.count, navigation.isMany {
      var counting: SQL = "select p.id, count(t.id) from \(identifier: type.table) p join \(identifier: target.table) t"
      counting += " on \(unsafe: navigation.join(this: "p", other: "t")) where p.id = any(\(ids)) and \(condition) group by p.id"
      for id in ids { pages[id, default: STAPage()].count = 0 }
      for row in try await pool.query(counting) {
        let (parent, count) = try row.decode(Int64.self, Int64.self)
        pages[parent, default: STAPage()].count = Int(count)
      }
    }
    return pages
  }
}

/// Which of a type's properties and links an answer shows.
struct STAShape {
  let type: STAEntityType
  let properties: [STAProperty]
  let showsID: Bool
  /// A navigation as it is written where it is not expanded: the key and what follows the entity's link. Without a key it is not shown.
  let links: [(name: String, key: String?, tail: String)]
  /// Whether only the entity's link is shown.
  let isReference: Bool

  init(_ type: STAEntityType, _ query: STAQuery) throws(STAQueryError) {
    self.type = type
    isReference = query.isReference
    if isReference {
      (properties, links, showsID) = ([], type.navigations.map { ($0.name, nil, "") }, false)
      return
    }
    guard let select = query.select else {
      properties = type.properties
      links = type.navigations.map { ($0.name, "\($0.name)@iot.navigationLink", "/\($0.name)") }
      showsID = true
      return
    }
    let known = Set(type.names + ["id", "@iot.selfLink"])
    for name in select where !known.contains(name.text) {
      throw STAQueryError(
        option: "$select", position: name.position, problem: "a \(type.name) has no \(name.text)",
        expected: nearestName(to: name.text, among: type.names) ?? "one of \(type.names.joined(separator: ", "))")
    }
    let names = Set(select.map(\.text))
    properties = type.properties.filter { names.contains($0.name) }
    links = type.navigations.map { ($0.name, names.contains($0.name) ? "\($0.name)@iot.navigationLink" : nil, "/\($0.name)") }
    showsID = !names.isDisjoint(with: ["id", "@iot.id", "@iot.selfLink"])
  }

  /// The selected columns, each followed by a comma, so that the id can come last.
  func columns(alias: String) -> SQL {
    let columns = properties.flatMap(\.columns).enumerated().map { "\($0.element.replacing("{t}", with: alias)) as p\($0.offset), " }
    return "\(unsafe: columns.joined())"
  }

  /// How many those are.
  var width: Int { properties.reduce(0) { $0 + $1.columns.count } }

  func entity(_ row: Row, idColumn: Int) throws -> STAEntity {
    var entity = STAEntity(type: type, id: try row.value(at: idColumn), shape: self)
    var column = 0
    for property in properties {
      try property.write(row, column: column, to: &entity.properties)
      column += property.columns.count
    }
    return entity
  }
}

extension STAProperty {
  /// What is read of a row to write it.
  fileprivate var columns: [String] { shown?.columns ?? [column] }

  /// Writes the member; nothing where the value is absent and left out.
  fileprivate func write(_ row: Row, column: Int, to writer: inout JSONWriter) throws {
    switch shown {
    case .span:
      let (from, to) = (try row.value(Instant.self, at: column), try row.value(Instant?.self, at: column + 1))
      writer.key(name: name)
      if let to { writer.string("\(from)/\(to)") } else { writer.instant(from) }
      return
    case .result:
      writer.key(name: name)
      if let number = try row.value(Double?.self, at: column) {
        writer.double(number)
      } else if let truth = try row.value(Bool?.self, at: column + 1) {
        writer.bool(truth)
      } else if let text = try row.value(String?.self, at: column + 2) {
        writer.string(text)
      } else if let json = try row.value(JSONText?.self, at: column + 3) {
        writer.raw(json.bytes)
      } else {
        writer.null()
      }
      return
    case nil: break
    }
    let isAbsent = row.withBytes(at: column) { $0 == nil }
    if isAbsent, !writesNull { return }
    writer.key(name: name)
    if isAbsent { return writer.null() }
    switch kind {
    case .text, .geometry, .duration, .interval: writer.string(try row.value(at: column))
    case .int: writer.int(try row.value(Int64.self, at: column))
    case .number: writer.double(try row.value(at: column))
    case .bool: writer.bool(try row.value(at: column))
    case .instant: writer.instant(try row.value(at: column))
    case .json, .result: writer.raw(try row.value(JSONText.self, at: column).bytes)
    case .null: writer.null()
    }
  }
}
