import HTTP

/// What somebody may do in the city's data platform. The one list of roles; a token's other roles mean nothing here.
public enum Role: String, Sendable, CaseIterable {
  /// Posts readings.
  case device
  /// A system or person of a partner: reads what is open to partners.
  case partner
  /// Somebody of the city's administration: reads what is internal too.
  case reader
  /// Registers, changes and retires things, sensors and datastreams; may post readings for them.
  case sensorOperator = "sensor-operator"
  /// On duty for warnings: deals with hints, drafts alerts and approves those of others, keeps rules.
  case warningOfficer = "warning-officer"
  /// Of an authority's control room, which the city claim names: answers requests and says what it has entered elsewhere.
  case controlRoom = "control-room"
  /// May do everything, and alone reads what is restricted.
  case administrator
}

extension Access {
  /// Callers with at least one of these roles. The administrator always may.
  public static func roles(_ roles: Role...) -> Access {
    .roles(Set((roles + [.administrator]).map(\.rawValue)))
  }
}

extension Caller {
  public func has(_ role: Role) -> Bool { roles.contains(role.rawValue) }
}
