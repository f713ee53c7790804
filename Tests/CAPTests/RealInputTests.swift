import CAP
import TestSupport
import Testing
import Time

/// What real senders sent, and what is wrong with it.
@Suite("CAP of real senders", .enabled(if: SharedData.has("cap/cap12.xsd"), Comment(rawValue: SharedData.missing)))
struct RealInputTests {
  private func read(_ name: String) throws -> CAPReader.Reading { try CAPReader.read(try SharedData.bytes("cap/\(name)")) }

  @Test(
    "is read, with a remark on each thing that is not as the standard says and on nothing else",
    arguments: [
      ("dwd-alert_1.xml", []), ("dwd-alert_1_update_1.xml", []), ("dwd-alert_1_update_2.xml", []),
      ("australia.cap", ["alert/info[1]/description", "alert/info[2]/description"]), ("canada_errors.cap", ["alert/references"]),
      ("earthquake.cap", ["alert"]), ("invalid.cap", ["alert/scope"]), ("no_optional_fields.cap", ["alert"]), ("weather.cap", ["alert"]),
      ("weather_invalid.atom", ["feed/entry/content/alert", "feed/entry/content/alert/identifier"]),
    ] as [(String, [String])])
  func remarks(name: String, paths: [String]) throws {
    let reading = try read(name)
    #expect(reading.remarks.map(\.path) == paths, "\(reading.remarks)")
    #expect(!reading.isSigned)
  }

  @Test("is refused where it could do harm or is in another encoding")
  func refused() throws {
    #expect(throws: CAPError.xml(.declaration(line: 3))) { try read("xee.cap") }
    #expect(throws: CAPError.xml(.encoding("ISO-8859-1", line: 1))) { try read("earthquake_signed.cap") }
  }

  @Test("that is signed is read, and the signature said to be unchecked")
  func signed() throws {
    let text = String(decoding: try SharedData.bytes("cap/earthquake_signed.cap"), as: UTF8.self).replacing("ISO-8859-1", with: "UTF-8")
    let reading = try CAPReader.read(Array(text.utf8))
    #expect(reading.isSigned)
    #expect(reading.remarks.map(\.path) == ["alert", "alert/Signature"])
  }

  @Test("has all of a federal warning in it")
  func dwd() throws {
    let alert = try read("dwd-alert_1.xml").alert
    #expect(alert.sender == "CAP@dwd.de")
    #expect(alert.sent == Instant(rfc3339: "2019-01-22T19:26:00Z"))
    let info = try #require(alert.infos.first)
    #expect(info.eventCodes.map(\.valueName) == ["PROFILE_VERSION", "LICENSE", "II", "GROUP", "GROUP", "AREA_COLOR"])
    #expect(info.instruction == nil)
    #expect(info.areas.count == 820)
    #expect(info.areas.flatMap(\.polygons).count == 1)
    #expect(info.areas.flatMap(\.geocodes).count { $0.valueName == "WARNCELLID" } == 819)
    #expect(info.areas.last?.ceiling == 9842.5197)
  }

  @Test("that is valid is written and read back as it was", arguments: ["dwd-alert_1.xml", "dwd-alert_1_update_2.xml", "earthquake.cap", "weather.cap"])
  func roundTrip(name: String) throws {
    let alert = try read(name).alert
    let again = try CAPReader.read(try alert.xml())
    #expect(again.alert == alert)
    #expect(again.remarks.isEmpty)
  }

  @Test("of a chain is one warning at a time, in whatever order it comes")
  func chain() throws {
    let alerts = try ["dwd-alert_1.xml", "dwd-alert_1_update_1.xml", "dwd-alert_1_update_2.xml"].map { try read($0).alert }
    let moments: [(String, String?)] = [
      ("2019-01-22T20:25:59+01:00", nil), ("2019-01-22T20:26:00+01:00", alerts[0].identifier), ("2019-01-23T05:08:59+01:00", alerts[0].identifier),
      ("2019-01-23T05:09:00+01:00", alerts[1].identifier), ("2019-01-23T06:01:00+01:00", alerts[2].identifier), ("2019-01-23T12:00:00+01:00", nil),
    ]
    for order in [[0, 1, 2], [2, 1, 0], [1, 2, 0, 1], [2, 0, 2, 1, 0], [0, 2, 1]] {
      var known = ForeignAlerts()
      for index in order { known.take(alerts[index]) }
      for (moment, identifier) in moments {
        let chains = known.chains(at: try Samples.time(moment))
        #expect(chains.count == 1)
        #expect(chains.first?.inForce.map(\.alert.identifier) == (identifier.map { [$0] } ?? []), "at \(moment)")
      }
      let end = try Samples.time("2019-01-23T12:00:00+01:00")
      #expect(known.chains(at: end).first?.state == .ended(.expired, at: end))
    }
  }
}
