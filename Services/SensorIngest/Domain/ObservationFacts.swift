import Time

/// A reading that was taken, as it travels.
public struct RecordedReading: Hashable, Sendable {
  /// Below 2^53, drawn at intake: the answer could name it before anything was stored.
  public let id: Int64
  public let observation: Observation
  public let verdict: Verdict
  /// Whether it takes the place of what was read for its time before even where the result is the same: somebody changed the rest of it.
  public let revises: Bool

  public init(id: Int64, observation: Observation, verdict: Verdict, revises: Bool = false) {
    self.id = id
    self.observation = observation
    self.verdict = verdict
    self.revises = revises
  }
}

/// The fact that readings of one datastream were taken, `de.dos2030.sensors.observations-recorded.v1`.
public struct ObservationsRecorded: Hashable, Sendable {
  public static let type = "de.dos2030.sensors.observations-recorded.v1"
  /// How many readings travel in one event at most.
  public static let readingLimit = 1_000
  /// How many bytes of readings travel in one event at most.
  public static let byteLimit = 256_000

  public let datastream: Int64
  /// The FeatureOfInterest of the place where the thing stood when they were taken; of readings that name none themselves.
  public let feature: Int64?
  public let readings: [RecordedReading]

  public init(datastream: Int64, feature: Int64? = nil, readings: [RecordedReading]) {
    self.datastream = datastream
    self.feature = feature
    self.readings = readings
  }
}

/// The fact that a reading no longer holds, `de.dos2030.sensors.observation-withdrawn.v1`. A later reading for the same time holds again.
public struct ObservationWithdrawn: Hashable, Sendable {
  public static let type = "de.dos2030.sensors.observation-withdrawn.v1"

  public let datastream: Int64
  public let phenomenonTime: Instant

  public init(datastream: Int64, phenomenonTime: Instant) {
    self.datastream = datastream
    self.phenomenonTime = phenomenonTime
  }
}
