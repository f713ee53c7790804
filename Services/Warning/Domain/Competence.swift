/// Who may warn the public in an area by law (§ 2 and § 4 BHKG NRW: independent cities and districts for their area).
public struct Authority: Codable, Hashable, Sendable {
  /// `dortmund`, `kreis-unna`.
  public let id: String
  public let name: String
  /// The cities whose officers act for it. Others send it a request.
  public let actingCities: Set<String>
  /// The twelve-digit regional key of its area (Amtlicher Regionalschlüssel).
  public let ars: String

  public init(id: String, name: String, actingCities: Set<String>, ars: String) {
    self.id = id
    self.name = name
    self.actingCities = actingCities
    self.ars = ars
  }

  /// Whether a city's officers may warn there themselves.
  public func isOwn(of city: String) -> Bool { actingCities.contains(city) }

  private enum CodingKeys: String, CodingKey { case id, name, actingCities, ars }

  /// The cities in one order: the same authority has the same bytes.
  public func encode(to encoder: any Encoder) throws {
    var container = encoder.container(keyedBy: CodingKeys.self)
    try container.encode(id, forKey: .id)
    try container.encode(name, forKey: .name)
    try container.encode(actingCities.sorted(), forKey: .actingCities)
    try container.encode(ars, forKey: .ars)
  }
}
