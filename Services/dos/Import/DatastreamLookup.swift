import Foundation

/// Finds the datastreams that the rows name, each once.
struct DatastreamLookup {
  enum Found: Sendable, Equatable {
    case id(Int64)
    /// Why there is none; what every row of that key is refused with.
    case none(String)
  }

  let column: ImportPlan.DatastreamColumn
  let sender: ImportSender
  private var known: [String: Found] = [:]

  init(_ column: ImportPlan.DatastreamColumn, _ sender: ImportSender) {
    self.column = column
    self.sender = sender
  }

  subscript(key: String) -> Found { known[key] ?? .none("datastream \"\(key)\" was not looked up") }

  /// Looks up what is not known yet, a few at once.
  mutating func resolve(_ keys: Set<String>) async throws {
    let wanted = keys.filter { known[$0] == nil }
    guard !wanted.isEmpty else { return }
    let (column, sender) = (column, sender)
    var rest = wanted.sorted()[...]
    while !rest.isEmpty {
      let group = rest.prefix(sender.plan.concurrency)
      rest = rest.dropFirst(group.count)
      try await withThrowingTaskGroup(of: (String, Found).self) { tasks in
        for key in group { tasks.addTask { (key, try await DatastreamLookup.find(key, column, sender)) } }
        for try await (key, found) in tasks { known[key] = found }
      }
    }
  }

  private static func find(_ key: String, _ column: ImportPlan.DatastreamColumn, _ sender: ImportSender) async throws -> Found {
    let field: String
    switch column {
    case .id:
      guard let id = Int64(key), id > 0, String(id) == key else { return .none("\"\(key)\" is no datastream's id") }
      return .id(id)
    case .name: field = "name"
    case .property(let property, _): field = "properties/\(property)"
    }
    let filter = "\(field) eq '\(key.replacing("'", with: "''"))'"
    let escaped = filter.addingPercentEncoding(withAllowedCharacters: .alphanumerics) ?? filter
    // Two are enough to see that the key does not tell one.
    let document = try await sender.get("Datastreams?$top=2&$filter=\(escaped)")
    guard let list = document["value"]?.array else { throw ImportFailure.answer("Datastreams has no value") }
    guard let first = list.first else { return .none("no datastream has the \(column) \"\(key)\"") }
    guard list.count == 1 else { return .none("more than one datastream has the \(column) \"\(key)\"") }
    guard let id = first["@iot.id"]?.int else { throw ImportFailure.answer("a datastream has no @iot.id") }
    return .id(id)
  }
}
