public import Time

/// What a reader asks of a SensorThings collection or entity (OGC 18-088, section 9.3), read from the query part of an address.
public struct STAQuery: Hashable, Sendable {
  /// `$filter`, nil where everything is wanted.
  public var filter: STAExpression?
  /// `$orderby`, first the most significant.
  public var orderBy: [STAOrder] = []
  /// `$top` as asked; the answer holds at most `STAQuery.maximumTop`.
  public var top: Int?
  public var skip = 0
  /// `$count=true`: the answer says how many there are without `$top` and `$skip`.
  public var count = false
  /// `$select`: names of properties or navigations, nil for all.
  public var select: [STAName]?
  public var expand: [STAExpand] = []
  /// The address ended with `$ref`: only the links of the entities are wanted.
  public var isReference = false
  /// `$resultFormat=dataArray` (section 9.3.3.6): observations come as rows, those of a datastream together.
  public var isDataArray = false

  public init() {}

  /// How many entities an answer holds when nothing is asked.
  public static let defaultTop = 100
  /// How many entities an answer holds at most.
  public static let maximumTop = 10_000

  /// How many entities the answer holds at most.
  public var limit: Int { min(top ?? Self.defaultTop, Self.maximumTop) }
}

/// A name in a query, with where it stood, so that an error can point at it.
public struct STAName: Hashable, Sendable {
  public let text: String
  /// Characters from the start of the option's value, counted from 1.
  public let position: Int

  public init(_ text: String, position: Int) {
    self.text = text
    self.position = position
  }
}

/// One key of `$orderby`.
public struct STAOrder: Hashable, Sendable {
  public let expression: STAExpression
  public let descending: Bool

  public init(_ expression: STAExpression, descending: Bool = false) {
    self.expression = expression
    self.descending = descending
  }
}

/// One navigation of `$expand` with its own options.
public struct STAExpand: Hashable, Sendable {
  public let navigation: STAName
  public let query: STAQuery

  public init(_ navigation: STAName, query: STAQuery = STAQuery()) {
    self.navigation = navigation
    self.query = query
  }
}

/// An expression of `$filter` or `$orderby`.
public indirect enum STAExpression: Hashable, Sendable {
  case literal(STALiteral)
  /// A property, perhaps over navigations or into JSON: `Datastream/id`, `properties/dos:city`.
  case path([String], position: Int)
  case not(STAExpression)
  case and(STAExpression, STAExpression)
  case or(STAExpression, STAExpression)
  case comparison(STAComparison, STAExpression, STAExpression)
  case arithmetic(STAArithmetic, STAExpression, STAExpression)
  case call(String, [STAExpression], position: Int)
}

public enum STAComparison: String, Hashable, Sendable, CaseIterable {
  case eq, ne, gt, ge, lt, le
}

public enum STAArithmetic: String, Hashable, Sendable, CaseIterable {
  case add, sub, mul, div, mod
}

public enum STALiteral: Hashable, Sendable {
  case null
  case bool(Bool)
  case int(Int64)
  case number(Double)
  case string(String)
  case instant(Instant)
  /// A span of time, `2020-06-01T00:00:00Z/2020-07-01T00:00:00Z`.
  case interval(Instant, Instant)
  /// `duration'P1DT2H'`, in seconds; days and smaller, since months have no length.
  case duration(Double)
  /// `geography'POINT (7.46 51.51)'`, as well-known text.
  case geography(String)
}

/// What is wrong with a query, where, and what would be right.
public struct STAQueryError: Error, Hashable, Sendable {
  /// The option: `$filter`, `$top`, ...
  public let option: String
  /// Characters from the start of the option's value, counted from 1.
  public let position: Int
  public let problem: String
  public let expected: String

  public init(option: String, position: Int, problem: String, expected: String) {
    self.option = option
    self.position = position
    self.problem = problem
    self.expected = expected
  }
}
