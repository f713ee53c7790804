import JSON
import Postgres
import Time

/// Turns expressions of a query into SQL with bound parameters. Names become columns only through the tables of `STAEntityType`.
struct STACompiler {
  let model: STAModel
  let viewer: STAViewer
  let option: String
  private var aliases = 0
  /// Tables that a navigation path within the current predicate leads through, and how they join.
  private var steps: [(table: String, alias: String, join: SQL)] = []

  init(model: STAModel, viewer: STAViewer, option: String) {
    self.model = model
    self.viewer = viewer
    self.option = option
  }

  /// A value in SQL and what it is.
  struct Operand {
    var sql: SQL
    var kind: STAKind
    var position: Int
  }

  /// SQL that is true for the entities a `$filter` wants.
  mutating func predicate(_ expression: STAExpression, of type: STAEntityType, alias: String) throws(STAQueryError) -> SQL {
    switch expression {
    case .and(let left, let right):
      return "(\(try predicate(left, of: type, alias: alias)) and \(try predicate(right, of: type, alias: alias)))"
    case .or(let left, let right):
      return "(\(try predicate(left, of: type, alias: alias)) or \(try predicate(right, of: type, alias: alias)))"
    case .not(let inner):
      return "(not \(try predicate(inner, of: type, alias: alias)))"
    default:
      let before = steps
      steps = []
      let condition = try simplePredicate(expression, of: type, alias: alias)
      let reached = steps
      steps = before
      guard let first = reached.first else { return condition }
      var sql: SQL = "exists (select 1 from \(identifier: first.table) \(unsafe: first.alias)"
      for step in reached.dropFirst() { sql += ", \(identifier: step.table) \(unsafe: step.alias)" }
      sql += " where \(condition)"
      for step in reached { sql += " and \(step.join)" }
      return sql + ")"
    }
  }

  /// SQL to sort by.
  mutating func key(_ expression: STAExpression, of type: STAEntityType, alias: String) throws(STAQueryError) -> SQL {
    let before = steps
    steps = []
    var operand = try self.operand(expression, of: type, alias: alias)
    if case .result(let number, _, _) = operand.kind {
      operand.sql = "\(unsafe: number)"
    }
    let reached = steps
    steps = before
    guard let first = reached.first else { return operand.sql }
    var sql: SQL = "(select \(operand.sql) from \(identifier: first.table) \(unsafe: first.alias)"
    for step in reached.dropFirst() { sql += ", \(identifier: step.table) \(unsafe: step.alias)" }
    sql += " where true"
    for step in reached { sql += " and \(step.join)" }
    return sql + " order by 1 limit 1)"
  }

  private mutating func simplePredicate(_ expression: STAExpression, of type: STAEntityType, alias: String) throws(STAQueryError) -> SQL {
    if case .comparison(let comparison, let left, let right) = expression {
      let left = try operand(left, of: type, alias: alias)
      let right = try operand(right, of: type, alias: alias)
      return try compare(comparison, left, right)
    }
    let value = try operand(expression, of: type, alias: alias)
    switch value.kind {
    case .bool: return value.sql
    case .result(_, _, let bool): return "\(unsafe: bool)"
    case .json: return "(\(value.sql) = 'true'::jsonb)"
    default: throw error(value.position, "is \(value.kind.words)", "something true or false, as name eq 'x'")
    }
  }

  // MARK: - Operands

  mutating func operand(_ expression: STAExpression, of type: STAEntityType, alias: String) throws(STAQueryError) -> Operand {
    switch expression {
    case .literal(let literal):
      return Self.literal(literal)
    case .path(let names, let position):
      return try path(names[...], of: type, alias: alias, position: position)
    case .arithmetic(let operation, let left, let right):
      return try arithmetic(operation, operand(left, of: type, alias: alias), operand(right, of: type, alias: alias))
    case .call(let name, let arguments, let position):
      var operands: [Operand] = []
      for argument in arguments { operands.append(try operand(argument, of: type, alias: alias)) }
      return try STAFunctions(option: option).call(name, operands, position: position)
    case .and, .or, .not, .comparison:
      return Operand(sql: try predicate(expression, of: type, alias: alias), kind: .bool, position: 1)
    }
  }

  private static func literal(_ literal: STALiteral) -> Operand {
    switch literal {
    case .null: Operand(sql: "null", kind: .null, position: 1)
    case .bool(let value): Operand(sql: "\(value)", kind: .bool, position: 1)
    case .int(let value): Operand(sql: "\(value)", kind: .int, position: 1)
    case .number(let value): Operand(sql: "\(value)", kind: .number, position: 1)
    case .string(let value): Operand(sql: "\(value)", kind: .text, position: 1)
    case .instant(let value): Operand(sql: "\(value)", kind: .instant, position: 1)
    case .interval(let from, let to): Operand(sql: "tstzrange(\(from), \(to))", kind: .interval, position: 1)
    case .duration(let seconds): Operand(sql: "make_interval(secs => \(seconds))", kind: .duration, position: 1)
    case .geography(let text): Operand(sql: "\(text)", kind: .geometry, position: 1)
    }
  }

  private mutating func path(_ names: ArraySlice<String>, of type: STAEntityType, alias: String, position: Int) throws(STAQueryError) -> Operand {
    guard let name = names.first else { throw error(position, "is empty", "a property's name") }
    let rest = names.dropFirst()
    if name == "id" || name == "@iot.id", rest.isEmpty { return Operand(sql: "\(unsafe: alias).id", kind: .int, position: position) }
    if let property = type.property(name) {
      let column: SQL = "\(unsafe: property.column.of(alias))"
      if rest.isEmpty { return Operand(sql: column, kind: property.kind.aliased(alias), position: position) }
      guard property.kind == .json else { throw error(position, "\(name) has no parts", name) }
      return Operand(sql: "(\(column) #> \(Array(rest)))", kind: .json, position: position)
    }
    guard let navigation = type.navigation(name), let target = model.target(of: navigation) else {
      let near = nearestName(to: name, among: type.names)
      throw error(position, "a \(type.name) has no \(name)", near ?? "one of \(type.names.joined(separator: ", "))")
    }
    guard !rest.isEmpty else { throw error(position, "\(name) is an entity", "one of its properties, as \(name)/name") }
    guard steps.count < 8 else { throw error(position, "goes over too many entities", "a shorter path") }
    aliases += 1
    let next = "n\(aliases)"
    let join: SQL = "\(unsafe: navigation.join(this: alias, other: next)) and \(viewer.condition(target, alias: next))"
    steps.append((target.table, next, join))
    return try path(rest, of: target, alias: next, position: position + name.count + 1)
  }

  // MARK: - Operators

  private func arithmetic(_ operation: STAArithmetic, _ left: Operand, _ right: Operand) throws(STAQueryError) -> Operand {
    let position = max(left.position, right.position)
    if left.kind == .instant, right.kind == .duration, operation == .add || operation == .sub {
      return Operand(sql: "(\(left.sql) \(unsafe: operation == .add ? "+" : "-") \(right.sql))", kind: .instant, position: position)
    }
    let a = try number(left)
    let b = try number(right)
    // Whole numbers are divided as numbers too: 5 div 2 is 2.5. Nothing divides by zero: the row is just not wanted.
    switch operation {
    case .add: return Operand(sql: "(\(a) + \(b))", kind: .number, position: position)
    case .sub: return Operand(sql: "(\(a) - \(b))", kind: .number, position: position)
    case .mul: return Operand(sql: "(\(a) * \(b))", kind: .number, position: position)
    case .div: return Operand(sql: "(\(a) / nullif(\(b), 0))", kind: .number, position: position)
    case .mod: return Operand(sql: "mod((\(a))::numeric, nullif((\(b))::numeric, 0))::double precision", kind: .number, position: position)
    }
  }

  private func number(_ operand: Operand) throws(STAQueryError) -> SQL {
    guard let sql = operand.asNumber else { throw error(operand.position, "is \(operand.kind.words)", "a number") }
    return sql
  }

  private func compare(_ comparison: STAComparison, _ left: Operand, _ right: Operand) throws(STAQueryError) -> SQL {
    if left.kind == .null || right.kind == .null { return try compareNull(comparison, left, right) }
    let sign = comparison.sql
    if left.kind == .interval || right.kind == .interval { return try compareInterval(comparison, left, right) }
    if left.kind == .int, right.kind == .int { return "(\(left.sql) \(unsafe: sign) \(right.sql))" }
    if left.kind == .instant || right.kind == .instant {
      guard left.kind == .instant, right.kind == .instant else { throw mismatch(left, right) }
      return "(\(left.sql) \(unsafe: sign) \(right.sql))"
    }
    // Texts first where either is certainly one, then truth values, then numbers: free JSON and results follow what they are compared with.
    if left.kind == .text || right.kind == .text {
      guard let a = left.asText, let b = right.asText else { throw mismatch(left, right) }
      return "(\(a) \(unsafe: sign) \(b))"
    }
    if left.kind == .bool || right.kind == .bool {
      guard let a = left.asBool, let b = right.asBool else { throw mismatch(left, right) }
      return "(\(a) \(unsafe: sign) \(b))"
    }
    if left.kind == .json, right.kind == .json { return "(\(left.sql) \(unsafe: sign) \(right.sql))" }
    guard let a = left.asNumber, let b = right.asNumber else { throw mismatch(left, right) }
    return "(\(a) \(unsafe: sign) \(b))"
  }

  private func compareNull(_ comparison: STAComparison, _ left: Operand, _ right: Operand) throws(STAQueryError) -> SQL {
    let other = left.kind == .null ? right : left
    let value: SQL = other.kind == .json ? "nullif(\(other.sql), 'null'::jsonb)" : other.sql
    switch comparison {
    case .eq: return other.kind == .null ? "true" : "(\(value) is null)"
    case .ne: return other.kind == .null ? "false" : "(\(value) is not null)"
    default: throw error(other.position, "is compared with null by \(comparison.rawValue)", "eq or ne before null")
    }
  }

  /// A time against a span: before, after or within it.
  private func compareInterval(_ comparison: STAComparison, _ left: Operand, _ right: Operand) throws(STAQueryError) -> SQL {
    switch (left.kind, right.kind, comparison) {
    case (.instant, .interval, .lt), (.instant, .interval, .le): return "(\(left.sql) < lower(\(right.sql)))"
    case (.instant, .interval, .gt), (.instant, .interval, .ge): return "(\(left.sql) >= upper(\(right.sql)))"
    case (.instant, .interval, .eq): return "(\(left.sql) <@ \(right.sql))"
    case (.instant, .interval, .ne): return "(not \(left.sql) <@ \(right.sql))"
    default: throw mismatch(left, right)
    }
  }

  private func mismatch(_ left: Operand, _ right: Operand) -> STAQueryError {
    error(max(left.position, right.position), "compares \(left.kind.words) with \(right.kind.words)", left.kind.words)
  }

  private func error(_ position: Int, _ problem: String, _ expected: String) -> STAQueryError {
    STAQueryError(option: option, position: position, problem: problem, expected: expected)
  }
}

extension STACompiler.Operand {
  /// The value as a double; JSON and results that are no numbers are null, and so never match.
  var asNumber: SQL? {
    switch kind {
    case .int, .number: "(\(sql))::double precision"
    case .json: "(case when jsonb_typeof(\(sql)) = 'number' then (\(sql))::double precision end)"
    case .result(let number, _, _): "\(unsafe: number)"
    default: nil
    }
  }

  var asText: SQL? {
    switch kind {
    case .text: sql
    case .json: "(case when jsonb_typeof(\(sql)) = 'string' then (\(sql)) #>> '{}' end)"
    case .result(_, let text, _): "\(unsafe: text)"
    default: nil
    }
  }

  var asBool: SQL? {
    switch kind {
    case .bool: sql
    case .json: "(case when jsonb_typeof(\(sql)) = 'boolean' then (\(sql))::boolean end)"
    case .result(_, _, let bool): "\(unsafe: bool)"
    default: nil
    }
  }
}

extension STAKind {
  fileprivate func aliased(_ alias: String) -> STAKind {
    guard case .result(let number, let text, let bool) = self else { return self }
    return .result(
      number: number.replacing("{t}", with: alias), text: text.replacing("{t}", with: alias), bool: bool.replacing("{t}", with: alias))
  }
}

extension STAComparison {
  var sql: String {
    switch self {
    case .eq: "="
    case .ne: "<>"
    case .gt: ">"
    case .ge: ">="
    case .lt: "<"
    case .le: "<="
    }
  }
}
