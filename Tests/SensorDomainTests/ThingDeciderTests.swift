import DecidingTesting
import SensorDomain
import Testing
import Time

@Suite("A thing")
struct ThingDeciderTests {
  @Test("is registered with what is known about it")
  func registered() {
    given(ThingDecider.self)
      .when(.register(id: 1, carPark, relocation: nil, time: noon))
      .then(.registered(ThingRegistered(id: 1, thing: carPark, time: noon)))
  }

  @Test("that is registered at a place is remembered to have been there")
  func registeredSomewhere() {
    given(ThingDecider.self)
      .when(.register(id: 1, carPark, relocation: relocation, time: noon))
      .then(.registered(ThingRegistered(id: 1, thing: carPark, time: noon)), .relocated(ThingRelocated(id: 1, relocation: relocation)))
  }

  @Test("is not registered twice under one id")
  func twice() {
    given(ThingDecider.self, .registered(ThingRegistered(id: 1, thing: carPark, time: noon)))
      .when(.register(id: 1, carPark, relocation: nil, time: noon))
      .thenRefused(.taken(.thing, id: 1))
  }

  @Test("is refused with every fault at once")
  func faults() {
    var thing = carPark
    thing.name = " "
    thing.properties = .int(3)
    thing.governance.owner = ""
    given(ThingDecider.self)
      .when(.register(id: 1, thing, relocation: nil, time: noon))
      .thenRefused(
        .faults([
          FieldFault("name", "is blank", expected: "a name of 1 to 255 characters"),
          FieldFault("properties", "is not an object", expected: "a JSON object"),
          FieldFault("properties/dos:owner", "is blank", expected: "a text of 1 to 500 characters"),
        ]))
  }

  @Test("moves to another place")
  func relocates() {
    let elsewhere = Relocation(locations: [8], historicalLocation: 71, time: noon)
    given(ThingDecider.self, .registered(ThingRegistered(id: 1, thing: carPark, time: noon)))
      .when(.relocate(id: 1, elsewhere))
      .then(.relocated(ThingRelocated(id: 1, relocation: elsewhere)))
  }

  @Test("does not move to nowhere")
  func nowhere() {
    given(ThingDecider.self, .registered(ThingRegistered(id: 1, thing: carPark, time: noon)))
      .when(.relocate(id: 1, Relocation(locations: [], historicalLocation: 71, time: noon)))
      .thenRefused(.faults([FieldFault("Locations", "is empty", expected: "at least one location")]))
  }

  @Test("changes what is asked and nothing else")
  func changes() {
    var renamed = carPark
    renamed.name = "Parkhaus Hansaplatz"
    given(ThingDecider.self, .registered(ThingRegistered(id: 1, thing: carPark, time: noon)))
      .when(.change(id: 1, ThingChange(name: "Parkhaus Hansaplatz")))
      .then(.changed(ThingChanged(id: 1, thing: renamed)))
  }

  @Test("that is changed to what it is already has not changed")
  func changesNothing() {
    given(ThingDecider.self, .registered(ThingRegistered(id: 1, thing: carPark, time: noon)))
      .when(.change(id: 1, ThingChange(name: carPark.name)))
      .then()
  }

  @Test("retires once and stays retired")
  func retires() {
    let registered = ThingEvent.registered(ThingRegistered(id: 1, thing: carPark, time: noon))
    let retired = ThingEvent.retired(ThingRetired(id: 1, time: noon))
    given(ThingDecider.self, registered).when(.retire(id: 1, time: noon)).then(retired)
    given(ThingDecider.self, registered, retired).when(.retire(id: 1, time: noon)).thenRefused(.ended(.thing, id: 1))
    given(ThingDecider.self, registered, retired).when(.relocate(id: 1, relocation)).thenRefused(.ended(.thing, id: 1))
  }

  @Test("is deleted after its end or with it, and is unknown from then on")
  func deletes() {
    let registered = ThingEvent.registered(ThingRegistered(id: 1, thing: carPark, time: noon))
    let retired = ThingEvent.retired(ThingRetired(id: 1, time: noon))
    let deleted = ThingEvent.deleted(ThingDeleted(id: 1, time: noon))
    given(ThingDecider.self, registered).when(.delete(id: 1, time: noon)).then(retired, deleted)
    given(ThingDecider.self, registered, retired).when(.delete(id: 1, time: noon)).then(deleted)
    given(ThingDecider.self, registered, retired, deleted).when(.delete(id: 1, time: noon)).thenRefused(.unknown(.thing, id: 1))
    given(ThingDecider.self, registered, retired, deleted).when(.change(id: 1, ThingChange(name: "x"))).thenRefused(.unknown(.thing, id: 1))
  }

  @Test("remembers where somebody says that it was, and stays where it is")
  func history() {
    let registered = ThingEvent.registered(ThingRegistered(id: 1, thing: carPark, time: noon))
    let noted = ThingEvent.historyNoted(HistoricalLocationNoted(thing: 1, relocation: relocation))
    given(ThingDecider.self, registered).when(.noteHistory(id: 1, relocation)).then(noted)
    #expect(ThingDecider.state(after: [registered, noted]) == .active(carPark, locations: []))
    given(ThingDecider.self, registered, noted)
      .when(.withdrawHistory(id: 1, historicalLocation: relocation.historicalLocation))
      .then(.historyWithdrawn(HistoricalLocationWithdrawn(thing: 1, historicalLocation: relocation.historicalLocation)))
  }

  @Test(
    "that nobody registered can't be changed, moved or retired",
    arguments: [
      ThingCommand.change(id: 9, ThingChange(name: "x")), .relocate(id: 9, relocation), .retire(id: 9, time: noon),
    ])
  func unknown(_ command: ThingCommand) {
    given(ThingDecider.self).when(command).thenRefused(.unknown(.thing, id: 9))
  }
}
