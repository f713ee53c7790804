import DecidingTesting
import SensorDomain
import Testing

@Suite("A datastream")
struct DatastreamDeciderTests {
  private let opened = DatastreamEvent.opened(DatastreamOpened(id: 4, datastream: occupancy, time: noon))
  private let closed = DatastreamEvent.closed(DatastreamClosed(id: 4, time: noon))

  @Test("is opened, changed and closed")
  func life() {
    let widened = occupancy.with { $0.plausibleRange = PlausibleRange(min: 0, max: 500) }
    given(DatastreamDecider.self).when(.open(id: 4, occupancy, time: noon)).then(opened)
    given(DatastreamDecider.self, opened)
      .when(.change(id: 4, DatastreamChange(plausibleRange: PlausibleRange(min: 0, max: 500))))
      .then(.changed(DatastreamChanged(id: 4, datastream: widened)))
    given(DatastreamDecider.self, opened).when(.close(id: 4, time: noon)).then(closed)
  }

  @Test("that is closed takes no more decisions")
  func ended() {
    given(DatastreamDecider.self, opened, closed).when(.close(id: 4, time: noon)).thenRefused(.ended(.datastream, id: 4))
    given(DatastreamDecider.self, opened, closed).when(.change(id: 4, DatastreamChange(name: "x"))).thenRefused(.ended(.datastream, id: 4))
    given(DatastreamDecider.self, opened, closed).when(.open(id: 4, occupancy, time: noon)).thenRefused(.ended(.datastream, id: 4))
  }

  @Test("is deleted after its end or with it, and is unknown from then on")
  func deletes() {
    let deleted = DatastreamEvent.deleted(DatastreamDeleted(id: 4, time: noon))
    given(DatastreamDecider.self, opened).when(.delete(id: 4, time: noon)).then(closed, deleted)
    given(DatastreamDecider.self, opened, closed).when(.delete(id: 4, time: noon)).then(deleted)
    given(DatastreamDecider.self, opened, closed, deleted).when(.close(id: 4, time: noon)).thenRefused(.unknown(.datastream, id: 4))
  }

  @Test("keeps its visibility for life")
  func visibility() {
    given(DatastreamDecider.self, opened)
      .when(.change(id: 4, DatastreamChange(visibility: .partner)))
      .thenRefused(.visibilityIsForLife(datastream: 4, visibility: .public, asked: .partner))
  }

  @Test("keeps what its results are for life")
  func observationType() {
    given(DatastreamDecider.self, opened)
      .when(.change(id: 4, DatastreamChange(observationType: .truth)))
      .thenRefused(.observationTypeIsForLife(datastream: 4, observationType: .measurement, asked: .truth))
  }

  @Test(
    "needs a unit that UCUM or a URI defines, where it measures",
    arguments: [nil, "", "Celsius", "ucum:", "ucum:m[H2O", "ucum:{a{b}}", "ucum:°C", "ucum:a b"])
  func unit(_ definition: String?) {
    let refusal = #expect(throws: RegistryRefusal.self) {
      try DatastreamDecider.decide(.open(id: 4, occupancy.with { $0.unitOfMeasurement.definition = definition }, time: noon), .unknown)
    }
    guard case .faults(let faults)? = refusal else { return }
    #expect(faults.map(\.path) == ["unitOfMeasurement/definition"])
  }

  @Test("takes these units", arguments: ["ucum:Cel", "ucum:ug/m3", "ucum:m[H2O]", "ucum:{count}/h", "http://qudt.org/vocab/unit/DEG_C"])
  func units(_ definition: String) throws {
    _ = try DatastreamDecider.decide(.open(id: 4, occupancy.with { $0.unitOfMeasurement.definition = definition }, time: noon), .unknown)
  }

  @Test("is refused with a range that holds nothing")
  func range() {
    given(DatastreamDecider.self)
      .when(.open(id: 4, occupancy.with { $0.plausibleRange = PlausibleRange(min: 5, max: 1) }, time: noon))
      .thenRefused(.faults([FieldFault("properties/dos:plausibleRange", "has min 5.0 above max 1.0", expected: "min at most max")]))
  }

  @Test("is refused with an interval that never ends")
  func interval() {
    given(DatastreamDecider.self)
      .when(.open(id: 4, occupancy.with { $0.reporting = .periodic(interval: 0) }, time: noon))
      .thenRefused(.faults([FieldFault("properties/dos:reporting/interval", "is 0 s", expected: "1 second to 366 days")]))
  }

  @Test("is silent after twice what it promised, and never when it promised nothing")
  func silence() {
    #expect(Reporting.periodic(interval: 60).silentAfter == 120)
    #expect(Reporting.onChangeWithHeartbeat(3_600).silentAfter == 7_200)
    #expect(Reporting.onChange.silentAfter == nil)
  }

  @Test("finds plausible what lies in its range, ends included")
  func plausible() {
    #expect(PlausibleRange(min: 0, max: 1).contains(0))
    #expect(PlausibleRange(min: 0, max: 1).contains(1))
    #expect(!PlausibleRange(min: 0, max: 1).contains(1.01))
    #expect(PlausibleRange(min: nil, max: 1).contains(-1_000))
  }
}
