import Broker

/// The registry's topic: decisions, kept for ever, public as what is registered is. One partition, so that a thing with everything in it is one transaction
/// and everybody sees a thing before its datastreams.
enum SensorTopics {
  static let registry = Topic(
    name: "dos.sensors.registry", partitions: 1, visibility: .internal,
    governance: Governance(
      owner: "the cities' sensor teams", purpose: "which things measure what, where and for whom", legalBasis: "no personal data; § 3 EGovG NRW",
      retention: .forever, successor: "the city's geodata office"))
}
