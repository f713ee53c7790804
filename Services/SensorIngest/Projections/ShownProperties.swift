import SensorDomain

/// What SensorThings has no field for is shown among `properties`, under names that begin with `dos:`.
enum ShownProperties {
  static let thing = ["dos:city", "dos:owner", "dos:purpose", "dos:legalBasis", "dos:retention", "dos:successor"]
  static let datastream = thing + ["dos:visibility", "dos:reporting", "dos:plausibleRange"]
}

extension Thing {
  /// The free properties with the governance and the city among them.
  var shownProperties: FreeValue {
    var fields = properties?.fields ?? [:]
    fields["dos:city"] = .string(city.rawValue)
    governance.show(in: &fields)
    return .object(fields)
  }
}

extension Datastream {
  /// The free properties with everything among them that is this service's own.
  var shownProperties: FreeValue {
    var fields = properties?.fields ?? [:]
    fields["dos:city"] = .string(city.rawValue)
    governance.show(in: &fields)
    fields["dos:visibility"] = .string(visibility.rawValue)
    switch reporting {
    case .periodic(let interval): fields["dos:reporting"] = .object(["kind": .string("periodic"), "interval": .int(Int64(interval))])
    case .onChange: fields["dos:reporting"] = .object(["kind": .string("onChange")])
    case .onChangeWithHeartbeat(let heartbeat):
      fields["dos:reporting"] = .object(["kind": .string("onChange"), "heartbeat": .int(Int64(heartbeat))])
    }
    if let range = plausibleRange {
      var ends: [String: FreeValue] = [:]
      ends["min"] = range.min.map { .number($0) }
      ends["max"] = range.max.map { .number($0) }
      fields["dos:plausibleRange"] = .object(ends)
    }
    return .object(fields)
  }
}

extension UnitOfMeasurement {
  /// All three members, null where absent, as the standard shows them.
  var shown: FreeValue {
    .object(["name": name.map { .string($0) } ?? .null, "symbol": symbol.map { .string($0) } ?? .null, "definition": definition.map { .string($0) } ?? .null])
  }
}

extension SensorDomain.Governance {
  fileprivate func show(in fields: inout [String: FreeValue]) {
    fields["dos:owner"] = .string(owner)
    fields["dos:purpose"] = .string(purpose)
    fields["dos:legalBasis"] = .string(legalBasis)
    switch retention {
    case .forever: fields["dos:retention"] = .string("forever")
    case .days(let days): fields["dos:retention"] = .int(Int64(days))
    }
    fields["dos:successor"] = successor.map { .string($0) }
  }
}
