public import Foundation
public import Time

/// What is decided about an alert. All but `draft` meet a chain that is there.
public enum AlertCommand: Hashable, Sendable {
  case draft(alert: UUID, message: UUID, city: String, mode: AlertMode, origin: AlertOrigin, content: AlertContent, by: Officer, at: Instant)
  /// Begins the next message about what was issued: `kind` is none but update, cancel or all-clear.
  case amend(kind: MessageKind, refersTo: UUID, message: UUID, content: AlertContent, by: Officer, at: Instant)
  case edit(AlertContent, by: Officer, at: Instant)
  case submit(by: Officer, at: Instant)
  case returnForEdit(reason: String, by: Officer, at: Instant)
  case reject(reason: String, by: Officer, at: Instant)
  /// - Parameters:
  ///   - revision: the version that was read and is approved.
  ///   - authority: who is competent for the area.
  ///   - release: that under which an exercise or test may reach real channels now.
  case approve(revision: Int, authority: Authority, release: Release?, by: Officer, at: Instant)
  /// Issues at once, without a second pair of eyes.
  case breakGlass(revision: Int, reason: String, authority: Authority, by: Officer, at: Instant)
  case review(justified: Bool, note: String, by: Officer, at: Instant)
  /// The competent control room takes a request on.
  case acknowledge(by: Officer, at: Instant)
  case decline(reason: String, by: Officer, at: Instant)
  /// Nobody has answered a request.
  case escalate(message: UUID, at: Instant)
  /// The time has come that the message named.
  case expire(message: UUID, at: Instant)
}

/// Why a decision about an alert was not taken, with the facts.
public enum AlertRefusal: Error, Hashable, Sendable {
  case unknown
  case taken
  /// It is over, and by what.
  case ended(AlertChain.Ending)
  /// Something else is being prepared: only one message at a time.
  case draftOpen(message: UUID)
  case noDraft
  /// What it refers to is not the last one issued.
  case notHead(given: UUID, head: UUID?)
  case notIssuedYet
  /// An alert cannot follow in a chain.
  case notAnAmendment
  /// The draft's stage does not allow it; says which it would need.
  case wrongStage(is: String, needs: String)
  case problems([ContentProblem])
  /// Those who were warned must hear it.
  case channelsLeftOut([Channel])
  /// Who is withdrawn from or told that it is over must be the same people.
  case otherArea
  case ownWork(subject: String)
  case otherCity(of: String, city: String)
  case revisionChanged(given: Int, now: Int)
  case expired(at: Instant)
  case reasonMissing
  /// Breaking the glass is for what is meant.
  case onlyForActual
  case notCompetent(authority: String)
  case noReviewDue
  case notExpired(until: Instant)
}
