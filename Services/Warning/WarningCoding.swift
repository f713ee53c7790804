import EventSourcing
import WarningDomain

/// The service's events by their types. Old versions are read for ever (schemas/samples).
enum WarningCoding {
  static let alerts = EventTypes<AlertEvent>(
    .type("de.dos2030.warnings.alert-drafted.v1", write: { if case .drafted(let event) = $0 { event } else { nil } }, read: AlertEvent.drafted),
    .type("de.dos2030.warnings.alert-edited.v1", write: { if case .edited(let event) = $0 { event } else { nil } }, read: AlertEvent.edited),
    .type("de.dos2030.warnings.alert-submitted.v1", write: { if case .submitted(let event) = $0 { event } else { nil } }, read: AlertEvent.submitted),
    .type("de.dos2030.warnings.alert-returned.v1", write: { if case .returned(let event) = $0 { event } else { nil } }, read: AlertEvent.returned),
    .type("de.dos2030.warnings.alert-rejected.v1", write: { if case .rejected(let event) = $0 { event } else { nil } }, read: AlertEvent.rejected),
    .type("de.dos2030.warnings.alert-approved.v1", write: { if case .approved(let event) = $0 { event } else { nil } }, read: AlertEvent.approved),
    .type("de.dos2030.warnings.alert-requested.v1", write: { if case .requested(let event) = $0 { event } else { nil } }, read: AlertEvent.requested),
    .type(
      "de.dos2030.warnings.alert-request-escalated.v1", write: { if case .requestEscalated(let event) = $0 { event } else { nil } },
      read: AlertEvent.requestEscalated),
    .type(
      "de.dos2030.warnings.alert-request-declined.v1", write: { if case .requestDeclined(let event) = $0 { event } else { nil } },
      read: AlertEvent.requestDeclined),
    .type("de.dos2030.warnings.alert-issued.v1", write: { if case .issued(let event) = $0 { event } else { nil } }, read: AlertEvent.issued),
    .type("de.dos2030.warnings.alert-reviewed.v1", write: { if case .reviewed(let event) = $0 { event } else { nil } }, read: AlertEvent.reviewed),
    .type("de.dos2030.warnings.alert-expired.v1", write: { if case .expired(let event) = $0 { event } else { nil } }, read: AlertEvent.expired))

  static let hints = EventTypes<HintEvent>(
    .type("de.dos2030.warnings.hint-raised.v1", write: { if case .raised(let event) = $0 { event } else { nil } }, read: HintEvent.raised),
    .type("de.dos2030.warnings.hint-acknowledged.v1", write: { if case .acknowledged(let event) = $0 { event } else { nil } }, read: HintEvent.acknowledged),
    .type("de.dos2030.warnings.hint-confirmed.v1", write: { if case .confirmed(let event) = $0 { event } else { nil } }, read: HintEvent.confirmed),
    .type("de.dos2030.warnings.hint-dismissed.v1", write: { if case .dismissed(let event) = $0 { event } else { nil } }, read: HintEvent.dismissed),
    .type("de.dos2030.warnings.hint-escalated.v1", write: { if case .escalated(let event) = $0 { event } else { nil } }, read: HintEvent.escalated),
    .type("de.dos2030.warnings.hint-cleared.v1", write: { if case .cleared(let event) = $0 { event } else { nil } }, read: HintEvent.cleared))

  static let deliveries = EventTypes<DeliveryEvent>(
    .type("de.dos2030.warnings.delivery-handed.v1", write: { if case .handed(let event) = $0 { event } else { nil } }, read: DeliveryEvent.handed),
    .type("de.dos2030.warnings.delivery-attempted.v1", write: { if case .attempted(let event) = $0 { event } else { nil } }, read: DeliveryEvent.attempted),
    .type("de.dos2030.warnings.delivery-delivered.v1", write: { if case .delivered(let event) = $0 { event } else { nil } }, read: DeliveryEvent.delivered),
    .type("de.dos2030.warnings.delivery-failed.v1", write: { if case .failed(let event) = $0 { event } else { nil } }, read: DeliveryEvent.failed),
    .type("de.dos2030.warnings.delivery-given-up.v1", write: { if case .givenUp(let event) = $0 { event } else { nil } }, read: DeliveryEvent.givenUp))

  static let releases = EventTypes<ReleaseEvent>(
    .type("de.dos2030.warnings.release-proposed.v1", write: { if case .proposed(let event) = $0 { event } else { nil } }, read: ReleaseEvent.proposed),
    .type("de.dos2030.warnings.release-approved.v1", write: { if case .approved(let event) = $0 { event } else { nil } }, read: ReleaseEvent.approved),
    .type("de.dos2030.warnings.release-revoked.v1", write: { if case .revoked(let event) = $0 { event } else { nil } }, read: ReleaseEvent.revoked))

  static let rules = EventTypes<RuleEvent>(
    .type("de.dos2030.warnings.rule-drafted.v1", write: { if case .drafted(let event) = $0 { event } else { nil } }, read: RuleEvent.drafted),
    .type("de.dos2030.warnings.rule-changed.v1", write: { if case .changed(let event) = $0 { event } else { nil } }, read: RuleEvent.changed),
    .type("de.dos2030.warnings.rule-activated.v1", write: { if case .activated(let event) = $0 { event } else { nil } }, read: RuleEvent.activated),
    .type("de.dos2030.warnings.rule-paused.v1", write: { if case .paused(let event) = $0 { event } else { nil } }, read: RuleEvent.paused),
    .type("de.dos2030.warnings.rule-retired.v1", write: { if case .retired(let event) = $0 { event } else { nil } }, read: RuleEvent.retired))

  static let templates = EventTypes<TemplateEvent>(
    .type("de.dos2030.warnings.template-saved.v1", write: { if case .saved(let event) = $0 { event } else { nil } }, read: TemplateEvent.saved),
    .type("de.dos2030.warnings.template-removed.v1", write: { if case .removed(let event) = $0 { event } else { nil } }, read: TemplateEvent.removed))

  static let published = EventTypes<PublishedEvent>(
    .type("de.dos2030.warnings.alert-published.v1", write: { if case .published(let event) = $0 { event } else { nil } }, read: PublishedEvent.published),
    .type("de.dos2030.warnings.alert-ended.v1", write: { if case .ended(let event) = $0 { event } else { nil } }, read: PublishedEvent.ended))
}
