import Time

/// What a message warns of, in one language: `info` (CAP 1.2, section 3.2.2).
public struct CAPInfo: Hashable, Sendable {
  /// `language`: RFC 3066, `en-US` where none is named (section 3.2.2).
  public var language: String
  /// `category`: at least one (section 3.2.2).
  public var categories: [Category]
  /// `event`: the kind of event, in words (section 3.2.2).
  public var event: String
  /// `responseType`: what people should do (section 3.2.2).
  public var responseTypes: [ResponseType]
  /// `urgency` (section 3.2.2).
  public var urgency: Urgency
  /// `severity` (section 3.2.2).
  public var severity: Severity
  /// `certainty` (section 3.2.2).
  public var certainty: Certainty
  /// `audience`: for whom it is, in words (section 3.2.2).
  public var audience: String?
  /// `eventCode`: the kind of event, in codes (section 3.2.2).
  public var eventCodes: [CAPValue]
  /// `effective`: from when this holds; from `sent` where it is not named (section 3.2.2).
  public var effective: Instant?
  /// `onset`: when the event is expected to begin (section 3.2.2).
  public var onset: Instant?
  /// `expires`: until when this holds; where it is not named, whoever receives it has a rule of their own (section 3.2.2).
  public var expires: Instant?
  /// `senderName`: the sender's name for people (section 3.2.2).
  public var senderName: String?
  /// `headline` (section 3.2.2).
  public var headline: String?
  /// `description` (section 3.2.2).
  public var description: String?
  /// `instruction` (section 3.2.2).
  public var instruction: String?
  /// `web`: an absolute URI with more (section 3.2.2).
  public var web: String?
  /// `contact`: whom to ask (section 3.2.2).
  public var contact: String?
  /// `parameter`: whatever else the sender adds (section 3.2.2).
  public var parameters: [CAPValue]
  /// `resource`: files that belong to it (section 3.2.3).
  public var resources: [CAPResource]
  /// `area`: where it holds (section 3.2.4).
  public var areas: [CAPArea]

  /// An info of these parts, unchecked.
  public init(
    language: String = "en-US", categories: [Category], event: String, responseTypes: [ResponseType] = [], urgency: Urgency, severity: Severity,
    certainty: Certainty, audience: String? = nil, eventCodes: [CAPValue] = [], effective: Instant? = nil, onset: Instant? = nil, expires: Instant? = nil,
    senderName: String? = nil, headline: String? = nil, description: String? = nil, instruction: String? = nil, web: String? = nil, contact: String? = nil,
    parameters: [CAPValue] = [], resources: [CAPResource] = [], areas: [CAPArea] = []
  ) {
    self.language = language
    self.categories = categories
    self.event = event
    self.responseTypes = responseTypes
    self.urgency = urgency
    self.severity = severity
    self.certainty = certainty
    self.audience = audience
    self.eventCodes = eventCodes
    self.effective = effective
    self.onset = onset
    self.expires = expires
    self.senderName = senderName
    self.headline = headline
    self.description = description
    self.instruction = instruction
    self.web = web
    self.contact = contact
    self.parameters = parameters
    self.resources = resources
    self.areas = areas
  }

  /// `category` (section 3.2.2).
  public enum Category: String, CaseIterable, Sendable {
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

  /// `responseType` (section 3.2.2).
  public enum ResponseType: String, CaseIterable, Sendable {
    case shelter = "Shelter"
    case evacuate = "Evacuate"
    case prepare = "Prepare"
    case execute = "Execute"
    case avoid = "Avoid"
    case monitor = "Monitor"
    case assess = "Assess"
    case allClear = "AllClear"
    /// `None`: nothing is recommended.
    case nothing = "None"
  }

  /// `urgency` (section 3.2.2).
  public enum Urgency: String, CaseIterable, Sendable {
    case immediate = "Immediate"
    case expected = "Expected"
    case future = "Future"
    case past = "Past"
    case unknown = "Unknown"
  }

  /// `severity` (section 3.2.2).
  public enum Severity: String, CaseIterable, Sendable {
    case extreme = "Extreme"
    case severe = "Severe"
    case moderate = "Moderate"
    case minor = "Minor"
    case unknown = "Unknown"
  }

  /// `certainty` (section 3.2.2).
  public enum Certainty: String, CaseIterable, Sendable {
    case observed = "Observed"
    case likely = "Likely"
    case possible = "Possible"
    case unlikely = "Unlikely"
    case unknown = "Unknown"
  }
}
