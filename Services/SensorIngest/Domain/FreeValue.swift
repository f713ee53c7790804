/// A JSON value whose meaning belongs to whoever wrote it: `properties` of any entity, a sensor's metadata, a GeoJSON geometry.
/// The domain keeps it and compares it, and decides nothing by it.
public indirect enum FreeValue: Hashable, Sendable, Codable {
  case null
  case bool(Bool)
  case int(Int64)
  case number(Double)
  case string(String)
  case array([FreeValue])
  case object([String: FreeValue])

  public init(from decoder: any Decoder) throws {
    let value = try decoder.singleValueContainer()
    if value.decodeNil() {
      self = .null
    } else if let bool = try? value.decode(Bool.self) {
      self = .bool(bool)
    } else if let int = try? value.decode(Int64.self) {
      self = .int(int)
    } else if let number = try? value.decode(Double.self) {
      self = .number(number)
    } else if let string = try? value.decode(String.self) {
      self = .string(string)
    } else if let array = try? value.decode([FreeValue].self) {
      self = .array(array)
    } else {
      self = .object(try value.decode([String: FreeValue].self))
    }
  }

  public func encode(to encoder: any Encoder) throws {
    var value = encoder.singleValueContainer()
    switch self {
    case .null: try value.encodeNil()
    case .bool(let bool): try value.encode(bool)
    case .int(let int): try value.encode(int)
    case .number(let number): try value.encode(number)
    case .string(let string): try value.encode(string)
    case .array(let array): try value.encode(array)
    case .object(let object): try value.encode(object)
    }
  }

  /// The object's fields, or nil where this is no object.
  public var fields: [String: FreeValue]? {
    if case .object(let fields) = self { fields } else { nil }
  }

  /// The text, or nil where this is no string.
  public var text: String? {
    if case .string(let text) = self { text } else { nil }
  }
}
