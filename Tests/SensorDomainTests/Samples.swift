import SensorDomain
import Time

let noon = Instant(milliseconds: 1_592_220_000_000)
let dortmund = City(rawValue: "dortmund")
let governance = Governance(
  owner: "Tiefbauamt", purpose: "Parkleitsystem", legalBasis: "Art. 6 (1) e DSGVO", retention: .days(3_650), successor: "Dortmunder Systemhaus")
let carPark = Thing(
  name: "Parkhaus Kampstraße", description: "Parkhaus mit 400 Plätzen", properties: .object(["capacity": .int(400)]), city: dortmund, governance: governance)
let relocation = Relocation(locations: [7], historicalLocation: 70, time: noon)
let occupancy = Datastream(
  name: "Freie Plätze", description: "", unitOfMeasurement: UnitOfMeasurement(name: "Plätze", symbol: "", definition: "ucum:1"),
  observationType: .measurement, thing: 1, sensor: 2, observedProperty: 3, plausibleRange: PlausibleRange(min: 0, max: 400), visibility: .public,
  reporting: .onChangeWithHeartbeat(3_600), city: dortmund, governance: governance)
let market = Location(
  name: "Hansaplatz", description: "", encodingType: "application/geo+json",
  location: .object(["type": .string("Point"), "coordinates": .array([.number(7.4653), .number(51.5136)])]))

extension Datastream {
  /// The datastream with something else about it.
  func with(_ change: (inout Datastream) -> Void) -> Datastream {
    var copy = self
    change(&copy)
    return copy
  }
}
