public import Geo
import Time

/// What is watched for, where it matters and whom it calls: drawn up by people, tried on history, evaluated as readings arrive.
///
/// A rule proposes; people decide. When its condition holds it raises a hint, never an alert.
public struct Rule: Hashable, Sendable, Codable {
  /// One line, German, as the hint's headline: *Emscher bei Dorstfeld über Informationswert 1*.
  public var name: String
  /// German: what it means when the condition holds, and what to do then.
  public var description: String
  /// The city's short name as configuration lists it: `dortmund`.
  public var city: String
  /// The part of the city it is about, by name.
  public var district: String
  /// The point on the map that stands for it.
  public var place: Coordinate
  /// What the hint proposes to whoever drafts an alert from it.
  public var severity: Severity
  /// The on-call rota that its hint pages; nil where the hint only stands on the page.
  public var rota: String?
  /// Seconds after which the newest reading says nothing about the present any more. At least twice the interval at which the sensors report, or the
  /// outcome is *unknown* between any two readings. It is how late a reading may come, too: what comes later changes nothing any more.
  public var staleAfter: Int
  public var condition: Condition

  public init(
    name: String, description: String, city: String, district: String, place: Coordinate, severity: Severity, rota: String?,
    staleAfter: Int = Rule.usualStaleness, condition: Condition
  ) {
    self.name = name
    self.description = description
    self.city = city
    self.district = district
    self.place = place
    self.severity = severity
    self.rota = rota
    self.staleAfter = staleAfter
    self.condition = condition
  }

  /// A quarter of an hour.
  public static let usualStaleness = 900

  /// What keeps it from being drawn up, all of it.
  public func problems() -> [ContentProblem] {
    var problems = RuleProblems()
    problems.check(text: name, at: "name", limit: 255)
    problems.check(text: description, at: "description", limit: 4_000, lines: true)
    let letters = city.utf8.allSatisfy { (0x61...0x7a).contains($0) || (0x30...0x39).contains($0) || $0 == 0x2d }
    if city.isEmpty || !letters { problems.add("city", "is \"\(city)\"", expected: "a city's short name, as dortmund") }
    problems.check(text: district, at: "district", limit: 255)
    if let rota { problems.check(text: rota, at: "rota", limit: 255) }
    problems.check(seconds: staleAfter, at: "staleAfter", within: 60...604_800)
    condition.check(&problems, at: "condition")
    return problems.found
  }

  private enum CodingKeys: String, CodingKey { case name, description, city, district, place, severity, rota, staleAfter, condition }

  public init(from decoder: any Decoder) throws {
    let object = try decoder.container(keyedBy: CodingKeys.self)
    name = try object.decode(String.self, forKey: .name)
    description = try object.decode(String.self, forKey: .description)
    city = try object.decode(String.self, forKey: .city)
    district = try object.decode(String.self, forKey: .district)
    place = try object.decode(Coordinate.self, forKey: .place)
    severity = try object.decode(Severity.self, forKey: .severity)
    rota = try object.decodeIfPresent(String.self, forKey: .rota)
    staleAfter = try object.decodeIfPresent(Int.self, forKey: .staleAfter) ?? Rule.usualStaleness
    condition = try object.decode(Condition.self, forKey: .condition)
  }
}
