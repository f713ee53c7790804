/// A thing of the simulation, with what it measures.
struct DemoThing: Sendable {
  struct Stream: Sendable {
    var property: DemoProperty
    var signal: DemoSignal
    /// Seconds between two readings.
    var interval: Int
    var plausible: ClosedRange<Double>
  }

  var city: String
  var name: String
  var description: String
  var longitude: Double
  var latitude: Double
  var streams: [Stream]
}

/// What is measured, with its unit in UCUM.
struct DemoProperty: Sendable {
  var name: String
  var definition: String
  var unitName: String
  var symbol: String
  var ucum: String
}

extension DemoProperty {
  static let airTemperature = DemoProperty(
    name: "Lufttemperatur", definition: "http://www.qudt.org/qudt/owl/1.0.0/quantity/Instances.html#Temperature", unitName: "Grad Celsius", symbol: "°C",
    ucum: "Cel")
  static let humidity = DemoProperty(
    name: "Luftfeuchte", definition: "https://dd.eionet.europa.eu/vocabulary/aq/meteoparameter/54", unitName: "Prozent", symbol: "%", ucum: "%")
  static let waterLevel = DemoProperty(
    name: "Wasserstand", definition: "https://www.pegelonline.wsv.de/gast/hilfe#parameter_W", unitName: "Zentimeter", symbol: "cm", ucum: "cm")
  static let nitrogenDioxide = DemoProperty(
    name: "Stickstoffdioxid", definition: "http://dd.eionet.europa.eu/vocabulary/aq/pollutant/8", unitName: "Mikrogramm je Kubikmeter", symbol: "µg/m³",
    ucum: "ug/m3")
  static let soilMoisture = DemoProperty(
    name: "Bodenfeuchte", definition: "http://vocab.nerc.ac.uk/collection/P07/current/CFSN0505/", unitName: "Prozent", symbol: "%", ucum: "%")
  static let fillLevel = DemoProperty(
    name: "Füllstand", definition: "https://dos2030.de/observed-properties/fill-level", unitName: "Prozent", symbol: "%", ucum: "%")
  static let carbonDioxide = DemoProperty(
    name: "Kohlendioxid", definition: "https://dos2030.de/observed-properties/indoor-co2", unitName: "Teile je Million", symbol: "ppm", ucum: "[ppm]")
  static let traffic = DemoProperty(
    name: "Verkehrsstärke", definition: "https://dos2030.de/observed-properties/traffic-flow", unitName: "Fahrzeuge je Stunde", symbol: "Kfz/h", ucum: "/h")
}

extension DemoThing {
  /// The simulated things of both cities. Positions are public places; the readings are made up.
  static let all: [DemoThing] = [
    weather("dortmund", "Wetterstation Westfalenpark", 7.4780, 51.4970),
    weather("dortmund", "Wetterstation Mengede", 7.3810, 51.5690),
    weather("schwerte", "Wetterstation Schwerte Rathaus", 7.5660, 51.4440),
    level("dortmund", "Pegel Emscher Phoenix-See", 7.5110, 51.4900, base: 62, daily: 6),
    level("dortmund", "Pegel Rombergpark Schondelle", 7.4740, 51.4800, base: 28, daily: 3),
    level("schwerte", "Pegel Ruhr Schwerte", 7.5620, 51.4330, base: 148, daily: 9),
    level("schwerte", "Pegel Ruhr Westhofen", 7.5230, 51.4180, base: 161, daily: 9),
    air("dortmund", "Luftmessstelle Brackeler Straße", 7.4990, 51.5220, base: 38),
    air("dortmund", "Luftmessstelle Eving", 7.4570, 51.5370, base: 22),
    air("schwerte", "Luftmessstelle Hörder Straße", 7.5600, 51.4490, base: 24),
    soil("dortmund", "Bodenfeuchte Rombergpark", 7.4700, 51.4830),
    soil("schwerte", "Bodenfeuchte Elsetal", 7.5850, 51.4190),
    bin("dortmund", "Glascontainer Kaiserviertel", 7.4860, 51.5170),
    bin("schwerte", "Glascontainer Postplatz", 7.5680, 51.4460),
    room("dortmund", "Stadtbibliothek Lesesaal", 7.4610, 51.5165),
    room("schwerte", "Gesamtschule Gänsewinkel Aula", 7.5770, 51.4530),
    road("dortmund", "Zählstelle B1 Westfalendamm", 7.4930, 51.5020, base: 2900),
    road("schwerte", "Zählstelle Ruhrbrücke", 7.5640, 51.4350, base: 620),
  ]

  private static func weather(_ city: String, _ name: String, _ longitude: Double, _ latitude: Double) -> DemoThing {
    let temperature = DemoSignal(base: 9, daily: 4, peakHour: 13, noise: 2, range: -20...40, digits: 1)
    let humidity = DemoSignal(base: 72, daily: -14, peakHour: 13, noise: 8, range: 20...100, digits: 0)
    return DemoThing(
      city: city, name: name, description: "Simulierte Wetterstation", longitude: longitude, latitude: latitude,
      streams: [
        Stream(property: .airTemperature, signal: temperature, interval: 60, plausible: -40...50),
        Stream(property: .humidity, signal: humidity, interval: 60, plausible: 0...100),
      ])
  }

  private static func level(_ city: String, _ name: String, _ longitude: Double, _ latitude: Double, base: Double, daily: Double) -> DemoThing {
    let signal = DemoSignal(base: base, daily: daily, peakHour: 5, noise: daily / 2, range: 0...900, digits: 0)
    return one(city, name, "Simulierter Pegel", longitude, latitude, Stream(property: .waterLevel, signal: signal, interval: 300, plausible: 0...900))
  }

  private static func air(_ city: String, _ name: String, _ longitude: Double, _ latitude: Double, base: Double) -> DemoThing {
    let signal = DemoSignal(base: base, daily: base / 3, peakHour: 16, noise: base / 4, range: 0...400, digits: 1)
    return one(
      city, name, "Simulierte Luftmessstelle", longitude, latitude, Stream(property: .nitrogenDioxide, signal: signal, interval: 300, plausible: 0...400))
  }

  private static func soil(_ city: String, _ name: String, _ longitude: Double, _ latitude: Double) -> DemoThing {
    let signal = DemoSignal(base: 34, daily: 2, peakHour: 6, noise: 3, range: 0...60, digits: 1)
    return one(
      city, name, "Simulierter Bodensensor", longitude, latitude, Stream(property: .soilMoisture, signal: signal, interval: 600, plausible: 0...100))
  }

  private static func bin(_ city: String, _ name: String, _ longitude: Double, _ latitude: Double) -> DemoThing {
    let signal = DemoSignal(base: 50, daily: 30, peakHour: 20, noise: 10, range: 0...100, digits: 0)
    return one(city, name, "Simulierter Füllstandssensor", longitude, latitude, Stream(property: .fillLevel, signal: signal, interval: 600, plausible: 0...100))
  }

  private static func room(_ city: String, _ name: String, _ longitude: Double, _ latitude: Double) -> DemoThing {
    let signal = DemoSignal(base: 720, daily: 260, peakHour: 12, noise: 120, range: 400...2500, digits: 0)
    return one(
      city, name, "Simulierter Raumluftsensor", longitude, latitude, Stream(property: .carbonDioxide, signal: signal, interval: 60, plausible: 300...5000))
  }

  private static func road(_ city: String, _ name: String, _ longitude: Double, _ latitude: Double, base: Double) -> DemoThing {
    let signal = DemoSignal(base: base, daily: base * 0.6, peakHour: 15, noise: base / 5, range: 0...9000, digits: 0)
    return one(city, name, "Simulierte Zählstelle", longitude, latitude, Stream(property: .traffic, signal: signal, interval: 60, plausible: 0...9000))
  }

  private static func one(_ city: String, _ name: String, _ description: String, _ longitude: Double, _ latitude: Double, _ stream: Stream) -> DemoThing {
    DemoThing(city: city, name: name, description: description, longitude: longitude, latitude: latitude, streams: [stream])
  }
}
