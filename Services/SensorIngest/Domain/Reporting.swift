/// How a datastream reports; silence is judged by it.
public enum Reporting: Hashable, Sendable {
  /// A reading every `interval` seconds.
  case periodic(interval: Int)
  /// A reading when the value changes, and never otherwise: silence says nothing.
  case onChange
  /// A reading when the value changes, and at least one every `heartbeat` seconds.
  case onChangeWithHeartbeat(Int)

  /// After how many seconds without a reading the datastream counts as silent; nil where silence is normal.
  /// Twice what is promised: one report may be late or lost without anything being broken.
  public var silentAfter: Int? {
    switch self {
    case .periodic(let interval): interval * 2
    case .onChange: nil
    case .onChangeWithHeartbeat(let heartbeat): heartbeat * 2
    }
  }

  func check(_ faults: inout Faults) {
    let allowed = 1...31_622_400
    switch self {
    case .periodic(let seconds) where !allowed.contains(seconds):
      faults.add("properties/dos:reporting/interval", "is \(seconds) s", expected: "1 second to 366 days")
    case .onChangeWithHeartbeat(let seconds) where !allowed.contains(seconds):
      faults.add("properties/dos:reporting/heartbeat", "is \(seconds) s", expected: "1 second to 366 days")
    case .periodic, .onChange, .onChangeWithHeartbeat: break
    }
  }
}

/// As JSON: `{"kind": "periodic", "interval": 60}`, `{"kind": "onChange"}`, `{"kind": "onChange", "heartbeat": 3600}`; seconds.
extension Reporting: Codable {
  private enum CodingKeys: String, CodingKey { case kind, interval, heartbeat }

  public init(from decoder: any Decoder) throws {
    let object = try decoder.container(keyedBy: CodingKeys.self)
    switch try object.decode(String.self, forKey: .kind) {
    case "periodic": self = .periodic(interval: try object.decode(Int.self, forKey: .interval))
    case "onChange":
      let heartbeat = try object.decodeIfPresent(Int.self, forKey: .heartbeat)
      self = heartbeat.map { .onChangeWithHeartbeat($0) } ?? .onChange
    case let kind:
      throw DecodingError.dataCorruptedError(forKey: .kind, in: object, debugDescription: "\(kind) is neither periodic nor onChange")
    }
  }

  public func encode(to encoder: any Encoder) throws {
    var object = encoder.container(keyedBy: CodingKeys.self)
    switch self {
    case .periodic(let interval):
      try object.encode("periodic", forKey: .kind)
      try object.encode(interval, forKey: .interval)
    case .onChange:
      try object.encode("onChange", forKey: .kind)
    case .onChangeWithHeartbeat(let heartbeat):
      try object.encode("onChange", forKey: .kind)
      try object.encode(heartbeat, forKey: .heartbeat)
    }
  }
}
