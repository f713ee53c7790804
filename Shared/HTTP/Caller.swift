/// Who asks, as the token or device key proved it.
public struct Caller: Sendable, Hashable {
  public enum Kind: String, Sendable, Hashable { case device, person, service }

  /// Stable name: a token's subject, a device's id.
  public var id: String
  public var roles: Set<String>
  /// The city the caller belongs to, where the proof named one.
  public var city: String?
  public var kind: Kind

  public init(id: String, roles: Set<String>, city: String? = nil, kind: Kind) {
    self.id = id
    self.roles = roles
    self.city = city
    self.kind = kind
  }
}

/// Who may use a route.
public enum Access: Sendable, Hashable {
  case everyone
  /// Anybody who proved who they are.
  case authenticated
  /// Callers with at least one of these roles.
  case roles(Set<String>)

  /// Nil where the caller may pass; otherwise the 401 or 403 that says what is needed.
  public func refusal(for caller: Caller?) -> Problem? {
    switch self {
    case .everyone:
      return nil
    case .authenticated:
      return caller == nil ? .unauthorized("This needs a caller: send an Authorization header with a bearer token.") : nil
    case .roles(let wanted):
      let names = wanted.sorted().joined(separator: ", ")
      guard let caller else {
        return .unauthorized("This needs a caller with one of the roles: \(names). Send an Authorization header with a bearer token.")
      }
      guard caller.roles.isDisjoint(with: wanted) else { return nil }
      return .forbidden("\(caller.id) lacks the role for this; one of these is needed: \(names).")
    }
  }
}
