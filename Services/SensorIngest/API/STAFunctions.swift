import JSON
import Postgres

/// The functions of `$filter` and `$orderby` (OGC 18-088, section 9.3.3.5.2): texts, numbers and times. Those of geometry are not there yet.
struct STAFunctions {
  let option: String

  typealias Operand = STACompiler.Operand

  func call(_ name: String, _ arguments: [Operand], position: Int) throws(STAQueryError) -> Operand {
    guard let function = Self.functions[name] else {
      let near = nearestName(to: name, among: Array(Self.functions.keys))
      throw STAQueryError(
        option: option, position: position, problem: "there is no function \(name)",
        expected: near ?? "one of \(Self.functions.keys.sorted().joined(separator: ", "))")
    }
    let counts = function.parameters.count - function.optional...function.parameters.count
    guard counts.contains(arguments.count) else {
      throw STAQueryError(
        option: option, position: position, problem: "\(name) has \(arguments.count) arguments", expected: "\(function.parameters.count) of them")
    }
    var values: [SQL] = []
    for (argument, parameter) in zip(arguments, function.parameters) {
      guard let value = parameter.value(argument) else {
        throw STAQueryError(
          option: option, position: position, problem: "\(name) is given \(argument.kind.words)", expected: parameter.words)
      }
      values.append(value)
    }
    return Operand(sql: function.sql(values), kind: function.kind, position: position)
  }

  private enum Parameter: Sendable {
    case text, number, instant

    var words: String {
      switch self {
      case .text: "a text"
      case .number: "a number"
      case .instant: "a time"
      }
    }

    func value(_ operand: Operand) -> SQL? {
      switch self {
      case .text: operand.asText
      case .number: operand.asNumber
      case .instant: operand.kind == .instant ? operand.sql : nil
      }
    }
  }

  private struct Function: Sendable {
    let parameters: [Parameter]
    var optional = 0
    let kind: STAKind
    let sql: @Sendable ([SQL]) -> SQL
  }

  private static func text(_ count: Int, _ kind: STAKind, optional: Int = 0, _ sql: @escaping @Sendable ([SQL]) -> SQL) -> Function {
    Function(parameters: Array(repeating: .text, count: count), optional: optional, kind: kind, sql: sql)
  }

  private static func number(_ sql: @escaping @Sendable (SQL) -> SQL) -> Function {
    Function(parameters: [.number], kind: .number) { sql($0[0]) }
  }

  /// A part of a time, in UTC.
  private static func part(_ field: String) -> Function {
    Function(parameters: [.instant], kind: .int) { "floor(extract(\(unsafe: field) from \($0[0]) at time zone 'UTC'))::bigint" }
  }

  private static let functions: [String: Function] = [
    // strpos and starts_with know no wildcards, so no text needs escaping.
    "substringof": text(2, .bool) { "(strpos(\($0[1]), \($0[0])) > 0)" },
    "contains": text(2, .bool) { "(strpos(\($0[0]), \($0[1])) > 0)" },
    "startswith": text(2, .bool) { "starts_with(\($0[0]), \($0[1]))" },
    "endswith": text(2, .bool) { "(right(\($0[0]), length(\($0[1]))) = \($0[1]))" },
    "length": text(1, .int) { "length(\($0[0]))::bigint" },
    "indexof": text(2, .int) { "(strpos(\($0[0]), \($0[1])) - 1)::bigint" },
    "substring": Function(parameters: [.text, .number, .number], optional: 1, kind: .text) {
      $0.count == 2
        ? "substr(\($0[0]), least(greatest(\($0[1]), 0), 1e6)::int + 1)"
        : "substr(\($0[0]), least(greatest(\($0[1]), 0), 1e6)::int + 1, least(greatest(\($0[2]), 0), 1e6)::int)"
    },
    "tolower": text(1, .text) { "lower(\($0[0]))" },
    "toupper": text(1, .text) { "upper(\($0[0]))" },
    "trim": text(1, .text) { "trim(\($0[0]))" },
    "concat": text(2, .text) { "(\($0[0]) || \($0[1]))" },
    // numeric rounds halves away from zero as OData says; double precision would round them to even.
    "round": number { "round((\($0))::numeric)::double precision" },
    "floor": number { "floor(\($0))" },
    "ceiling": number { "ceiling(\($0))" },
    "year": part("year"),
    "month": part("month"),
    "day": part("day"),
    "hour": part("hour"),
    "minute": part("minute"),
    "second": part("second"),
    "fractionalseconds": Function(parameters: [.instant], kind: .number) { "mod(extract(second from \($0[0])), 1)::double precision" },
    "date": Function(parameters: [.instant], kind: .text) { "to_char(\($0[0]) at time zone 'UTC', 'YYYY-MM-DD')" },
    "time": Function(parameters: [.instant], kind: .text) { "to_char(\($0[0]) at time zone 'UTC', 'HH24:MI:SS.MS')" },
    "totaloffsetminutes": Function(parameters: [.instant], kind: .int) { "(case when \($0[0]) is not null then 0::bigint end)" },
    "now": Function(parameters: [], kind: .instant) { _ in "now()" },
    "mindatetime": Function(parameters: [], kind: .instant) { _ in "'-infinity'::timestamptz" },
    "maxdatetime": Function(parameters: [], kind: .instant) { _ in "'infinity'::timestamptz" },
  ]
}
