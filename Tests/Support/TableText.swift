public import EventSourcing
public import Postgres

/// What a table holds, row by row as text in the order of its key: what `COPY (... ORDER BY key)` would write.
public func text(of table: ProjectionTable, in pool: PostgresPool) async throws -> [String] {
  let order = table.key.map { "\"\($0)\"" }.joined(separator: ", ")
  return try await pool.query("select t::text from \(identifier: table.name) t order by \(unsafe: order)").map { row throws in
    try row.value(String.self, at: 0)
  }
}

/// Which tables stand behind the names: other numbers after a swap.
public func identities(of tables: [ProjectionTable], in pool: PostgresPool) async throws -> [Int64] {
  try await pool.query("select to_regclass(name)::oid::bigint from unnest(\(tables.map(\.name))) with ordinality as t(name, number) order by number").map {
    row throws in try row.value(Int64.self, at: 0)
  }
}
