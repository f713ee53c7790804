public import Postgres

/// How a live table differs from the one built beside it.
public struct TableDifference: Sendable, Hashable, CustomStringConvertible {
  public let table: String
  /// Rows that the live table lacks, has beyond, or has with another content.
  public let missing: Int64
  public let extra: Int64
  public let differing: Int64
  /// The first keys, in their order.
  public let examples: [String]

  public var description: String {
    let counts = [(missing, "missing"), (extra, "too many"), (differing, "with other content")].filter { $0.0 > 0 }
    return "\(table): " + counts.map { "\($0.0) rows \($0.1)" }.joined(separator: ", ") + "; the first keys: " + examples.joined(separator: ", ")
  }
}

/// Compares tables row by row, as text: sums that are equal and written differently are different, as in `COPY (... ORDER BY key)`.
public enum TableComparison {
  private static let examples: Int64 = 5

  /// - Parameters:
  ///   - live: what the live table, or its copy, is called.
  ///   - rebuilt: what the one to compare with is called.
  /// - Returns: nil where nothing differs.
  public static func compare(
    _ table: ProjectionTable, live: String, with rebuilt: String, on connection: isolated PostgresConnection
  ) throws -> TableDifference? {
    let key = table.key.map { "\"\($0)\"" }.joined(separator: ", ")
    let differing: SQL = """
      select concat_ws('/', \(unsafe: key)) as name, row(\(unsafe: key)) as place, l.body is null as missing, r.body is null as extra
      from (select \(unsafe: key), t::text as body from \(identifier: live) t) l
      full join (select \(unsafe: key), t::text as body from \(identifier: rebuilt) t) r using (\(unsafe: key)) where l.body is distinct from r.body
      """
    let counts = try connection.query(
      """
      select count(*) filter (where missing), count(*) filter (where extra), count(*) filter (where not missing and not extra)
      from (\(differing)) differing
      """)
    let (missing, extra, other) = try counts[0].decode(Int64.self, Int64.self, Int64.self)
    if missing + extra + other == 0 { return nil }
    let names = try connection.query("select name from (\(differing)) differing order by place limit \(examples)").map { row throws in
      try row.value(String.self, at: 0)
    }
    return TableDifference(table: table.name, missing: missing, extra: extra, differing: other, examples: names)
  }
}
