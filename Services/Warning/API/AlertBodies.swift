import Foundation
import Geo
import JSON
import Time
import WarningDomain

/// What an alert says, as an officer sends it: the area by names and shapes.
struct ContentBody: Decodable, KnownFields, Sendable {
  static let fields = [
    "categories", "eventCode", "urgency", "severity", "certainty", "responseTypes", "onset", "expires", "texts", "area", "channels", "contact", "web",
  ]

  let categories: [WarningDomain.Category]
  let eventCode: String?
  let urgency: Urgency
  let severity: Severity
  let certainty: Certainty
  let responseTypes: [ResponseType]?
  let onset: Instant?
  let expires: Instant
  let texts: [AlertText]
  let area: NamedArea
  let channels: [Channel]
  let contact: String?
  let web: String?

  func content(in area: AlertArea) -> AlertContent {
    AlertContent(
      categories: categories, eventCode: eventCode, urgency: urgency, severity: severity, certainty: certainty,
      responseTypes: responseTypes ?? [], onset: onset, expires: expires, texts: texts, area: area,
      channels: Set(channels), contact: contact, web: web)
  }
}

/// `POST /warnings/alerts`. Where it names a template, `content` has only what is other than there (`Templates.draft`).
struct DraftBody: Decodable, KnownFields, Sendable {
  static let fields = ["city", "mode", "hint", "template", "content"]
  let city: String?
  let mode: AlertMode?
  let hint: UUID?
  let template: String?
  let content: ContentBody
}

/// `POST /warnings/{id}/update`.
struct UpdateBody: Decodable, KnownFields, Sendable {
  static let fields = ["refersTo", "content"]
  let refersTo: UUID
  let content: ContentBody
}

/// `POST /warnings/{id}/cancel` and `/all-clear`: in the same area, to everybody who was warned.
struct EndBody: Decodable, KnownFields, Sendable {
  static let fields = ["refersTo", "texts"]
  let refersTo: UUID
  let texts: [AlertText]
}

struct ReasonBody: Decodable, KnownFields, Sendable {
  static let fields = ["reason"]
  let reason: String
}

struct ApproveBody: Decodable, KnownFields, Sendable {
  static let fields = ["revision", "release"]
  let revision: Int
  let release: UUID?
}

struct BreakGlassBody: Decodable, KnownFields, Sendable {
  static let fields = ["revision", "reason"]
  let revision: Int
  let reason: String
}

struct ReviewBody: Decodable, KnownFields, Sendable {
  static let fields = ["justified", "note"]
  let justified: Bool
  let note: String
}

struct ConfirmBody: Decodable, KnownFields, Sendable {
  static let fields = ["message", "reference"]
  let message: UUID
  let reference: String?
}

/// An alert as its officers see it.
struct AlertView: Encodable {
  struct DraftView: Encodable {
    let message: UUID
    let kind: MessageKind
    let refersTo: UUID?
    let revision: Int
    let stage: String
    /// Why it was sent back, where it was.
    let reason: String?
    /// Whose control room is asked, where one is.
    let authority: String?
    let authors: [Officer]
    let content: AlertContent
    /// What would keep it from being issued now.
    let problems: [ContentProblem]
  }

  struct HeadView: Encodable {
    let message: UUID
    let kind: MessageKind
    let sent: Instant
    let content: AlertContent
    let references: [MessageReference]
    let authority: Authority
    let approvals: Approvals
    let channels: [Channel]
  }

  let id: UUID
  let city: String
  let mode: AlertMode
  let origin: AlertOrigin
  let draft: DraftView?
  let head: HeadView?
  let ending: String?
  let reviewDue: Bool

  init(_ chain: AlertChain, at now: Instant) {
    id = chain.id
    city = chain.city
    mode = chain.mode
    origin = chain.origin
    draft = chain.preparing.map { preparing in
      let draft = preparing.draft
      let reason: String? = if case .returned(let reason) = preparing.stage { reason } else { nil }
      let authority: String? = if case .requested(let requested, _) = preparing.stage { requested.authority.id } else { nil }
      return DraftView(
        message: draft.message, kind: draft.kind, refersTo: draft.refersTo, revision: draft.revision, stage: preparing.stage.name, reason: reason,
        authority: authority, authors: draft.authors, content: draft.content, problems: draft.content.problems(mode: chain.mode, at: now))
    }
    head = chain.head.map {
      HeadView(
        message: $0.message, kind: $0.kind, sent: $0.sent, content: $0.content, references: $0.references, authority: $0.authority, approvals: $0.approvals,
        channels: $0.channels)
    }
    ending = chain.ending?.name
    reviewDue = if case .due = chain.review { true } else { false }
  }
}

extension AlertChain.Ending {
  var name: String {
    switch self {
    case .cancelled: "cancelled"
    case .allClear: "all-clear"
    case .expired: "expired"
    case .neverIssued: "never-issued"
    }
  }
}
