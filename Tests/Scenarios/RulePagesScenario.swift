import Foundation
import HTTP
import JSON
import TestSupport
import Testing
import Time

/// What officers prepare in quiet hours, in a real browser.
@Suite("Rules and templates, in a real browser", .timeLimit(.minutes(10)))
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
            document.querySelector(`#rule-editor [data-path="${path}"]`)?.textContent === 'fehlt; erwartet: eine Angabe')
          """)
        // By its name, with the keyboard.
        _ = try await ada.run("document.querySelector('#rule-editor input[type=search]').focus()")
        try await ada.press("emscher")
        try await ada.wait(
          until: "it is offered", "return document.querySelector('#rule-editor datalist option')?.value === 'Pegel Emscher: Lufttemperatur · \(creek)'")
        try await ada.fill([
          "Was der Hinweis": "Emscher über 2", "Was es bedeutet": "Anlieger warnen.", "Datenstrom": "Pegel Emscher: Lufttemperatur · \(creek)", "Marke": "2",
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
        #expect(try await ada.run("return [...document.querySelectorAll('#rule-editor button')].find(b => b.textContent.includes('in Dienst')).disabled") == true)
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
          .json(.put, city.url + "/warnings/rules/\(live["id"]?.string ?? "")", JSONValue.object(changed).bytes, headers: ["Authorization": "Bearer \(desk.ben)"]))
        #expect(answer.status == 200)
        try await ada.click("Diese Fassung in Dienst stellen", in: "#rule-editor")
        try await ada.wait(until: "ada is told", "return document.querySelector('#message.error')?.textContent.startsWith('Die Regel wurde inzwischen geändert') ?? false")
        #expect(try await desk.get("/warnings/rules")["rules"]?.array?.first?["status"]?.string == "paused")
        try await ada.click("Außer Dienst stellen", in: "#rule-list")
        try await ada.answer([:])
        try await ada.wait(until: "it is retired", "return document.querySelector('#rule-list .badge')?.textContent === 'außer Dienst'")
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
        try await ada.wait(until: "the name is taken", "return document.querySelector('dialog [role=alert]')?.textContent.startsWith('Es gibt schon eine Vorlage') ?? false")
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
        try await ada.wait(until: "those of the service stay", "return document.querySelector('#message.error')?.textContent.startsWith('Diese Vorlage bringt der Dienst mit') ?? false")
        #expect(try await ada.complaints(besidesRefusals: true) == [])
      }
    }
  }
}
