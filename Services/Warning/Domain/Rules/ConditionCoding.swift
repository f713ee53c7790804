/// As JSON an object whose `kind` says which condition it is, with the condition's fields beside it:
/// `{"kind": "any", "of": [{"kind": "silence", "datastream": 7, "longerThan": 3600}]}`. All durations are whole seconds.
extension Condition: Codable {
  private enum Kind: String, CaseIterable, Codable { case threshold, rateOfChange, countOf, silence, upstream, all, any }

  private enum CodingKeys: String, CodingKey { case kind, of }

  /// What `all` and `any` have beside their kind.
  public struct Parts: Decodable, Sendable {
    let of: [Condition]
  }

  /// Refuses an unknown kind, naming the known ones, and nesting beyond ``depthLimit`` before it is followed.
  public init(from decoder: any Decoder) throws {
    let object = try decoder.container(keyedBy: CodingKeys.self)
    // Each level brings two steps of the path: `of` and the index.
    let depth = decoder.codingPath.count { $0.stringValue == CodingKeys.of.stringValue } + 1
    guard depth <= Self.depthLimit else {
      throw DecodingError.dataCorruptedError(
        forKey: .kind, in: object, debugDescription: "the condition is more than \(Self.depthLimit) levels deep")
    }
    // Asked of the decoder, so that a strict one sees which fields this kind has.
    let whole = try decoder.singleValueContainer()
    let name = try object.decode(String.self, forKey: .kind)
    guard let kind = Kind(rawValue: name) else {
      let known = Kind.allCases.map(\.rawValue).joined(separator: ", ")
      throw DecodingError.dataCorruptedError(forKey: .kind, in: object, debugDescription: "the kind '\(name)' is unknown; known are \(known)")
    }
    switch kind {
    case .threshold: self = .threshold(try whole.decode(Threshold.self))
    case .rateOfChange: self = .rateOfChange(try whole.decode(RateOfChange.self))
    case .countOf: self = .countOf(try whole.decode(CountOf.self))
    case .silence: self = .silence(try whole.decode(Silence.self))
    case .upstream: self = .upstream(try whole.decode(Upstream.self))
    case .all: self = .all(try whole.decode(Parts.self).of)
    case .any: self = .any(try whole.decode(Parts.self).of)
    }
  }

  public func encode(to encoder: any Encoder) throws {
    var object = encoder.container(keyedBy: CodingKeys.self)
    switch self {
    case .threshold(let threshold):
      try object.encode(Kind.threshold, forKey: .kind)
      try threshold.encode(to: encoder)
    case .rateOfChange(let rate):
      try object.encode(Kind.rateOfChange, forKey: .kind)
      try rate.encode(to: encoder)
    case .countOf(let count):
      try object.encode(Kind.countOf, forKey: .kind)
      try count.encode(to: encoder)
    case .silence(let silence):
      try object.encode(Kind.silence, forKey: .kind)
      try silence.encode(to: encoder)
    case .upstream(let upstream):
      try object.encode(Kind.upstream, forKey: .kind)
      try upstream.encode(to: encoder)
    case .all(let parts):
      try object.encode(Kind.all, forKey: .kind)
      try object.encode(parts, forKey: .of)
    case .any(let parts):
      try object.encode(Kind.any, forKey: .kind)
      try object.encode(parts, forKey: .of)
    }
  }
}
