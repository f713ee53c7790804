public import Postgres

/// The tables a replay builds beside the live ones, in a schema of their own.
public struct ReplayTables: Sendable {
  public let schema: String
  public let tables: [ProjectionTable]

  public init(schema: String, tables: [ProjectionTable]) {
    self.schema = schema
    self.tables = tables
  }

  /// What they are called while they are built.
  public var names: TableNames { TableNames(schema: schema) }

  /// Makes empty copies with all columns, defaults, checks and indexes, in place of what an earlier replay left behind.
  public func create(on connection: isolated PostgresConnection) throws {
    try drop(on: connection)
    try connection.execute("create schema \(identifier: schema)")
    for table in tables {
      try check(table.name, on: connection)
      try connection.execute("create table \(identifier: names.name(table.name)) (like \(identifier: table.name) including all)")
    }
  }

  /// Removes everything that was built.
  public func drop(on connection: isolated PostgresConnection) throws {
    try connection.execute("drop schema if exists \(identifier: schema) cascade")
  }

  /// Puts the new tables in the place of the old, with the old names of their indexes and the old grants, and drops the old.
  public func swap(on connection: isolated PostgresConnection) throws {
    // Else the planner would know nothing of them until somebody's vacuum comes by.
    for table in tables { try connection.execute("analyze \(identifier: names.name(table.name))") }
    for table in tables {
      guard let live = try connection.query("select relnamespace::regnamespace::text from pg_class where oid = to_regclass(\(table.name))").first
      else { throw ReplayRefusal.noSuchTable(table.name) }
      let home = try live.value(String.self, at: 0)
      let fresh = names.name(table.name)
      let names = try indexNames(table.name, fresh, on: connection)
      try copyGrants(from: table.name, to: fresh, on: connection)
      try connection.execute("drop table \(identifier: table.name)")
      // By way of names that nobody has, since one's old name may be another's new one.
      for (index, name) in names.enumerated() {
        try connection.execute("alter index \(identifier: "\(schema).\(name.fresh)") rename to \(identifier: "swapped_\(index)")")
      }
      for (index, name) in names.enumerated() {
        try connection.execute("alter index \(identifier: "\(schema).swapped_\(index)") rename to \(identifier: name.live)")
      }
      try connection.execute("alter table \(identifier: fresh) set schema \(unsafe: home)")
    }
    try connection.execute("drop schema \(identifier: schema) cascade")
  }

  private func check(_ table: String, on connection: isolated PostgresConnection) throws {
    let rows = try connection.query(
      """
      select (select count(*) from pg_trigger where tgrelid = c.oid and not tgisinternal),
        (select count(*) from pg_constraint where contype = 'f' and (conrelid = c.oid or confrelid = c.oid))
      from pg_class c where c.oid = to_regclass(\(table))
      """)
    guard let row = rows.first else { throw ReplayRefusal.noSuchTable(table) }
    let (triggers, foreignKeys) = try row.decode(Int64.self, Int64.self)
    if triggers > 0 { throw ReplayRefusal.tableHasMore(table: table, what: "a trigger") }
    if foreignKeys > 0 { throw ReplayRefusal.tableHasMore(table: table, what: "a foreign key") }
  }

  /// Which index of the copy is which of the original: by what they index, since the copy's names are made up.
  private func indexNames(_ live: String, _ fresh: String, on connection: isolated PostgresConnection) throws -> [(live: String, fresh: String)] {
    let (old, new) = (try definitions(live, on: connection), try definitions(fresh, on: connection))
    guard old.map(\.definition) == new.map(\.definition) else { throw ReplayRefusal.tableHasMore(table: live, what: "an index that its copy lacks") }
    return zip(old, new).map { (live: $0.name, fresh: $1.name) }
  }

  private func definitions(_ table: String, on connection: isolated PostgresConnection) throws -> [(name: String, definition: String)] {
    try connection.query(
      """
      select c.relname::text, i.indisprimary::text || regexp_replace(pg_get_indexdef(i.indexrelid), 'INDEX .* ON .* USING', 'USING') as definition
      from pg_index i join pg_class c on c.oid = i.indexrelid where i.indrelid = to_regclass(\(table)) order by definition, c.relname
      """
    ).map { row throws in
      let (name, definition) = try row.decode(String.self, String.self)
      return (name: name, definition: definition)
    }
  }

  private func copyGrants(from live: String, to fresh: String, on connection: isolated PostgresConnection) throws {
    let grants = try connection.query(
      """
      select privilege_type::text, case grantee when 0 then 'public' else quote_ident(pg_get_userbyid(grantee)) end
      from pg_class c, aclexplode(c.relacl) where c.oid = to_regclass(\(live)) and grantee <> c.relowner
      """)
    for grant in grants {
      let (privilege, role) = try grant.decode(String.self, String.self)
      try connection.execute("grant \(unsafe: privilege) on \(identifier: fresh) to \(unsafe: role)")
    }
  }
}
