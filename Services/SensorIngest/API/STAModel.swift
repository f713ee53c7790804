/// The entity types of this service, by name and by the name of their set. Fixed at start.
struct STAModel: Sendable {
  private let byName: [String: STAEntityType]
  let types: [STAEntityType]

  init(_ types: [STAEntityType]) {
    self.types = types
    byName = Dictionary(types.map { ($0.name, $0) }, uniquingKeysWith: { first, _ in first })
  }

  func type(_ name: String) -> STAEntityType? { byName[name] }

  func set(_ name: String) -> STAEntityType? { types.first { $0.set == name } }

  /// Where a navigation leads; nil where its target is not served.
  func target(of navigation: STANavigation) -> STAEntityType? { byName[navigation.target] }

  /// The registry's types alone.
  static let registry: [STAEntityType] = [.thing, .location, .historicalLocation, .sensor, .observedProperty, .featureOfInterest, .datastream]
}

extension STAEntityType {
  static let thing = STAEntityType(
    "Thing", set: "Things", table: "things",
    properties: [
      STAProperty("name", .text, "{t}.name"), STAProperty("description", .text, "{t}.description"),
      STAProperty("properties", .json, withEnd("dos:retiredAt", "{t}.retired_at")),
    ],
    navigations: [
      STANavigation("Datastreams", to: "Datastream", .children("thing_id")),
      STANavigation("Locations", to: "Location", .pairs(table: "thing_locations", this: "thing_id", other: "location_id")),
      STANavigation("HistoricalLocations", to: "HistoricalLocation", .children("thing_id")),
    ])

  static let location = STAEntityType(
    "Location", set: "Locations", table: "locations",
    properties: [
      STAProperty("name", .text, "{t}.name"), STAProperty("description", .text, "{t}.description"), STAProperty("encodingType", .text, "{t}.encoding_type"),
      STAProperty("location", .json, "{t}.location"), STAProperty("properties", .json, "{t}.properties"),
    ],
    navigations: [
      STANavigation("Things", to: "Thing", .pairs(table: "thing_locations", this: "location_id", other: "thing_id")),
      STANavigation(
        "HistoricalLocations", to: "HistoricalLocation",
        .pairs(table: "historical_location_locations", this: "location_id", other: "historical_location_id")),
    ])

  static let historicalLocation = STAEntityType(
    "HistoricalLocation", set: "HistoricalLocations", table: "historical_locations",
    properties: [STAProperty("time", .instant, "{t}.time")],
    navigations: [
      STANavigation("Thing", to: "Thing", .parent("thing_id")),
      STANavigation("Locations", to: "Location", .pairs(table: "historical_location_locations", this: "historical_location_id", other: "location_id")),
    ])

  static let sensor = STAEntityType(
    "Sensor", set: "Sensors", table: "sensors",
    properties: [
      STAProperty("name", .text, "{t}.name"), STAProperty("description", .text, "{t}.description"), STAProperty("encodingType", .text, "{t}.encoding_type"),
      STAProperty("metadata", .json, "{t}.metadata"), STAProperty("properties", .json, "{t}.properties"),
    ],
    navigations: [STANavigation("Datastreams", to: "Datastream", .children("sensor_id"))])

  static let observedProperty = STAEntityType(
    "ObservedProperty", set: "ObservedProperties", table: "observed_properties",
    properties: [
      STAProperty("name", .text, "{t}.name"), STAProperty("definition", .text, "{t}.definition"), STAProperty("description", .text, "{t}.description"),
      STAProperty("properties", .json, "{t}.properties"),
    ],
    navigations: [STANavigation("Datastreams", to: "Datastream", .children("observed_property_id"))])

  static let featureOfInterest = STAEntityType(
    "FeatureOfInterest", set: "FeaturesOfInterest", table: "features_of_interest",
    properties: [
      STAProperty("name", .text, "{t}.name"), STAProperty("description", .text, "{t}.description"), STAProperty("encodingType", .text, "{t}.encoding_type"),
      STAProperty("feature", .json, "{t}.feature"), STAProperty("properties", .json, "{t}.properties"),
    ],
    navigations: [
      STANavigation(
        "Observations", to: "Observation",
        .condition(
          """
          {other}.feature_id = {this}.id and exists (
            select 1 from observed_features pair where pair.feature_id = {this}.id and pair.datastream_id = {other}.datastream_id)
          """))
    ])

  static let datastream = STAEntityType(
    "Datastream", set: "Datastreams", table: "datastreams",
    access: .visibility("{t}.visibility", city: "{t}.city"),
    properties: [
      STAProperty("name", .text, "{t}.name"), STAProperty("description", .text, "{t}.description"), STAProperty("unitOfMeasurement", .json, "{t}.unit"),
      STAProperty("observationType", .text, "{t}.observation_type"), STAProperty("properties", .json, withEnd("dos:closedAt", "{t}.closed_at")),
    ],
    navigations: [
      STANavigation("Thing", to: "Thing", .parent("thing_id")), STANavigation("Sensor", to: "Sensor", .parent("sensor_id")),
      STANavigation("ObservedProperty", to: "ObservedProperty", .parent("observed_property_id")),
      STANavigation(
        "Observations", to: "Observation", .children("datastream_id"), passesAccess: true, siblingKey: "phenomenonTime",
        partitionedBy: "{t}.phenomenon_time"),
    ])

  /// What has ended stays readable, and says when it ended.
  private static func withEnd(_ name: String, _ column: String) -> STASQL {
    STASQL("(case when \(column) is null then {t}.properties else {t}.properties || jsonb_build_object('\(name)', \(rfc3339(column))) end)")
  }

  static func rfc3339(_ column: String) -> String { "to_char(\(column) at time zone 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS.MS\"Z\"')" }
}
