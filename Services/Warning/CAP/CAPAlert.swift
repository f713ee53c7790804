import Time

/// A message of the Common Alerting Protocol 1.2 (OASIS Standard of 1 July 2010; ITU-T X.1303 bis), named as there: `alert`, section 3.2.1.
///
/// A value may hold what the standard forbids, since foreign senders do. `problems` says what is wrong, and `xml` writes nothing that has a problem.
public struct CAPAlert: Hashable, Sendable {
  /// `identifier`: names the message among all of its sender; no blanks, commas, `<` or `&` (section 3.2.1).
  public var identifier: String
  /// `sender`: names the sender worldwide, such as a domain name; no blanks, commas, `<` or `&` (section 3.2.1).
  public var sender: String
  /// `sent`: when it was issued, in whole seconds (sections 3.2.1 and 3.3.2).
  public var sent: Instant
  /// `status`: how to take it (section 3.2.1).
  public var status: Status
  /// `msgType`: what it is to those before (section 3.2.1).
  public var msgType: MsgType
  /// `source`: the particular source, such as an operator or a device (section 3.2.1).
  public var source: String?
  /// `scope`: for whom it is (section 3.2.1).
  public var scope: Scope
  /// `restriction`: the rule that a restricted one falls under; with `restricted` only (section 3.2.1).
  public var restriction: String?
  /// `addresses`: whom a private one is for (section 3.2.1).
  public var addresses: [String]
  /// `code`: codes for special handling (section 3.2.1).
  public var codes: [String]
  /// `note`: what it is for, mainly of a Cancel or an Error (section 3.2.1).
  public var note: String?
  /// `references`: the earlier messages that it is about (section 3.2.1).
  public var references: [CAPReference]
  /// `incidents`: the names of the incidents that it is about (section 3.2.1).
  public var incidents: [String]
  /// `info`: what is warned of, one per language or hazard (section 3.2.2).
  public var infos: [CAPInfo]

  /// A message of these parts, unchecked.
  public init(
    identifier: String, sender: String, sent: Instant, status: Status, msgType: MsgType, source: String? = nil, scope: Scope = .public,
    restriction: String? = nil, addresses: [String] = [], codes: [String] = [], note: String? = nil, references: [CAPReference] = [],
    incidents: [String] = [], infos: [CAPInfo] = []
  ) {
    self.identifier = identifier
    self.sender = sender
    self.sent = sent
    self.status = status
    self.msgType = msgType
    self.source = source
    self.scope = scope
    self.restriction = restriction
    self.addresses = addresses
    self.codes = codes
    self.note = note
    self.references = references
    self.incidents = incidents
    self.infos = infos
  }

  /// What later messages name this one by.
  public var reference: CAPReference { CAPReference(sender: sender, identifier: identifier, sent: sent) }

  /// `status` (section 3.2.1).
  public enum Status: String, CaseIterable, Sendable {
    case actual = "Actual"
    case exercise = "Exercise"
    case system = "System"
    case test = "Test"
    case draft = "Draft"
  }

  /// `msgType` (section 3.2.1).
  public enum MsgType: String, CaseIterable, Sendable {
    case alert = "Alert"
    case update = "Update"
    case cancel = "Cancel"
    case ack = "Ack"
    case error = "Error"
  }

  /// `scope` (section 3.2.1).
  public enum Scope: String, CaseIterable, Sendable {
    case `public` = "Public"
    case restricted = "Restricted"
    case `private` = "Private"
  }
}

/// One of the `references` to an earlier message (CAP 1.2, section 3.2.1), written `sender,identifier,sent`.
public struct CAPReference: Hashable, Sendable {
  public var sender: String
  public var identifier: String
  public var sent: Instant

  public init(sender: String, identifier: String, sent: Instant) {
    self.sender = sender
    self.identifier = identifier
    self.sent = sent
  }
}

/// A `valueName` with its `value`: what `eventCode`, `parameter` and `geocode` are (CAP 1.2, sections 3.2.2 and 3.2.4).
public struct CAPValue: Hashable, Sendable {
  /// What the value is of, a name that its domain has agreed on, such as `WARNCELLID`.
  public var valueName: String
  /// The value; it may be empty.
  public var value: String

  public init(_ valueName: String, _ value: String) {
    self.valueName = valueName
    self.value = value
  }
}
