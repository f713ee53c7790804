import Foundation
import HTTP
import JSON
import TestSupport
import Testing
import Time

/// What officers prepare in quiet hours, in a real browser.
extension InARealBrowser {
  @Suite("Rules and templates", .timeLimit(.minutes(10)))
  struct RulePagesScenario {
    @Test("a rule is drawn up on a sensor chosen by name, tried on what was measured, and exactly what was tried goes live; it is paused and retired")
    func rule() async throws {
      try await RunningCity.with(warnings: [:]) { city in
        let desk = try await Desk(city)
        let creek = try await desk.floods("Pegel Emscher", days: 6)
        try await Browser.with { ada in
          try await ada.choose("ada", at: city.url)
          _ = try await ada.run("document.querySelector('#tab-rules').click()")
          try await ada.click("Neue Regel anlegen", in: "#rules")
          try await ada.click("Erproben", in: "#rule-editor")
          try await ada.wait(
            until: "it says all that is missing",
            """
            return ['name', 'description', 'condition.datastream', 'condition.raiseAt'].every(path =>
              document.querySelector(`#rule-editor [data-path="${path}"]`)?.textContent === 'fehlt; erwartet: eine passende Angabe')
            """)
          // By its name, with the keyboard.
          _ = try await ada.run("document.querySelector('#rule-editor input[type=search]').focus()")
          try await ada.press("emscher")
          try await ada.wait(
            until: "it is offered", "return document.querySelector('#rule-editor datalist option')?.value === 'Pegel Emscher: Wasserstand · \(creek)'")
          try await ada.fill([
            "Was der Hinweis": "Emscher über 2", "Was es bedeutet": "Anlieger warnen.", "Datenstrom": "Pegel Emscher: Wasserstand · \(creek)", "Marke": "2",
            "Vorbei bei": "1", "Auf den Messwerten": "10",
          ])
          _ = try await ada.run(
            "const t = document.querySelector('[name=truth]'); t.value = 'mark'; t.dispatchEvent(new Event('change', { bubbles: true }))")
          try await ada.fill(["Pegel": "\(creek)", "Ereignis ab": "3"])
          try await ada.click("Erproben", in: "#rule-editor")
          try await ada.wait(until: "it is tried", "return document.querySelectorAll('#rule-trial svg.timeline .firing').length === 2")
          #expect(try await ada.text("#rule-trial").contains("Sie hätte 2 Mal ausgelöst"))
          #expect(try await ada.text("#rule-trial .verdict").contains("Treffer2Verpasst0Fehlalarme0Vorlauf, Mitte"))
          try await ada.takePicture("rule")

          // What was changed since is not what was tried.
          try await ada.fill(["Marke": "3.5"])
          try await ada.wait(until: "it is noticed", "return document.querySelector('#rule-state').textContent.startsWith('Seit der Erprobung geändert')")
          #expect(
            try await ada.run("return [...document.querySelectorAll('#rule-editor button')].find(b => b.textContent.includes('in Dienst')).disabled") == true)
          try await ada.click("Erproben", in: "#rule-editor")
          try await ada.click("Diese Fassung in Dienst stellen", in: "#rule-editor")
          try await ada.wait(until: "it watches", "return document.querySelector('#rule-list .item')?.textContent.includes('in Dienst') ?? false")
          let live = try #require(try await desk.get("/warnings/rules")["rules"]?.array?.first)
          #expect(live["status"]?.string == "live" && live["rule"]?["condition"]?["raiseAt"]?.double == 3.5)

          try await ada.click("Anhalten", in: "#rule-list")
          try await ada.answer([:])
          // Somebody else changes it while ada tries it.
          try await ada.click("Ansehen, erproben, in Dienst stellen", in: "#rule-list")
          try await ada.fill(["Auf den Messwerten": "10"])
          try await ada.click("Erproben", in: "#rule-editor")
          try await ada.wait(until: "it is tried again", "return document.querySelector('#rule-state').textContent.startsWith('Genau diese')")
          var changed = try #require(live["rule"]?.object)
          changed["name"] = "Bens Emscher"
          let answer = try await city.client.send(
            .json(
              .put, city.url + "/warnings/rules/\(live["id"]?.string ?? "")", JSONValue.object(changed).bytes, headers: ["Authorization": "Bearer \(desk.ben)"])
          )
          #expect(answer.status == 200)
          try await ada.click("Diese Fassung in Dienst stellen", in: "#rule-editor")
          try await ada.wait(
            until: "ada is told", "return document.querySelector('#message.error')?.textContent.startsWith('Die Regel wurde inzwischen geändert') ?? false")
          #expect(try await desk.get("/warnings/rules")["rules"]?.array?.first?["status"]?.string == "paused")
          try await ada.click("Außer Dienst stellen", in: "#rule-list")
          try await ada.answer([:])
          try await ada.wait(until: "it is retired", "return document.querySelector('#rule-list .badge')?.textContent === 'außer Dienst'")
          #expect(try await ada.complaints(besidesRefusals: true) == [])
        }
      }
    }

    @Test("a gauge upstream announces a flood: the model is fitted in the form and tried, each forecast with its band")
    func upstream() async throws {
      try await RunningCity.with(warnings: [:]) { city in
        let desk = try await Desk(city)
        let river = try await desk.river()
        try await Browser.with { ada in
          try await ada.choose("ada", at: city.url)
          _ = try await ada.run("document.querySelector('#tab-rules').click()")
          try await ada.click("Neue Regel anlegen", in: "#rules")
          _ = try await ada.run(
            "const k = document.querySelector('[data-kind=condition]'); k.value = 'upstream'; k.dispatchEvent(new Event('change', { bubbles: true }))")
          try await ada.fill([
            "Was der Hinweis": "Hochwasser kommt", "Was es bedeutet": "Anlieger warnen.", "Pegel oberhalb": "\(river.upstream)",
            "Pegel, um den": "\(river.downstream)",
            "Marke am": "1.8", "Vorbei bei": "1.5", "Aus den letzten Tagen": "2", "Ein Messwert": "120",
          ])
          try await ada.click("Modell bestimmen", in: "#rule-editor")
          try await ada.wait(until: "two days are too few", "return document.querySelector('#rule-editor [data-path=days]').textContent.includes('mehr Tage')")
          try await ada.fill(["Aus den letzten Tagen": "60"])
          try await ada.click("Modell bestimmen", in: "#rule-editor")
          try await ada.wait(until: "there is a model", "return document.querySelector('#rule-editor').textContent.includes('im 90-%-Band lagen')")
          try await ada.fill(["Auf den Messwerten": "60"])
          try await ada.click("Erproben", in: "#rule-editor")
          try await ada.wait(
            until: "its forecasts have a band", "return document.querySelector('#rule-trial').textContent.includes('neun von zehn Mal zwischen')")
          try await ada.takePicture("upstream")
          try await ada.click("Diese Fassung in Dienst stellen", in: "#rule-editor")
          try await ada.wait(until: "it watches", "return document.querySelector('#rule-list .badge')?.textContent === 'in Dienst'")
          #expect(try await ada.complaints(besidesRefusals: true) == [])
        }
      }
    }

    @Test("what a form says becomes a template for all, others begin with it, and it can be removed")
    func template() async throws {
      try await RunningCity.with(warnings: [:]) { city in
        try await Browser.with { ada in
          try await ada.choose("ada", at: city.url)
          _ = try await ada.run("document.querySelector('#tab-drafts').click()")
          try await ada.click("Neue Warnung entwerfen", in: "#drafts")
          try await ada.fillFromTemplate("hochwasser", area: "")
          _ = try await ada.run("document.querySelector('[name=headline-0]').value = 'Hochwasser am Rüpingsbach'")
          try await ada.click("Als Vorlage speichern", in: "#editor")
          try await ada.answer(["title": "Hochwasser"])
          try await ada.wait(
            until: "the name is taken", "return document.querySelector('dialog [role=alert]')?.textContent.startsWith('Es gibt schon eine Vorlage') ?? false")
          try await ada.answer(["title": "Rüpingsbach"])
          try await ada.wait(until: "it is kept", "return document.querySelector('#template-list').textContent.includes('Rüpingsbach')")
          try await ada.leaveAndChoose("ben", at: city.url)
          _ = try await ada.run("document.querySelector('#tab-drafts').click()")
          try await ada.click("Neue Warnung entwerfen", in: "#drafts")
          try await ada.fillFromTemplate("ruepingsbach", area: "")
          #expect(try await ada.run("return document.querySelector('[name=headline-0]').value").string == "Hochwasser am Rüpingsbach")
          _ = try await ada.run("document.querySelector('#drafts details').open = true")
          try await ada.click("„Rüpingsbach“ löschen", in: "#template-list")
          try await ada.wait(until: "it is gone", "return !document.querySelector('#template-list').textContent.includes('Rüpingsbach')")
          try await ada.click("„Hochwasser“ löschen", in: "#template-list")
          try await ada.wait(
            until: "those of the service stay",
            "return document.querySelector('#message.error')?.textContent.startsWith('Diese Vorlage bringt der Dienst mit') ?? false")
          #expect(try await ada.complaints(besidesRefusals: true) == [])
        }
      }
    }

    @Test("whatever the city refuses in a form is said in German")
    func german() async throws {
      try await RunningCity.with(warnings: [:]) { city in
        let desk = try await Desk(city)
        var problems: [JSONValue] = []
        let text: JSONValue = [
          "language": "fr", "event": "<b>", "headline": .string(String(repeating: "x", count: 300)),
          "description": .string(String(repeating: "x", count: 10_001)), "instruction": " ",
        ]
        let channels: JSONValue = ["app", "webhook", "email", "cap-feed", "displays", "topic", "mowas-handover", "sirens", "loudspeaker-vans"]
        let area: JSONValue = ["description": " "]
        for (categories, channels, texts, expires) in [
          ([] as JSONValue, [] as JSONValue, [text, text] as JSONValue, Instant.now() - .seconds(60)),
          (["Met"], channels, [text], Instant.now() + .seconds(864_000)),
        ] {
          let content: JSONValue = [
            "categories": categories, "urgency": "Immediate", "severity": "Severe", "certainty": "Observed",
            "onset": .string((Instant.now() + .seconds(8_640_000)).rfc3339),
            "expires": .string(expires.rfc3339), "texts": texts, "area": area, "channels": channels,
          ]
          problems += try await desk.post("/warnings/alerts", ["content": content], 201)["draft"]?["problems"]?.array ?? []
        }
        #expect(problems.count > 20)
        for area in [
          ["description": "x", "districts": ["Huckade"]] as JSONValue, ["description": "x", "circles": [["center": [7.4, 51.5], "radius": 200]]],
          ["description": "x", "polygons": [[[[7.4, 51.5], [7.5, 51.6], [7.5, 51.5], [7.4, 51.6], [7.4, 51.5]]]]],
          ["description": "x", "polygons": [[[[7.4, 51.5], [7.5, 51.6], [7.4, 51.5]]]]],
          ["description": "x", "circles": [["center": [190, 51.5], "radius": 1]]], ["description": "x", "circles": [["center": [7.4, 91], "radius": 1]]],
        ] {
          let content: JSONValue = [
            "categories": ["Met"], "urgency": "Immediate", "severity": "Severe", "certainty": "Observed",
            "expires": .string((Instant.now() + .seconds(600)).rfc3339), "texts": [], "area": area,
            "channels": ["app"],
          ]
          problems += try await desk.post("/warnings/alerts", ["content": content], 400)["errors"]?.array ?? []
        }
        let threshold: JSONValue = ["kind": "threshold", "datastream": 1, "direction": "above", "raiseAt": 1, "clearAt": 2, "for": -5]
        let below: JSONValue = ["kind": "threshold", "datastream": 1, "direction": "below", "raiseAt": 2, "clearAt": 1, "for": 0]
        let rate: JSONValue = ["kind": "rateOfChange", "datastream": 1, "direction": "rise", "by": 0, "within": 0, "clearBelow": 9]
        let silence: JSONValue = ["kind": "silence", "datastream": 1, "longerThan": 0]
        let count: JSONValue = ["kind": "countOf", "atLeast": 9, "of": [threshold, below, rate, silence]]
        for (name, description, condition) in [
          (" ", " ", count), (String(repeating: "x", count: 300), String(repeating: "x", count: 5_000), threshold), ("a\nb", "x", ["kind": "any", "of": []]),
        ] as [(String, String, JSONValue)] {
          let rule: JSONValue = [
            "name": .string(name), "description": .string(description), "city": "dortmund", "district": " ", "place": [7.43, 51.47], "severity": "Severe",
            "staleAfter": 5, "condition": condition,
          ]
          problems += try await desk.post("/warnings/rules", rule, 422)["errors"]?.array ?? []
        }
        let later: JSONValue = .string((Instant.now() + .seconds(900_000)).rfc3339)
        problems +=
          try await desk.post("/warnings/releases", ["mode": "Exercise", "from": .string(Instant.now().rfc3339), "until": later, "reason": "x"], 400)["errors"]?
          .array ?? []
        problems += try await desk.post("/warnings/releases", ["mode": "Actual", "from": later, "until": later, "reason": "x"], 400)["errors"]?.array ?? []
        try await Browser.with { browser in
          try await browser.open(city.url + "/warnings/officer/")
          let said = try await browser.run(
            "return import('../assets/problems.js').then(words => \(String(decoding: JSONValue.array(problems).bytes, as: UTF8.self)).map(words.fieldProblem))")
          let english = (said.array ?? []).compactMap(\.string).filter { $0.contains("(englisch)") }
          #expect(english == [])
          #expect(said.array?.count == problems.count)
          let unknown = try await browser.run(
            "return import('../assets/problems.js').then(words => words.fieldProblem({ problem: 'is new', expected: 'a thing' }))")
          #expect(unknown.string == "(englisch) is new; erwartet: (englisch) a thing")
        }
      }
    }

    @Test("with the keyboard alone a warning is drafted, with an area drawn on the map")
    func keyboard() async throws {
      let (tab, enter, right, down, space) = ("\u{E004}", "\u{E007}", "\u{E014}", "\u{E015}", " ")
      try await RunningCity.with(warnings: [:]) { city in
        try await Browser.with { ada in
          try await ada.choose("ada", at: city.url)
          // Whatever has the focus is found by Tab alone.
          func reach(_ what: String, _ script: String) async throws {
            for _ in 0..<120 where try await ada.run("return Boolean((() => { const at = document.activeElement; return \(script); })())") != true {
              try await ada.press(tab)
            }
            try #require(
              try await ada.run("return Boolean((() => { const at = document.activeElement; return \(script); })())") == true, "\(what) is not reached")
          }
          try await reach("the tabs", "at.id === 'tab-overview'")
          try await ada.press(right)
          try await reach("the drafts", "at.id === 'tab-drafts' && !document.querySelector('#drafts').hidden")
          try await reach("a new one", "at.id === 'draft-new'")
          try await ada.press(enter)
          try await reach("the area's words", "at.name === 'area'")
          try await ada.press("Bach")
          try await reach("the tools", "at.name === 'tool'")
          try await ada.press(right)
          try await ada.wait(until: "there is a map", "return document.querySelector('#editor-map.leaflet-container path') !== null")
          for key in ["", right, down] {
            if !key.isEmpty {
              let pane = "document.querySelector('#editor-map .leaflet-map-pane').style.transform"
              _ = try await ada.run("document.querySelector('#editor-map').focus()")
              let before = try await ada.run("return \(pane)").string ?? ""
              try await ada.press(key)
              try await ada.wait(until: "the map moved", "return \(pane) !== '\(before)'")
            }
            try await reach("the middle", "at.textContent === 'Punkt in der Kartenmitte'")
            try await ada.press(space)
          }
          try await reach("the end of it", "at.textContent === 'Vieleck schließen'")
          try await ada.press(enter)
          try await ada.wait(until: "it is drawn", "return document.querySelector('#shapes').textContent.includes('Vieleck 1: 3 Ecken')")
          #expect(try await ada.complaints() == [])
        }
      }
    }
  }
}
