/// The statements a session has prepared, by their text and parameter types; those used longest ago make room.
///
/// A statement is prepared when it comes the second time: text that is made up once would only push others out.
struct StatementCache {
  struct Key: Hashable {
    let text: String
    let types: [PostgresType]
  }

  private struct Entry {
    /// nil while it was seen but not prepared.
    var name: String?
    var used: UInt64
  }

  private var entries: [Key: Entry] = [:]
  private var clock: UInt64 = 0
  private var nameCount = 0
  private let capacity: Int
  /// Prepared statements that are no longer wanted and that the server still holds.
  private(set) var discarded: [String] = []

  init(capacity: Int = 256) {
    self.capacity = capacity
  }

  enum Advice: Equatable {
    case sendAsIs
    case prepare(name: String)
    case use(name: String)
  }

  mutating func advice(for key: Key) -> Advice {
    clock += 1
    guard let index = entries.index(forKey: key) else {
      makeRoom()
      entries[key] = Entry(name: nil, used: clock)
      return .sendAsIs
    }
    entries.values[index].used = clock
    if let name = entries.values[index].name { return .use(name: name) }
    nameCount += 1
    return .prepare(name: "s\(nameCount)")
  }

  mutating func prepared(_ key: Key, as name: String) {
    // Twice in one pipeline it is prepared twice.
    if let old = entries[key]?.name { discarded.append(old) }
    entries[key]?.name = name
  }

  /// The server no longer runs it as it was prepared.
  mutating func forget(_ key: Key) {
    if let name = entries.removeValue(forKey: key)?.name { discarded.append(name) }
  }

  mutating func takeDiscarded() -> [String] {
    defer { discarded = [] }
    return discarded
  }

  /// A quarter goes at once, so that looking for the oldest is rare.
  private mutating func makeRoom() {
    guard entries.count >= capacity else { return }
    for (key, _) in entries.sorted(by: { $0.value.used < $1.value.used }).prefix(max(1, capacity / 4)) { forget(key) }
  }
}
