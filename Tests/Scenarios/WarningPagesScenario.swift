import Foundation
import JSON
import TestSupport
import Testing

extension InARealBrowser {
  @Suite("The pages of the warnings", .timeLimit(.minutes(10)))
  struct WarningPagesScenario {
    @Test("one officer drafts, another approves, and everybody sees what holds, prints it, and hears of the all-clear")
    func fromDraftToAllClear() async throws {
      try await RunningCity.with { city in
        try await Browser.with { officer in
          try await officer.choose("ada", at: city.url)
          try await officer.draftFlood(in: "Huckarde")
          try await officer.leaveAndChoose("ben", at: city.url)
          try await officer.approve()
          try await Browser.with(width: 500) { citizen in
            try await citizen.open(city.url + "/warnings/")
            try await citizen.wait(
              until: "the alert is there", "return document.querySelector('#list article h3')?.textContent.startsWith('Hochwasser') ?? false")
            try await citizen.wait(until: "districts can be chosen", "return document.querySelectorAll('#district option').length > 10")
            for (district, answer) in [("Huckarde", "eine Warnung gilt hier"), ("Ergste", "hier gilt keine Warnung")] {
              _ = try await citizen.run(
                "const d = document.querySelector('#district'); d.value = '\(district)'; d.dispatchEvent(new Event('change'))")
              try await citizen.wait(until: "\(district) is told", "return document.querySelector('#answer').textContent.includes('\(answer)')")
            }
            _ = try await citizen.run("dispatchEvent(new Event('beforeprint'))")
            let notice = try await citizen.run("return document.querySelector('#notice').textContent").string ?? ""
            for word in ["Stadt Dortmund", "Huckarde", "Gilt bis", "Gehen Sie nicht in Keller", "Do not go into cellars"] { #expect(notice.contains(word)) }
            try await citizen.takePicture("warnings")

            try await officer.click("Entwarnen", in: "#active")
            try await officer.click("Speichern und zur Freigabe geben", in: "#editor")
            try await officer.wait(until: "the all-clear is submitted", "return document.querySelector('#editor').hidden")
            try await officer.leaveAndChoose("ada", at: city.url)
            try await officer.approve()
            try await citizen.wait(
              until: "the all-clear appears by itself", "return document.querySelector('#list .badge.over')?.textContent.startsWith('Entwarnung') ?? false")
            #expect(try await citizen.complaints() == [])
          }
          try await officer.click("Zustellungen und Warum?", in: "#ended")
          try await officer.wait(until: "every step is explained", "return document.querySelectorAll('ol.why li').length > 5")
          try await officer.takePicture("officer")
          #expect(try await officer.complaints() == [])
        }
      }
    }

    @Test("an officer logs in at the city's provider by authorization code with PKCE")
    func provider() async throws {
      let root = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "../..").standardized.path
      let python = root + "/.build/oidc/bin/python"
      guard FileManager.default.isExecutableFile(atPath: python), FileManager.default.fileExists(atPath: root + "/.build/oidc/version") else {
        try Test.cancel("no OIDC provider: ops/oidc/install installs it")
      }
      let port = try freePort()
      let issuer = "http://127.0.0.1:\(port)"
      let ada = #"{"sub": "ada", "roles": ["warning-officer"], "city": "dortmund"}"#
      let provider = try Program(python, [root + "/ops/oidc/provider.py", "\(port)", ada])
      defer { provider.signal(SIGKILL) }
      let settings = ["DOS_OIDC_ISSUER": issuer, "DOS_OIDC_CLIENT_ID": "dos-pages", "DOS_OIDC_AUDIENCE": "dos-pages", "DOS_OIDC_TOKEN": "id"]
      try await RunningCity.with(warnings: settings) { city in
        try await Browser.with { browser in
          let page = city.url + "/warnings/officer/"
          // The keys of the provider are asked for anew at most once a minute, so it has to answer first.
          try await Browser.until("the provider answers") {
            (try? await city.client.send(.init(.get, issuer + "/.well-known/openid-configuration")))?.isSuccess == true
          }
          try await browser.open(page)
          try await browser.click("Beim Anmeldedienst", in: "#login")
          try await browser.wait(
            until: "the provider asks who it is", "return location.port === '\(port)' && document.querySelector('button[value=ada]') !== null")
          let asked = try await browser.run("return Object.fromEntries(new URLSearchParams(location.search))")
          #expect(asked["code_challenge_method"]?.string == "S256" && asked["code_challenge"]?.string?.count == 43)
          #expect(asked["redirect_uri"]?.string == page && asked["state"]?.string?.isEmpty == false && asked["nonce"]?.string?.isEmpty == false)
          _ = try await browser.run("document.querySelector('button[value=ada]').click()")
          try await browser.wait(until: "ada is on duty", "return document.querySelector('#who').textContent.includes('ada, dortmund')")
          try await browser.wait(until: "the city answers", "return document.querySelector('#connection').textContent.startsWith('Stand')")
          #expect(try await browser.run("return location.href").string == page)
          #expect(try await browser.run("return localStorage.length") == 0)
          try await browser.draftFlood(in: "Huckarde")

          // A code that this tab did not ask for is nobody's login.
          _ = try await browser.run("sessionStorage.clear()")
          try await browser.open(page + "?code=stolen&state=guessed")
          try await browser.wait(
            until: "it is refused", "return document.querySelector('#login-problem').textContent.includes('nicht in diesem Fenster begonnen')")
          #expect(try await browser.run("return location.search").string == "")
        }
      }
    }
  }
}
