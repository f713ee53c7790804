/// How soon somebody has to act (CAP 1.2, section 3.2.2, urgency).
public enum Urgency: String, Codable, Sendable, CaseIterable {
  case immediate = "Immediate"
  case expected = "Expected"
  case future = "Future"
  case past = "Past"
}

/// How bad it may become (CAP 1.2, section 3.2.2, severity).
public enum Severity: String, Codable, Sendable, CaseIterable, Comparable {
  case minor = "Minor"
  case moderate = "Moderate"
  case severe = "Severe"
  case extreme = "Extreme"

  public static func < (left: Severity, right: Severity) -> Bool { left.rank < right.rank }

  private var rank: Int { Self.allCases.firstIndex(of: self) ?? 0 }
}

/// How sure it is (CAP 1.2, section 3.2.2, certainty).
public enum Certainty: String, Codable, Sendable, CaseIterable {
  case observed = "Observed"
  case likely = "Likely"
  case possible = "Possible"
  case unlikely = "Unlikely"
}

/// What kind of event it is (CAP 1.2, section 3.2.2, category).
public enum Category: String, Codable, Sendable, CaseIterable {
  case geo = "Geo"
  case met = "Met"
  case safety = "Safety"
  case security = "Security"
  case rescue = "Rescue"
  case fire = "Fire"
  case health = "Health"
  case env = "Env"
  case transport = "Transport"
  case infra = "Infra"
  case cbrne = "CBRNE"
  case other = "Other"
}

/// What people should do, in one word (CAP 1.2, section 3.2.2, responseType).
public enum ResponseType: String, Codable, Sendable, CaseIterable {
  case shelter = "Shelter"
  case evacuate = "Evacuate"
  case prepare = "Prepare"
  case execute = "Execute"
  case avoid = "Avoid"
  case monitor = "Monitor"
  case assess = "Assess"
  case allClear = "AllClear"
  case none = "None"
}
