import Deciding
import EventSourcing
import Foundation
import WarningDomain

/// What a parcel says, as it stands when it is sent.
enum Letter: Sendable {
  case alert(PublishedAlert)
  /// A hint for whoever is on duty.
  case hint(Hint)
  /// A request to a control room, with what is to be warned of.
  case request(AlertChain, Draft)

  /// The stable id under which the other side knows it, however often it comes.
  func id(_ parcel: Parcel) -> String { parcel.message.uuidString.lowercased() }
}

/// Reads what parcels say from the decisions they follow from.
struct LetterReader: Sendable {
  let decisions: Journal

  /// nil where there is nothing to send any more: the hint is over, the request is answered, the release was revoked.
  func letter(for parcel: Parcel, to destination: Destination) async throws -> Letter? {
    if parcel.kind == .page {
      if case .hint(let hint) = try await hint(destination.subject) { return hint.standing == .raised ? .hint(hint) : nil }
      guard case .chain(let chain) = try await chain(destination.subject), let preparing = chain.preparing, case .requested = preparing.stage else {
        return nil
      }
      return .request(chain, preparing.draft)
    }
    let events = try await events(WarningStreams.alert(destination.subject), WarningCoding.alerts)
    for case .issued(let issued) in events where issued.message == parcel.message {
      if let release = issued.approvals.release {
        guard case .approved = try await state(ReleaseDecider.self, WarningStreams.release(release), WarningCoding.releases) else { return nil }
      }
      return .alert(PublishedAlert(issued))
    }
    return nil
  }

  func chain(_ id: UUID) async throws -> AlertState { try await state(AlertDecider.self, WarningStreams.alert(id), WarningCoding.alerts) }
  func hint(_ id: UUID) async throws -> HintState { try await state(HintDecider.self, WarningStreams.hint(id), WarningCoding.hints) }
  func delivery(_ stream: String) async throws -> DeliveryState { try await state(DeliveryDecider.self, stream, WarningCoding.deliveries) }
  func release(_ id: UUID) async throws -> ReleaseState { try await state(ReleaseDecider.self, WarningStreams.release(id), WarningCoding.releases) }

  private func state<D: Decider>(_ decider: D.Type, _ stream: String, _ coding: EventTypes<D.Event>) async throws -> D.State {
    D.state(after: try await events(stream, coding))
  }

  private func events<Event>(_ stream: String, _ coding: EventTypes<Event>) async throws -> [Event] {
    try await decisions.read(stream: stream).compactMap { try coding.decode(type: $0.type, data: $0.data) }
  }
}
