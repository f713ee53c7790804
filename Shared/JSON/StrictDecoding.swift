/// A type that lists every field it knows, so that a misspelt one is refused instead of ignored.
public protocol KnownFields {
  /// The names as they stand in the JSON.
  static var fields: [String] { get }
  /// Whether an unknown name is let pass, such as SensorThings' `@iot.*`; none is unless a type says so.
  static func ignores(_ field: String) -> Bool
}

extension KnownFields {
  public static func ignores(_ field: String) -> Bool { false }
}

/// Reads a request's body: strict JSON (see `JSONParser`), of the asked type, without a field that a `KnownFields` type does not know, at any level.
public func decodeStrictly<T: Decodable>(_ type: T.Type, from body: [UInt8]) throws(JSONRejection) -> T {
  try decodeStrictly(type, from: JSONParser.parse(body))
}

/// The same for a value that is parsed already; `path` is where it stands in the whole.
public func decodeStrictly<T: Decodable>(_ type: T.Type, from value: JSONValue, at path: [String] = []) throws(JSONRejection) -> T {
  do {
    return try JSONValueDecoder(value: value, codingPath: path.map(AnyKey.init)).decode(type)
  } catch let rejection as JSONRejection {
    throw rejection
  } catch let error as DecodingError {
    throw JSONRejection(error)
  } catch {
    throw JSONRejection(path: path.joined(separator: "/"), problem: "\(error)", expected: "\(type)")
  }
}

extension JSONRejection {
  fileprivate init(_ error: DecodingError) {
    switch error {
    case .keyNotFound(let key, let context):
      self.init(path: Self.text(context.codingPath + [key]), problem: "the field is missing", expected: "a value")
    case .typeMismatch(_, let context), .valueNotFound(_, let context):
      let parts = context.debugDescription.split(separator: "|", maxSplits: 1)
      self.init(
        path: Self.text(context.codingPath), problem: String(parts.first ?? "a wrong value"), expected: parts.count > 1 ? String(parts[1]) : "another value")
    case .dataCorrupted(let context):
      self.init(path: Self.text(context.codingPath), problem: context.debugDescription, expected: "a value that the field allows")
    @unknown default: self.init(path: "", problem: "\(error)", expected: "a value that the field allows")
    }
  }

  static func text(_ path: [any CodingKey]) -> String { path.map(\.stringValue).joined(separator: "/") }
}

/// The known name that a misspelt one was probably meant to be: few enough letters must be changed, put in or left out. Nil when none is near.
public func nearestName(to name: String, among known: [String]) -> String? {
  let folded = name.lowercased()
  let distances = known.map { (name: $0, distance: editDistance(Array(folded.utf8), Array($0.lowercased().utf8))) }
  guard let best = distances.min(by: { $0.distance < $1.distance }), best.distance <= max(2, name.utf8.count / 3) else { return nil }
  return best.name
}

private func editDistance(_ left: [UInt8], _ right: [UInt8]) -> Int {
  // A name of kilobytes is nobody's typing error, and the table below would be large.
  guard left.count <= 100, right.count <= 100 else { return .max }
  var row = Array(0...right.count)
  for (index, byte) in left.enumerated() {
    var diagonal = row[0]
    row[0] = index + 1
    for column in 0..<right.count {
      let above = row[column + 1]
      row[column + 1] = min(min(above, row[column]) + 1, diagonal + (byte == right[column] ? 0 : 1))
      diagonal = above
    }
  }
  return row[right.count]
}
