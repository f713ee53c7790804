import SensorDomain
import Time

/// Which observation something is about.
struct ObservationKey: Hashable, Sendable {
  let datastream: Int64
  let phenomenonTime: Instant
}

/// A row of `observations` or `observation_revisions`.
struct StoredObservation: Hashable, Sendable {
  let key: ObservationKey
  let id: Int64
  var observation: Observation
  var implausible: Bool
  var withdrawn: Bool
  /// Where it stands in the topic: the event's offset, and the reading's place in the event.
  var offset: Int64
  var index: Int32

  func isLater(than other: StoredObservation) -> Bool { (offset, index) > (other.offset, other.index) }
}

/// What one log entry says about one observation.
enum ObservationChange: Hashable, Sendable {
  /// - Parameter revises: it takes the place of what holds even with the same result.
  case reading(StoredObservation, revises: Bool = false)
  case withdrawal(ObservationKey, offset: Int64, index: Int32)

  var key: ObservationKey {
    switch self {
    case .reading(let row, _): row.key
    case .withdrawal(let key, _, _): key
    }
  }
}

/// What a batch of changes makes of what is stored, computed before anything is written: pure, and the rule of section 2 of the design in one place.
struct ObservationFolding {
  /// What holds after the batch for every key that changed.
  private(set) var holding: [ObservationKey: StoredObservation] = [:]
  /// Keys whose row was there before and must be written over.
  private(set) var changed: Set<ObservationKey> = []
  /// Keys that have no row yet, in the order they came.
  private(set) var added: [ObservationKey] = []
  private(set) var revisions: [StoredObservation] = []
  private(set) var aliases: [(id: Int64, key: ObservationKey)] = []

  private let stored: [ObservationKey: StoredObservation]

  init(_ changes: [ObservationChange], stored: [ObservationKey: StoredObservation]) {
    self.stored = stored
    holding.reserveCapacity(changes.count)
    for change in changes { apply(change) }
  }

  private mutating func apply(_ change: ObservationChange) {
    let before = holding[change.key] ?? stored[change.key]
    switch (change, before) {
    case (.reading(let row, _), nil): hold(row)
    case (.reading(let row, let revises), let before?):
      // At or behind what holds: the log is being read again from an earlier offset.
      guard row.isLater(than: before) else { return }
      if !revises || row.observation == before.observation, row.observation.result == before.observation.result, !before.withdrawn {
        if row.id != before.id { aliases.append((row.id, row.key)) }
      } else {
        revise(before, with: row)
      }
    case (.withdrawal, nil): break
    case (.withdrawal(_, let offset, let index), let before?):
      guard (offset, index) > (before.offset, before.index), !before.withdrawn else { return }
      var row = before
      row.withdrawn = true
      row.offset = offset
      row.index = index
      revise(before, with: row)
    }
  }

  private mutating func revise(_ before: StoredObservation, with row: StoredObservation) {
    revisions.append(before)
    if before.id != row.id { aliases.append((before.id, before.key)) }
    hold(row)
  }

  private mutating func hold(_ row: StoredObservation) {
    if stored[row.key] != nil { changed.insert(row.key) } else if holding[row.key] == nil { added.append(row.key) }
    holding[row.key] = row
  }
}
