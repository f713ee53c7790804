public import Deciding
import Foundation
import Time

/// Four eyes from the draft to the all-clear: nobody approves their own, an approval holds for exactly the revision it names, and only the last message issued
/// can be changed. At night the second pair of eyes may come from the other city.
public enum AlertDecider: Decider {
  public static var initial: AlertState { .none }

  /// How long a withdrawal or an all-clear is shown.
  public static let endingShown = Duration.seconds(86_400)
  /// How often a request that nobody answers is passed on to somebody else.
  public static let mostEscalations = 3
  /// How long a control room has before a request is escalated.
  public static let requestAnswered = Duration.seconds(300)

  public static func decide(_ command: AlertCommand, _ state: AlertState) throws(AlertRefusal) -> [AlertEvent] {
    switch (command, state) {
    case (.draft(let alert, let message, let city, let mode, let origin, let content, let by, let at), .none):
      try ofCity(by, city)
      let draft = Draft(message: message, kind: .alert, refersTo: nil, revision: 1, content: content, authors: [by])
      return [.drafted(AlertDrafted(alert: alert, city: city, mode: mode, origin: origin, draft: draft, by: by, at: at))]
    case (.draft, .chain): throw .taken
    case (_, .none): throw .unknown
    case (.review(let justified, let note, let by, let at), .chain(let chain)):
      guard case .due(let issuer) = chain.review, let head = chain.head else { throw .noReviewDue }
      guard issuer.subject != by.subject else { throw .ownWork(subject: by.subject) }
      return [.reviewed(AlertReviewed(message: head.message, justified: justified, note: note, by: by, at: at))]
    case (let command, .chain(let chain)):
      if let ending = chain.ending { throw .ended(ending) }
      return try Deciding(chain: chain).decide(command)
    }
  }

  public static func evolve(_ state: AlertState, _ event: AlertEvent) -> AlertState {
    switch (state, event) {
    case (.none, .drafted(let drafted)):
      var chain = AlertChain(id: drafted.alert, city: drafted.city, mode: drafted.mode, origin: drafted.origin)
      chain.preparing = Preparing(draft: drafted.draft, stage: .drafted)
      return .chain(chain)
    case (.none, _): return .none
    case (.chain(var chain), let event):
      chain.evolve(event)
      return .chain(chain)
    }
  }

  static func ofCity(_ officer: Officer, _ city: String) throws(AlertRefusal) {
    if let own = officer.city, own != city { throw .otherCity(of: officer.subject, city: city) }
  }

  /// From ten at night to six in the morning, by the city's clocks: when one officer of each city is on duty.
  public static func isNight(_ time: Instant) -> Bool {
    // Counted from the end of the day, since its beginning may be an hour nearer or further.
    let left = CityDay(time).end - time
    return left <= .seconds(2 * 3_600) || left > .seconds(18 * 3_600)
  }
}

/// A command that meets a chain which is not over.
private struct Deciding {
  let chain: AlertChain

  func decide(_ command: AlertCommand) throws(AlertRefusal) -> [AlertEvent] {
    switch command {
    case .draft, .review: throw .taken
    case .amend(let kind, let refersTo, let message, let content, let by, let at): return try amend(kind, refersTo, message, content, by, at)
    case .edit(let content, let by, let at):
      let draft = try draft(at: [.drafted, .returned])
      try AlertDecider.ofCity(by, chain.city)
      return [.edited(AlertEdited(message: draft.message, revision: draft.revision + 1, content: content, by: by, at: at))]
    case .submit(let by, let at):
      let draft = try draft(at: [.drafted, .returned])
      try AlertDecider.ofCity(by, chain.city)
      try checkContent(of: draft, at)
      return [.submitted(AlertSubmitted(message: draft.message, revision: draft.revision, by: by, at: at))]
    case .returnForEdit(let reason, let by, let at):
      let draft = try draft(at: [.submitted])
      try checkSecond(by, draft, at)
      return [.returned(AlertReturned(message: draft.message, reason: try given(reason), by: by, at: at))]
    case .reject(let reason, let by, let at):
      let draft = try draft(at: [.drafted, .submitted, .returned])
      // Whoever wrote it may give it up; to reject another's takes the same as to approve it.
      if !draft.authors.contains(where: { $0.subject == by.subject }) { try checkSecond(by, draft, at) }
      return [.rejected(AlertRejected(message: draft.message, reason: try given(reason), by: by, at: at))]
    case .approve(let revision, let authority, let release, let by, let at): return try approve(revision, authority, release, by, at)
    case .breakGlass(let revision, let reason, let authority, let by, let at): return try breakGlass(revision, reason, authority, by, at)
    case .acknowledge(let by, let at):
      let (draft, requested) = try request()
      try checkControlRoom(by, requested)
      try checkInTime(draft, at)
      var approvals = requested.approvals
      approvals.acknowledgedBy = by
      return [.issued(issued(draft, requested.authority, approvals, chain.channels(of: draft, under: approvals.release), at))]
    case .decline(let reason, let by, let at):
      let (draft, requested) = try request()
      try checkControlRoom(by, requested)
      return [.requestDeclined(RequestDeclined(message: draft.message, reason: try given(reason), by: by, at: at))]
    case .escalate(let message, let at):
      // Answered meanwhile, or about another message: nothing to escalate.
      guard case .requested(let requested, let escalations)? = chain.preparing?.stage, requested.message == message, escalations < AlertDecider.mostEscalations
      else { return [] }
      return [.requestEscalated(RequestEscalated(message: message, authority: requested.authority.id, times: escalations + 1, at: at))]
    case .expire(let message, let at):
      guard let head = chain.head, head.message == message else { return [] }
      guard at >= head.content.expires else { throw .notExpired(until: head.content.expires) }
      return [.expired(AlertExpired(alert: chain.id, message: message, at: at))]
    }
  }

  private func amend(
    _ kind: MessageKind, _ refersTo: UUID, _ message: UUID, _ content: AlertContent, _ by: Officer, _ at: Instant
  ) throws(AlertRefusal) -> [AlertEvent] {
    guard kind != .alert else { throw .notAnAmendment }
    guard let head = chain.head else { throw .notIssuedYet }
    guard head.message == refersTo else { throw .notHead(given: refersTo, head: head.message) }
    if let preparing = chain.preparing { throw .draftOpen(message: preparing.draft.message) }
    try AlertDecider.ofCity(by, chain.city)
    let draft = Draft(message: message, kind: kind, refersTo: refersTo, revision: 1, content: content, authors: [by])
    return [.drafted(AlertDrafted(alert: chain.id, city: chain.city, mode: chain.mode, origin: chain.origin, draft: draft, by: by, at: at))]
  }

  private func approve(
    _ revision: Int, _ authority: Authority, _ release: Release?, _ by: Officer, _ at: Instant
  ) throws(AlertRefusal) -> [AlertEvent] {
    let draft = try draft(at: [.submitted])
    try checkSecond(by, draft, at)
    guard draft.revision == revision else { throw .revisionChanged(given: revision, now: draft.revision) }
    try checkContent(of: draft, at)
    let under = release.flatMap { $0.covers(chain.mode, in: chain.city, at: at) ? $0 : nil }
    let approvals = Approvals(authors: draft.authors, approvedBy: by, breakGlass: nil, release: under?.id)
    let approved = AlertEvent.approved(AlertApproved(message: draft.message, revision: revision, by: by, at: at))
    return [approved, outward(draft, authority, approvals, at)]
  }

  private func breakGlass(
    _ revision: Int, _ reason: String, _ authority: Authority, _ by: Officer, _ at: Instant
  ) throws(AlertRefusal) -> [AlertEvent] {
    let draft = try draft(at: [.drafted, .submitted, .returned])
    try AlertDecider.ofCity(by, chain.city)
    guard chain.mode == .actual else { throw .onlyForActual }
    guard draft.revision == revision else { throw .revisionChanged(given: revision, now: draft.revision) }
    try checkContent(of: draft, at)
    var authors = draft.authors
    if !authors.contains(by) { authors.append(by) }
    let approvals = Approvals(authors: authors, approvedBy: nil, breakGlass: try given(reason))
    return [outward(draft, authority, approvals, at)]
  }

  /// Out, or to the control room that is competent there: the glass that can be broken is one's own.
  private func outward(_ draft: Draft, _ authority: Authority, _ approvals: Approvals, _ at: Instant) -> AlertEvent {
    guard authority.isOwn(of: chain.city) else {
      return .requested(Requested(message: draft.message, authority: authority, approvals: approvals, at: at))
    }
    return .issued(issued(draft, authority, approvals, chain.channels(of: draft, under: approvals.release), at))
  }

  private func issued(_ draft: Draft, _ authority: Authority, _ approvals: Approvals, _ channels: [Channel], _ at: Instant) -> AlertIssued {
    let head = chain.head.map { MessageReference(message: $0.message, sent: $0.sent) }
    return AlertIssued(
      alert: chain.id, message: draft.message, kind: draft.kind, city: chain.city, mode: chain.mode, content: draft.content,
      references: chain.earlier + [head].compactMap { $0 }, authority: authority, approvals: approvals, channels: channels, sent: at)
  }

  private enum Needed: String {
    case drafted, submitted, returned
  }

  private func draft(at stages: [Needed]) throws(AlertRefusal) -> Draft {
    guard let preparing = chain.preparing else { throw .noDraft }
    let now: Needed? =
      switch preparing.stage {
      case .drafted: .drafted
      case .submitted: .submitted
      case .returned: .returned
      case .requested: nil
      }
    guard let now, stages.contains(now) else {
      throw .wrongStage(is: now?.rawValue ?? "requested", needs: stages.map(\.rawValue).joined(separator: " or "))
    }
    return preparing.draft
  }

  private func request() throws(AlertRefusal) -> (Draft, Requested) {
    guard let preparing = chain.preparing else { throw .noDraft }
    guard case .requested(let requested, _) = preparing.stage else { throw .wrongStage(is: preparing.stage.name, needs: "requested") }
    return (preparing.draft, requested)
  }

  private func checkContent(of draft: Draft, _ at: Instant) throws(AlertRefusal) {
    let problems = draft.content.problems(mode: chain.mode, at: at)
    guard problems.isEmpty else { throw .problems(problems) }
    guard let head = chain.head else { return }
    let leftOut = head.channels.filter { !draft.content.channels.contains($0) }
    guard leftOut.isEmpty else { throw .channelsLeftOut(leftOut) }
    guard !draft.kind.isEnding || draft.content.area.outline == head.content.area.outline else { throw .otherArea }
  }

  private func checkInTime(_ draft: Draft, _ at: Instant) throws(AlertRefusal) {
    guard draft.content.expires > at else { throw .expired(at: draft.content.expires) }
  }

  private func checkSecond(_ by: Officer, _ draft: Draft, _ at: Instant) throws(AlertRefusal) {
    if draft.authors.contains(where: { $0.subject == by.subject }) { throw .ownWork(subject: by.subject) }
    if !AlertDecider.isNight(at) { try AlertDecider.ofCity(by, chain.city) }
  }

  private func checkControlRoom(_ by: Officer, _ requested: Requested) throws(AlertRefusal) {
    if let own = by.city, own != requested.authority.id { throw .notCompetent(authority: requested.authority.id) }
  }

  private func given(_ reason: String) throws(AlertRefusal) -> String {
    guard !reason.allSatisfy(\.isWhitespace) else { throw .reasonMissing }
    return reason
  }
}

extension Stage {
  /// As it is said.
  public enum Name: String, CaseIterable, Sendable { case drafted, submitted, returned, requested }

  public var name: String {
    let name: Name =
      switch self {
      case .drafted: .drafted
      case .submitted: .submitted
      case .returned: .returned
      case .requested: .requested
      }
    return name.rawValue
  }
}

extension AlertChain {
  /// Those a message really goes to. An exercise or test reaches nobody outside without a release.
  func channels(of draft: Draft, under release: UUID?) -> [Channel] {
    mode == .actual || release != nil ? draft.content.channels.sorted() : []
  }

  mutating func evolve(_ event: AlertEvent) {
    switch event {
    case .drafted(let drafted): preparing = Preparing(draft: drafted.draft, stage: .drafted)
    case .edited(let edited):
      preparing?.draft.content = edited.content
      preparing?.draft.revision = edited.revision
      add(author: edited.by)
      preparing?.stage = .drafted
    case .submitted(let submitted):
      add(author: submitted.by)
      preparing?.stage = .submitted
    case .returned(let returned): preparing?.stage = .returned(reason: returned.reason)
    case .requestDeclined(let declined): preparing?.stage = .returned(reason: declined.reason)
    case .rejected:
      preparing = nil
      if head == nil { ending = .neverIssued }
    case .approved: break
    case .requested(let requested): preparing?.stage = .requested(requested, escalations: 0)
    case .requestEscalated(let escalated):
      if case .requested(let requested, _)? = preparing?.stage { preparing?.stage = .requested(requested, escalations: escalated.times) }
    case .issued(let issued):
      if let head { earlier.append(MessageReference(message: head.message, sent: head.sent)) }
      head = issued
      preparing = nil
      if issued.approvals.breakGlass != nil, let issuer = issued.approvals.authors.last { review = .due(issuedBy: issuer) }
      if issued.kind == .cancel { ending = .cancelled }
      if issued.kind == .allClear { ending = .allClear }
    case .reviewed: review = .done
    case .expired:
      ending = .expired
      preparing = nil
    }
  }

  private mutating func add(author: Officer) {
    if preparing?.draft.authors.contains(author) == false { preparing?.draft.authors.append(author) }
  }
}
