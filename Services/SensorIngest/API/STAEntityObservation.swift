/// Observations as the queries see them. A withdrawn one is not there; who may see one is the datastream's to say.
extension STAEntityType {
  static let observation = STAEntityType(
    "Observation", set: "Observations", table: "observations", condition: "not {t}.withdrawn",
    access: .datastream("{t}.datastream_id"),
    properties: [
      STAProperty(
        "phenomenonTime", .instant, "{t}.phenomenon_time",
        shown: .span(from: "{t}.phenomenon_time", to: "{t}.phenomenon_end"), isRequired: true),
      STAProperty(
        "result", .result(number: "{t}.number", text: "{t}.text", bool: "{t}.truth"), "{t}.id",
        shown: .result(number: "{t}.number", truth: "{t}.truth", text: "{t}.text", json: "{t}.json")),
      STAProperty("resultTime", .instant, "{t}.result_time", writesNull: true), STAProperty("resultQuality", .json, "{t}.result_quality"),
      STAProperty("validTime", .text, "{t}.valid_time"), STAProperty("parameters", .json, "{t}.parameters"),
      STAProperty(
        "dos:verdict", .text, "(case when {t}.implausible then 'implausible' else 'plausible' end)",
        shown: .either("{t}.implausible", "implausible", "plausible")),
    ],
    navigations: [
      STANavigation("Datastream", to: "Datastream", .parent("datastream_id")),
      STANavigation("FeatureOfInterest", to: "FeatureOfInterest", .parent("feature_id")),
    ])
}
