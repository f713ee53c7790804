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
    try checkFormat(query, of: type, isOne: false)
    // Nothing is shown where nothing is asked for: then it is counted whether something would follow.
    var level = STALevel(form: try STAForm(type, query.limit == 0 ? STAQuery() : query, root: root))
    let found = query.limit == 0 ? nil : try await rows(level.form, scope, query)
    let more = if let found { found.count > query.limit } else { try await count(type, scope, query) > query.skip }
    let shown = found.map { $0.prefix(query.limit) }
    let count = query.count ? try await count(type, scope, query) : nil
    try await expand(&level, query.expand.isEmpty ? [] : try shown?.map(level.form.id) ?? [], query)
    return STAPage(level: level, rows: shown, more: more, count: count)
  }

  /// One entity, nil where it is not there or may not be seen.
  func entity(_ type: STAEntityType, _ scope: Scope, _ query: STAQuery) async throws -> STAFound? {
    try checkExpands(query)
    try checkFormat(query, of: type, isOne: true)
    var single = query
    single.top = 1
    var level = STALevel(form: try STAForm(type, query, root: root))
    let row = try await rows(level.form, scope, single).first
    let id = try row.map(level.form.id)
    try await expand(&level, id.map { [$0] } ?? [], query)
    guard let row, let id else { return nil }
    return STAFound(level: level, row: row, id: id)
  }

  // MARK: - One level

  /// One row more than wanted tells that more follow.
  private func rows(_ form: STAForm, _ scope: Scope, _ query: STAQuery) async throws -> Rows {
    let type = form.type
    var navigation: STANavigation?
    if case .reached(_, _, let way) = scope { navigation = way }
    let condition = try condition(type, scope, query)
    let end = Self.order(try keys(query, type, within: navigation)) + Self.limit(query.limit, skip: query.skip)
    func select(_ recent: SQL) -> SQL {
      "select \(unsafe: form.columns)t.id\(unsafe: query.isDataArray ? ", t.datastream_id" : "") from \(identifier: type.table) t where \(condition)\(recent)\(end)"
    }
    if let recent = Self.recent(query, navigation) {
      let rows = try await pool.query(select(recent))
      if rows.count > query.limit { return rows }
    }
    return try await pool.query(select(""))
  }

  /// Where the latest are wanted, the condition that those meet that are recent: nearly always they suffice, and then the database opens their partitions
  /// alone, and not those of all the years. With a filter nobody knows how many that are.
  private static func recent(_ query: STAQuery, _ navigation: STANavigation?) -> SQL? {
    guard let navigation, let column = navigation.partitionedBy, query.filter == nil, let order = query.orderBy.first, order.descending,
      case .path(let names, _) = order.expression, names == [navigation.siblingKey]
    else { return nil }
    return " and \(unsafe: column.of("t")) >= \(Instant.now() - .seconds(40 * 86_400))"
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
  /// and each text is a prepared statement of its own. What is wanted where nothing is asked has one.
  private static func limit(_ wanted: Int, skip: Int) -> SQL {
    var rounded = wanted == STAQuery.defaultTop ? wanted + 1 : 2
    while rounded <= wanted { rounded *= 2 }
    return skip == 0 ? " limit \(unsafe: String(rounded))" : " limit \(unsafe: String(rounded)) offset \(skip)"
  }

  private struct Key {
    let sql: SQL
    let direction: String
  }

  /// Ends with the id, so that pages neither overlap nor leave anything out; but where a key already tells siblings apart, an index has it as it is.
  private func keys(_ query: STAQuery, _ type: STAEntityType, within navigation: STANavigation?) throws(STAQueryError) -> [Key] {
    var keys: [Key] = []
    for (index, order) in query.orderBy.enumerated() {
      var compiler = STACompiler(model: model, viewer: viewer, option: "$orderby")
      // With "nulls last" no index serves; it is said only where there can be nulls.
      var direction = order.descending ? "desc nulls last" : "asc nulls first"
      if case .path(let names, _) = order.expression, names.count == 1, names[0].hasSuffix("id") || type.property(names[0])?.isRequired == true {
        direction = order.descending ? "desc" : "asc"
      }
      let key = try compiler.key(order.expression, of: type, alias: "t")
      if index == 0, case .path(let names, _) = order.expression, let navigation, names == [navigation.siblingKey] {
        return [Key(sql: key, direction: direction)]
      }
      // Whole objects have no order of their own: that of their texts is one that clients can follow (the conformance suite does). What lies within a
      // property keeps the order of numbers.
      if case .path(let names, _) = order.expression, names.count == 1, type.property(names[0])?.kind == .json {
        keys.append(Key(sql: "(\(key))::text collate \"C\"", direction: direction))
      } else {
        keys.append(Key(sql: key, direction: direction))
      }
    }
    return keys + [Key(sql: "t.id", direction: "asc")]
  }

  private static func order(_ keys: [Key]) -> SQL {
    keys.dropFirst().reduce(" order by \(keys[0].sql) \(unsafe: keys[0].direction)") { $0 + ", \($1.sql) \(unsafe: $1.direction)" }
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

  private func checkFormat(_ query: STAQuery, of type: STAEntityType, isOne: Bool) throws(STAQueryError) {
    guard query.isDataArray else { return }
    if !isOne, type.name == STAEntityType.observation.name, query.expand.isEmpty, !query.isReference { return }
    throw STAQueryError(
      option: "$resultFormat", position: 1, problem: "dataArray is for rows of observations", expected: "the address of Observations, without $expand or $ref")
  }

  private func expand(_ level: inout STALevel, _ ids: [Int64], _ query: STAQuery) async throws {
    let type = level.form.type
    for expand in query.expand {
      guard let navigation = type.navigation(expand.navigation.text), let target = model.target(of: navigation) else {
        let names = type.navigations.map(\.name)
        throw STAQueryError(
          option: "$expand", position: expand.navigation.position, problem: "a \(type.name) has no \(expand.navigation.text)",
          expected: nearestName(to: expand.navigation.text, among: names) ?? "one of \(names.joined(separator: ", "))")
      }
      var expansion = try await expansion(of: Array(Set(ids)), type, navigation, target, expand.query)
      // The next level is read for all of them at once.
      if !expand.query.expand.isEmpty { try await self.expand(&expansion.level, try expansion.ids(), expand.query) }
      level.expanded.append(expansion)
    }
  }

  private func expansion(
    of ids: [Int64], _ type: STAEntityType, _ navigation: STANavigation, _ target: STAEntityType, _ query: STAQuery
  ) async throws -> STAExpansion {
    let address = "\(root)/\(type.set)("
    guard !ids.isEmpty else {
      return STAExpansion(navigation, query, from: address, limit: 0, level: STALevel(form: try STAForm(target, STAQuery(), root: root)))
    }
    let form = try STAForm(target, query, root: root)
    let limit = navigation.isMany ? min(query.limit, max(1, Self.maximumExpanded / ids.count)) : 1
    let condition = try filtered(viewer.condition(target, alias: "t", reachedBy: navigation), target, query)
    let keys = try keys(query, target, within: navigation)
    let end = Self.order(keys) + Self.limit(limit, skip: query.skip)
    var expansion = STAExpansion(navigation, query, from: address, limit: limit, level: STALevel(form: form))
    func deal(_ ids: [Int64], _ recent: SQL) async throws {
      // A lateral join reads each parent's first entities by its index, and never the rest. They come as they are read; that their keys stand in the
      // order too costs next to nothing, and makes it certain.
      var sql: SQL = "select c.*, p.id from "
      // Only where the parent's row names the other must it be read.
      if navigation.isMany { sql += "unnest(\(ids)) with ordinality as p (id, place)" } else { sql += "\(identifier: type.table) p" }
      sql += " cross join lateral (select \(unsafe: form.columns)t.id as entity_id"
      for (number, key) in keys.enumerated() { sql += ", \(key.sql) as k\(unsafe: String(number))" }
      sql += " from \(identifier: target.table) t where \(unsafe: navigation.join(this: "p", other: "t")) and \(condition)\(recent)\(end)) c"
      sql += navigation.isMany ? " order by p.place" : " where p.id = any(\(ids)) order by p.id"
      for (number, key) in keys.enumerated() { sql += ", c.k\(unsafe: String(number)) \(unsafe: key.direction)" }
      try expansion.deal(try await pool.query(sql), parent: form.width + 1 + keys.count, limit: limit)
    }
    if let recent = Self.recent(query, navigation) {
      try await deal(ids, recent)
      // Of whose there are no more than are shown, there may be earlier ones.
      let others = ids.filter { expansion.shares[$0]?.more != true }
      if !others.isEmpty { try await deal(others, "") }
    } else {
      try await deal(ids, "")
    }
    if query.count, navigation.isMany {
      var counting: SQL = "select p.id, count(t.id) from \(identifier: type.table) p join \(identifier: target.table) t"
      counting += " on \(unsafe: navigation.join(this: "p", other: "t")) where p.id = any(\(ids)) and \(condition) group by p.id"
      for id in ids { expansion.shares[id, default: .init()].count = 0 }
      for row in try await pool.query(counting) {
        let (parent, count) = try row.decode(Int64.self, Int64.self)
        expansion.shares[parent]?.count = Int(count)
      }
    }
    return expansion
  }
}
