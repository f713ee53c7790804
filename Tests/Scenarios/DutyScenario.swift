import Foundation
import HTTP
import JSON
import TestSupport
import Testing
import Time

/// Nights on duty, as officers, control rooms and everybody else see them in a real browser.
extension InARealBrowser {
  @Suite("A night on duty", .timeLimit(.minutes(10)))
  struct DutyScenario {
    @Test(
      "a hint shows what led to it and what happens next; one takes it over, the other hears who; it becomes a draft with a drawn area, and another is dismissed"
    )
    func hints() async throws {
      try await RunningCity.with(warnings: [:]) { city in
        let desk = try await Desk(city)
        let creek = try await desk.raise("Rüpingsbach über 1,20 m", rota: "bach")
        try await Browser.with { ada in
          try await ada.choose("ada", at: city.url)
          try await ada.wait(
            until: "the hint is there", "return document.querySelector('#todo')?.textContent.includes('Neuer Hinweis: Rüpingsbach über 1,20 m') ?? false")
          try await ada.wait(until: "its readings are drawn", "return document.querySelector('#hints svg.readings polyline') !== null")
          let said = try await ada.text("#hints article")
          for word in ["Neu – niemand hat übernommen", "Stufe 2 der Bereitschaft bach alarmiert", "Pegel Rüpingsbach: Wasserstand"] {
            #expect(said.contains(word), "\(said)")
          }
          // The reading that led to it, with time and value.
          #expect(try await ada.text("#hints tbody tr").firstMatch(of: /\d\d:\d\d:\d\d UhrPegel Rüpingsbach: Wasserstand\d,\d+ m/) != nil)
          try await Browser.with { ben in
            try await ben.choose("ben", at: city.url)
            try await ben.wait(until: "ben sees it, too", "return document.querySelector('#hints article') !== null")
            try await ada.click("Übernehmen", in: "#hints")
            try await ben.wait(
              until: "he hears who has it", "return document.querySelector('#hints article')?.textContent.includes('übernommen von ada') ?? false")

            try await ada.click("Warnung daraus entwerfen", in: "#hints")
            try await ada.fillFromTemplate("hochwasser", area: "Rüpingsbach")
            try await ada.drawAreas()
            try await ada.click("Speichern und zur Freigabe geben", in: "#editor")
            try await ada.wait(until: "it is submitted", "return document.querySelector('#editor').hidden")
            try await ben.wait(
              until: "ben can read where",
              "return document.querySelector('#approvals article')?.textContent.includes('Gebiet: Rüpingsbach (2 Vielecke)') ?? false")
            try await ben.approve()
            try await ben.wait(until: "its outline is drawn", "return document.querySelectorAll('#map path.leaflet-interactive').length >= 2")
            #expect(try await desk.get("/warnings/active")["alerts"]?.array?.first?["area"]?.array?.count == 2)
            try await ben.takePicture("hint")

            // Another hint is nothing, which has to be explained.
            _ = try await desk.raise("Salzbach über 1,20 m", rota: nil)
            try await ben.wait(
              until: "the other hint is there", "return document.querySelector('#hints')?.textContent.includes('Er alarmiert niemanden') ?? false")
            try await ben.click("Verwerfen", in: "#hints .raised")
            try await ben.answer(["reason": " "])
            try await ben.wait(
              until: "the field says what is missing", "return document.querySelector('dialog [data-path=reason]')?.textContent.startsWith('fehlt') ?? false")
            try await ben.answer(["reason": "Sensor wird gereinigt"])
            try await ben.wait(
              until: "it is gone", "return document.querySelector('dialog') === null && !document.querySelector('#hints').textContent.includes('Salzbach')")
            #expect(try await ben.complaints(besidesRefusals: true) == [])
          }
          try await desk.send(0.3, to: creek)
          try await ada.wait(until: "the hint goes with the water", "return document.querySelector('#hints article') === null")
          #expect(try await ada.complaints() == [])
        }
      }
    }

    @Test("of two officers who do the same at once, the later one is told what the other did, and loses nothing that was written")
    func atOnce() async throws {
      try await RunningCity.with(warnings: [:]) { city in
        let desk = try await Desk(city)
        let alert = try await desk.submitted("Hochwasser an der Emscher")
        try await Browser.with { ben in
          try await Browser.with { cem in
            for (name, officer) in [("ben", ben), ("cem", cem)] {
              try await officer.choose(name, at: city.url)
              try await officer.wait(until: "it waits", "return document.querySelector('#todo')?.textContent.includes('Wartet auf Sie') ?? false")
            }
            try await ben.click("Zurück zur Bearbeitung", in: "#approvals")
            try await ben.answer(["reason": "Bitte die Straße nennen"])
            for officer in [ben, cem] {
              _ = try await officer.run("document.querySelector('#tab-drafts').click()")
              try await officer.wait(
                until: "it came back", "return document.querySelector('#draft-list')?.textContent.includes('Bitte die Straße nennen') ?? false")
              try await officer.click("Bearbeiten", in: "#draft-list")
            }
            for (officer, words, answer) in [(ben, "Bens Fassung", "#message"), (cem, "Cems Fassung", "#editor-overtaken")] {
              _ = try await officer.run("document.querySelector('[name=headline-0]').value = '\(words)'; document.querySelector('#message').textContent = ''")
              try await officer.click("Speichern", in: "#editor .actions:last-child", whole: true)
              try await officer.wait(until: "\(words) is answered", "return document.querySelector('\(answer)').textContent.length > 10")
            }
            let told = try await cem.text("#editor-overtaken")
            for word in ["inzwischen ein anderer", "Bearbeitet durch ben, Revision 2", "Bens Fassung", "nichts verloren"] {
              #expect(told.contains(word), "\(told)")
            }
            #expect(try await cem.run("return document.querySelector('[name=headline-0]').value").string == "Cems Fassung")
            try await cem.click("Meine Fassung darüber speichern", in: "#editor")
            try await cem.wait(until: "it is kept", "return document.querySelector('#message').textContent.includes('Revision 3')")

            // Both approve.
            try await desk.post("/warnings/\(alert)/submit", [:], 200)
            for (name, officer) in [("dana", ben), ("emil", cem)] {
              try await officer.leaveAndChoose(name, at: city.url)
              try await officer.click("Revision 3 freigeben", in: "#approvals")
            }
            try await ben.answer([:])
            try await ben.wait(until: "it is out", "return document.querySelector('#message').textContent.includes('herausgegeben')")
            try await cem.answer([:])
            try await cem.wait(
              until: "the other is told by whom",
              "return document.querySelector('dialog [role=alert]')?.textContent.includes('freigegeben durch dana') ?? false")
            #expect(try await cem.complaints(besidesRefusals: true) == [])
          }
          #expect(try await ben.complaints() == [])
        }
      }
    }

    @Test("broken glass is reviewed by another, sirens are confirmed, a drill needs a release, and a control room answers with its number")
    func othersHaveToAct() async throws {
      try await RunningCity.with(warnings: [:]) { city in
        let desk = try await Desk(city)
        try await Browser.with { ada in
          try await Browser.with { ben in
            try await ada.choose("ada", at: city.url)
            try await ben.choose("ben", at: city.url)
            // Nobody is there to approve.
            try await desk.submitted("Gasaustritt in Hombruch", channels: ["app", "sirens"])
            try await ada.click("Notfall: sofort herausgeben", in: "#approvals")
            try await ada.answer(["reason": "Niemand ist erreichbar", "sure": true])
            try await ada.wait(until: "it is out", "return document.querySelector('#message').textContent.includes('Die Prüfung steht aus')")
            try await ada.wait(until: "ada may not review it", "return document.querySelector('#approvals')?.textContent.includes('Das waren Sie') ?? false")
            try await ben.click("Sirenen bestätigen", in: "#active")
            try await ben.answer([:])
            try await ben.click("Prüfen", in: "#approvals")
            try await ben.answer(["note": "War nötig"])
            try await ben.wait(until: "nothing is left to do", "return document.querySelector('#todo').textContent === 'Nichts wartet.'")

            // A drill reaches people under a release alone, which somebody else approves.
            _ = try await ada.run("document.querySelector('#tab-practice').click()")
            try await ada.click("Freigabe beantragen", in: "#practice")
            try await ada.answer(["reason": "Warntag", "until": "2090-01-01T10:00"])
            try await ada.wait(
              until: "a window of years is refused",
              "return document.querySelector('dialog [data-path=until]')?.textContent.includes('höchstens 24 Stunden') ?? false")
            _ = try await ada.run(
              """
              const [from, until] = ['from', 'until'].map(name => document.querySelector(`dialog [name=${name}]`));
              until.value = new Date(Date.parse(from.value + 'Z') + 3_600_000).toISOString().slice(0, 16);
              """)
            try await ada.answer([:])
            try await ada.click("Freigeben", in: "#releases")
            try await ada.wait(
              until: "ada may not approve her own", "return document.querySelector('#message').textContent.startsWith('Was Sie beantragt haben')")
            _ = try await ben.run("document.querySelector('#tab-practice').click()")
            try await ben.click("Freigeben", in: "#releases")
            try await desk.submitted("Übungslage", mode: "Exercise")
            _ = try await ben.run("document.querySelector('#tab-overview').click()")
            try await ben.click("freigeben", in: "#approvals")
            _ = try await ben.run("const s = document.querySelector('dialog select'); s.selectedIndex = 1")
            try await ben.answer([:])
            _ = try await ben.run("document.querySelector('#tab-practice').click()")
            try await ben.wait(
              until: "the release says what it was used for",
              "return document.querySelector('#releases').textContent.includes('Darunter herausgegeben: „Übungslage“')")
            try await ben.click("Widerrufen", in: "#releases")
            try await ben.answer(["reason": "Der Warntag ist vorbei"])
            try await ben.wait(until: "it is revoked", "return document.querySelector('#releases').textContent.includes('widerrufen')")

            // Schwerte belongs to Kreis Unna: a request to its control room.
            _ = try await ben.run("document.querySelector('#tab-overview').click()")
            let request = try await desk.submitted("Hochwasser in Ergste", district: "Ergste", channels: ["app", "mowas-handover"])
            try await ben.approve(saying: "Leitstelle kreis-unna ist gefragt")
            let una = ada
            try await una.leaveAndChoose("una", role: "control-room", of: "kreis-unna", at: city.url)
            try await una.wait(
              until: "it waits for una", "return document.querySelector('#todo .mine')?.textContent.includes('Anfrage an die Leitstelle') ?? false")
            try await una.click("Ablehnen", in: "#approvals")
            try await una.answer(["reason": "Bitte auch Villigst"])
            try await ben.wait(until: "the reason came back", "return document.querySelector('#todo').textContent.includes('Bitte auch Villigst')")
            try await desk.post("/warnings/\(request)/submit", [:], 200)
            try await ben.approve(saying: "Leitstelle kreis-unna ist gefragt")
            try await una.click("Übernehmen und herausgeben", in: "#approvals")
            try await una.click("Bestätigen", in: "dialog.wide")
            try await una.answer(["reference": "MOW-4711"])
            try await una.wait(
              until: "the number stands there", "return document.querySelector('dialog.wide')?.textContent.includes('MOW-4711, durch una') ?? false")
            try await una.takePicture("control-room")
            for officer in [ada, ben] { #expect(try await officer.complaints(besidesRefusals: true) == []) }
          }
        }
      }
    }

    @Test("what others warn of stands beside one's own as theirs; a place is compared on the device; what ends leaves the pages; a lost connection says so")
    func everybody() async throws {
      try await RunningCity.with(warnings: [:]) { city in
        let desk = try await Desk(city)
        for (name, polygon) in [
          ("near", "51.45,7.40 51.45,7.60 51.60,7.60 51.60,7.40 51.45,7.40"), ("far", "53.45,9.40 53.45,9.60 53.60,9.60 53.60,9.40 53.45,9.40"),
        ] {
          try await desk.takeForeign(name, polygon)
        }
        let long = try await desk.submitted("Lange Warnung", isCircle: true)
        try await desk.post("/warnings/\(long)/approve", ["revision": 1], 200, as: desk.ben)
        try await Browser.with(width: 500) { citizen in
          try await citizen.stand(at: 51.515, 7.466, on: city.url)
          try await citizen.open(city.url + "/warnings/")
          try await citizen.wait(until: "the alert is there", "return document.querySelector('#list article') !== null")
          try await citizen.wait(
            until: "theirs are marked",
            "return document.querySelector('#foreign-list > article')?.textContent.includes('Fremde Warnung: Wetterdienst') ?? false")
          try await citizen.wait(
            until: "those elsewhere are folded", "return document.querySelector('#foreign-far summary')?.textContent === 'Anderswo: eine Warnung'")
          try await citizen.wait(until: "all outlines are drawn", "return document.querySelectorAll('#map path.leaflet-interactive').length >= 3")
          _ = try await citizen.run("document.querySelector('#locate').click()")
          try await citizen.wait(
            until: "the place is known", "return document.querySelector('#answer').textContent.startsWith('An Ihrem Standort: eine Warnung gilt hier')")
          try await Browser.with { officer in
            try await officer.choose("ada", at: city.url)
            try await officer.wait(
              until: "theirs stand here, too",
              "return document.querySelector('#foreign > article')?.textContent.includes('Fremde Warnung: Wetterdienst') ?? false")
            let short = try await desk.submitted("Kurze Warnung", district: "Huckarde", lasting: .seconds(30))
            try await desk.post("/warnings/\(short)/approve", ["revision": 1], 200, as: desk.ben)
            try await citizen.wait(until: "it comes by itself", "return document.querySelector('#list').textContent.includes('Kurze Warnung')")
            try await officer.wait(
              until: "its end is announced",
              "return document.querySelector('#todo').textContent.includes('„Kurze Warnung“') && document.querySelector('#todo').textContent.includes('wenn niemand sie aktualisiert')"
            )
            try await citizen.takePicture("everybody")
            try await officer.takePicture("officer-foreign")
            for (page, list) in [(citizen, "#list"), (officer, "#active")] {
              try await page.wait(
                until: "the short one has ended",
                "return [...document.querySelectorAll('\(list) article h3')].map(h => h.textContent).join() === 'Lange Warnung'"
              )
            }
            try await officer.wait(until: "it says how", "return document.querySelector('#ended').textContent.includes('Kurze Warnung: abgelaufen')")
            for page in [citizen, officer] { #expect(try await page.complaints() == []) }

            await city.end(with: SIGKILL)
            for page in [citizen, officer] {
              try await page.wait(
                until: "the loss is said", "return document.querySelector('#connection.lost')?.textContent.startsWith('Keine Verbindung') ?? false")
            }
            #expect(try await citizen.text("#list").contains("Lange Warnung"))
            try await city.start()
            for page in [citizen, officer] {
              try await page.wait(
                until: "it is back by itself", "return document.querySelector('#connection:not(.lost)')?.textContent.startsWith('Stand') ?? false")
            }
          }
        }
      }
    }
  }
}
