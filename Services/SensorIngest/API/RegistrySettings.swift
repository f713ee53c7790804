import SensorDomain

/// What configuration says about the registry.
struct RegistrySettings: Sendable {
  /// Where nothing else is said, a thing is this city's.
  var city: City
  var cities: [City]
  /// What a thing has that names no governance of its own; a datastream has its thing's.
  var governance: SensorDomain.Governance

  init(city: City, cities: [City] = [City(rawValue: "dortmund"), City(rawValue: "schwerte")]) {
    self.city = city
    self.cities = cities.contains(city) ? cities : cities + [city]
    governance = SensorDomain.Governance(
      owner: city.rawValue, purpose: "city sensing", legalBasis: "Art. 6 (1) e GDPR, where personal data is concerned at all", retention: .forever)
  }
}
