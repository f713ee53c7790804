import EventSourcing
import Foundation
import Geo
import JSON
import Postgres
import Time
import WarningDomain

/// The rows of one chain: in the list, of its messages, and what of it is due.
struct AlertRows {
  let stream: String
  let tables: TableNames

  func apply(_ event: AlertEvent, on connection: isolated PostgresConnection) throws {
    switch event {
    case .drafted(let event): try drafted(event, on: connection)
    case .edited(let event):
      try connection.execute(
        """
        update \(tables["alerts"]) set stage = 'drafted', revision = \(Int32(event.revision)), title = \(event.content.title),
          severity = \(event.content.severity.rawValue), changed = \(event.at) where draft = \(event.message)
        """)
    case .submitted(let event): try stage("submitted", of: event.message, event.at, on: connection)
    case .returned(let event): try stage("returned", of: event.message, event.at, on: connection)
    case .requestDeclined(let event):
      try stage("returned", of: event.message, event.at, on: connection)
      try WarningProjection.deadlines.clear(DeadlineKind.escalate.rawValue, of: stream, on: connection, tables: tables)
    case .requested(let event):
      try connection.execute(
        """
        update \(tables["alerts"]) set stage = 'requested', authority = \(event.authority.id), changed = \(event.at) where draft = \(event.message)
        """)
      try due(.escalate, event.at + AlertDecider.requestAnswered, on: connection)
    case .requestEscalated(let event):
      if event.times < AlertDecider.mostEscalations {
        try due(.escalate, event.at + AlertDecider.requestAnswered, on: connection)
      } else {
        try WarningProjection.deadlines.clear(DeadlineKind.escalate.rawValue, of: stream, on: connection, tables: tables)
      }
    case .rejected(let event):
      try connection.execute(
        """
        update \(tables["alerts"]) set stage = null, draft = null, draft_kind = null, revision = null, authority = null, changed = \(event.at),
          ending = case when head is null then 'never-issued' else ending end where draft = \(event.message)
        """)
    case .approved(let event):
      try connection.execute("update \(tables["alerts"]) set changed = \(event.at) where draft = \(event.message)")
    case .issued(let event): try issued(event, on: connection)
    case .reviewed(let event):
      try connection.execute("update \(tables["alerts"]) set review_due = false, changed = \(event.at) where head = \(event.message)")
    case .expired(let event):
      try connection.execute(
        """
        update \(tables["alerts"]) set ending = 'expired', stage = null, draft = null, draft_kind = null, revision = null, authority = null,
          changed = \(event.at) where alert = \(event.alert)
        """)
      try connection.execute("update \(tables["issued_messages"]) set over = \(event.at) where alert = \(event.alert) and over is null")
      try WarningProjection.deadlines.clear(stream, on: connection, tables: tables)
    }
  }

  private func drafted(_ event: AlertDrafted, on connection: isolated PostgresConnection) throws {
    let draft = event.draft
    let hint: UUID? = if case .hint(let id) = event.origin { UUID(uuidString: id) } else { nil }
    try connection.execute(
      """
      insert into \(tables["alerts"]) (alert, city, mode, origin, hint, title, severity, stage, draft, draft_kind, revision, review_due, changed)
      values (\(event.alert), \(event.city), \(event.mode.rawValue), \(event.origin.kind.rawValue), \(hint as UUID?), \(draft.content.title),
        \(draft.content.severity.rawValue), 'drafted', \(draft.message), \(draft.kind.rawValue), \(Int32(draft.revision)), false, \(event.at))
      on conflict (alert) do update set stage = excluded.stage, draft = excluded.draft, draft_kind = excluded.draft_kind, revision = excluded.revision,
        title = excluded.title, severity = excluded.severity, changed = excluded.changed
      """)
  }

  private func issued(_ event: AlertIssued, on connection: isolated PostgresConnection) throws {
    let isOver = event.kind.isEnding
    let ending: String? =
      switch event.kind {
      case .cancel: "cancelled"
      case .allClear: "all-clear"
      case .alert, .update: nil
      }
    try connection.execute(
      """
      update \(tables["alerts"]) set stage = null, draft = null, draft_kind = null, revision = null, authority = null, head = \(event.message),
        head_kind = \(event.kind.rawValue), sent = \(event.sent), expires = \(event.content.expires), ending = \(ending as String?), title = \(event.content.title),
        severity = \(event.content.severity.rawValue), review_due = review_due or \(event.approvals.breakGlass != nil), changed = \(event.sent)
      where alert = \(event.alert)
      """)
    try connection.execute("update \(tables["issued_messages"]) set over = \(event.sent) where alert = \(event.alert) and over is null")
    let published = PublishedAlert(event)
    let json = try WarningJSON.text(published)
    let outline = try WarningJSON.text(Geometry.multiPolygon(event.content.area.outline))
    try connection.execute(
      """
      insert into \(tables["issued_messages"]) (message, alert, kind, city, mode, sent, expires, category, severity, channels, outline, published)
      values (\(event.message), \(event.alert), \(event.kind.rawValue), \(event.city), \(event.mode.rawValue), \(event.sent), \(event.content.expires),
        \(event.content.categories.first?.rawValue ?? Category.other.rawValue), \(event.content.severity.rawValue), \(event.channels.map(\.rawValue)),
        ST_Multi(ST_CollectionExtract(ST_MakeValid(ST_SetSRID(ST_GeomFromGeoJSON(\(outline)), 4326)), 3)), \(json)::json)
      """)
    try WarningProjection.deadlines.clear(stream, on: connection, tables: tables)
    if !isOver { try due(.expire, event.content.expires, on: connection) }
  }

  private func stage(_ stage: String, of message: UUID, _ at: Instant, on connection: isolated PostgresConnection) throws {
    try connection.execute("update \(tables["alerts"]) set stage = \(stage), authority = null, changed = \(at) where draft = \(message)")
  }

  private func due(_ kind: DeadlineKind, _ time: Instant, on connection: isolated PostgresConnection) throws {
    try WarningProjection.deadlines.set(Deadline(stream: stream, kind: kind.rawValue, due: time), on: connection, tables: tables)
  }
}

extension AlertContent {
  /// What stands in lists: the German headline.
  var title: String { (texts.first { $0.language.hasPrefix("de") } ?? texts.first)?.headline ?? "" }
}
