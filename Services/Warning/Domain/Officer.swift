/// Who decides: known by the subject of the token alone, since names of people never stand in an event.
public struct Officer: Codable, Hashable, Sendable {
  /// The subject that the city's identity provider gave.
  public let subject: String
  /// Whose officer it is; nil for one who is bound to no city.
  public let city: String?

  public init(subject: String, city: String?) {
    self.subject = subject
    self.city = city
  }
}
