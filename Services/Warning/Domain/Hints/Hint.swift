public import Foundation
public import Geo
public import Time

/// A reading that led to a hint.
public struct HintReading: Codable, Hashable, Sendable {
  public let datastream: Int64
  public let time: Instant
  public let result: Double

  public init(datastream: Int64, time: Instant, result: Double) {
    self.datastream = datastream
    self.time = time
    self.result = result
  }
}

/// What a rule found.
public struct Finding: Codable, Hashable, Sendable {
  /// The rule and its version, as it stood when it fired.
  public let rule: UUID
  public let version: Int
  public let city: String
  /// In German, for whoever is on duty: what it means and what to do.
  public let title: String
  public let text: String
  public let place: Coordinate?
  public let severity: Severity
  /// Since when it holds, by the readings' own time.
  public let since: Instant
  public let readings: [HintReading]
  /// What is announced, where a gauge upstream announces it.
  public let forecast: LevelForecast?
  /// Whom it pages; nil where it only stands on the page.
  public let rota: String?

  public init(
    rule: UUID, version: Int, city: String, title: String, text: String, place: Coordinate?, severity: Severity, since: Instant, readings: [HintReading],
    forecast: LevelForecast? = nil, rota: String?
  ) {
    self.rule = rule
    self.version = version
    self.city = city
    self.title = title
    self.text = text
    self.place = place
    self.severity = severity
    self.since = since
    self.readings = readings
    self.forecast = forecast
    self.rota = rota
  }
}

/// A hint, from its first reading to its end.
public struct Hint: Hashable, Sendable {
  public let id: UUID
  public let finding: Finding
  public var standing: Standing
  /// How many levels of the rota have been paged.
  public var level: Int

  public enum Standing: Hashable, Sendable {
    case raised
    /// Somebody takes care.
    case acknowledged(by: Officer)
    /// It is so.
    case confirmed(by: Officer)
    /// It was nothing: kept, so that the rule can be judged.
    case dismissed(by: Officer, reason: String)
    /// The readings that raised it are over.
    case cleared
  }

  public var isOpen: Bool {
    switch standing {
    case .raised, .acknowledged, .confirmed: true
    case .dismissed, .cleared: false
    }
  }
}

public enum HintState: Hashable, Sendable {
  case none
  case hint(Hint)
}
