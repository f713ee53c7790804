import JSON

/// One entity type of SensorThings as this service reads it: where its rows are, what its properties are, and where one can go from it.
struct STAEntityType: Sendable {
  /// `Thing`
  let name: String
  /// `Things`
  let set: String
  let table: String
  /// Rows that are still there, for example those of observations that are not withdrawn; nil for all.
  let condition: STASQL?
  let access: STAAccess
  /// In the order in which they are written.
  let properties: [STAProperty]
  let navigations: [STANavigation]
  /// How all properties are written, and what is selected for that.
  let cells: [STACell]
  let columns: String

  init(
    _ name: String, set: String, table: String, condition: STASQL? = nil, access: STAAccess = .everyone, properties: [STAProperty],
    navigations: [STANavigation]
  ) {
    self.name = name
    self.set = set
    self.table = table
    self.condition = condition
    self.access = access
    self.properties = properties
    self.navigations = navigations
    (cells, columns) = STACell.of(properties)
  }

  func property(_ name: String) -> STAProperty? { properties.first { $0.name == name } }

  func navigation(_ name: String) -> STANavigation? { navigations.first { $0.name == name } }

  /// Every name that a path may begin with, for errors.
  var names: [String] { ["@iot.id"] + properties.map(\.name) + navigations.map(\.name) }
}

/// A constant of SQL about one row; `{t}` in it stands for the alias of the row's table. Cut once, since every read puts an alias in.
struct STASQL: Sendable, ExpressibleByStringLiteral {
  private let pieces: [String]

  init(_ text: String) { pieces = text.split(separator: "{t}", omittingEmptySubsequences: false).map(String.init) }
  init(stringLiteral text: String) { self.init(text) }

  func of(_ alias: String) -> String { pieces.joined(separator: alias) }
}

/// How the rows of a type say who may see them.
enum STAAccess: Sendable {
  case everyone
  /// By a datastream's visibility and city.
  case visibility(STASQL, city: STASQL)
  /// By the datastream that a column names: who sees that sees the row.
  case datastream(STASQL)
}

/// One property: its name and the column or expression that holds it.
struct STAProperty: Sendable {
  let name: String
  let key: JSONKey
  let kind: STAKind
  let column: STASQL
  /// What is written, where that is something else than the column.
  let shown: STAShown?
  /// Whether an absent value is written as null; otherwise it is left out.
  let writesNull: Bool
  /// Whether every row has a value, so that an index's order serves as it is.
  let isRequired: Bool

  init(
    _ name: String, _ kind: STAKind, _ column: STASQL, shown: STAShown? = nil, writesNull: Bool = false, isRequired: Bool = false
  ) {
    self.name = name
    key = JSONKey(name)
    self.kind = kind
    self.column = column
    self.shown = shown
    self.writesNull = writesNull
    self.isRequired = isRequired
  }

  /// What is read of a row to write it.
  var read: [STASQL] { shown?.columns ?? [column] }
}

/// How a property is written that is not just the value of its column.
enum STAShown: Sendable {
  /// A moment, or the span between two columns where the second is not null.
  case span(from: STASQL, to: STASQL)
  /// The first of columns that is not null: a number, a truth value, a text, JSON.
  case result(number: STASQL, truth: STASQL, text: STASQL, json: STASQL)
  /// One of two texts, as a truth value says.
  case either(STASQL, String, String)

  var columns: [STASQL] {
    switch self {
    case .either(let truth, _, _): [truth]
    case .span(let from, let to): [from, to]
    case .result(let number, let truth, let text, let json): [number, truth, text, json]
    }
  }
}

/// What a property or expression holds, which decides how it is written, compared and computed with.
enum STAKind: Hashable, Sendable {
  case text
  case int
  case number
  case bool
  case instant
  /// `jsonb`; a path leads further into it.
  case json
  /// An observation's result: `jsonb` when read; each of its kinds lies in a column of its own (null where it is of another kind).
  case result(number: String, text: String, bool: String)
  case interval
  case duration
  case geometry
  case null

  /// In words for an error.
  var words: String {
    switch self {
    case .text: "a text"
    case .int, .number: "a number"
    case .bool: "true or false"
    case .instant: "a time"
    case .json: "free JSON"
    case .result: "a result"
    case .interval: "a span of time"
    case .duration: "a duration"
    case .geometry: "a geometry"
    case .null: "null"
    }
  }
}

/// A way from one entity to others.
struct STANavigation: Sendable {
  enum Link: Sendable {
    /// This entity's row names the other's id in that column.
    case parent(String)
    /// The others' rows name this entity's id in that column.
    case children(String)
    /// A table of pairs.
    case pairs(table: String, this: String, other: String)
    /// Any number of others, by a condition in which `{this}` and `{other}` stand for the tables' aliases.
    case condition(String)
  }

  let name: String
  /// The other type's name.
  let target: String
  let link: Link
  /// Whether who may see this entity may see those it leads to.
  let passesAccess: Bool
  /// The property by which the entities it leads to differ from one another, and by which they have an index.
  let siblingKey: String?
  /// By that property the rows are partitioned, and the column that holds it: who wants the latest need not look at all of them.
  let partitionedBy: STASQL?
  /// The names of the members that show what it leads to, where that is found, and where it goes on.
  let key: JSONKey
  let linkKey: JSONKey
  let nextKey: JSONKey

  init(_ name: String, to target: String, _ link: Link, passesAccess: Bool = false, siblingKey: String? = nil, partitionedBy: STASQL? = nil) {
    self.name = name
    self.target = target
    self.link = link
    self.passesAccess = passesAccess
    self.siblingKey = siblingKey
    self.partitionedBy = partitionedBy
    key = JSONKey(name)
    linkKey = JSONKey("\(name)@iot.navigationLink")
    nextKey = JSONKey("\(name)@iot.nextLink")
  }

  /// Whether it leads to any number of entities.
  var isMany: Bool { if case .parent = link { false } else { true } }

  /// SQL that is true where `other` is reached from `this`.
  func join(this: String, other: String) -> String {
    switch link {
    case .parent(let column): "\(other).id = \(this).\(column)"
    case .children(let column): "\(other).\(column) = \(this).id"
    case .pairs(let table, let mine, let theirs):
      "exists (select 1 from \(table) pair where pair.\(mine) = \(this).id and pair.\(theirs) = \(other).id)"
    case .condition(let text): "(\(text.replacing("{this}", with: this).replacing("{other}", with: other)))"
    }
  }
}
