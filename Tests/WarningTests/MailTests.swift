import Broker
import Foundation
import HTTP
import TestSupport
import Testing
import Time

@testable import Warning

@Suite("Mail", .timeLimit(.minutes(5))) struct MailTests {
  private func mail(_ subject: String = "Warnung: Hochwasser", to: [String] = ["a@example.org", "b@example.org"]) throws -> Mail {
    Mail(
      from: "warnung@dortmund.example", to: to, subject: subject, text: "Pegel über 5 m.\n.\nEnde", messageID: "id-1@dortmund.example",
      date: Instant(milliseconds: 1_907_755_200_000))
  }

  @Test("reaches every recipient through a real server, with its id, its umlauts and a dot on a line of its own") func reaches() async throws {
    let server = try await MailCatcher.start()
    let mailer = Mailer(Mailer.Settings(url: server.url, requiresTLS: false))
    try await mailer.send(try mail("Überflutung in Dortmund, Mengede, Huckarde und an der ganzen Emscher"))
    let text = try #require(server.mails.first)
    #expect(text.contains("Message-ID: <id-1@dortmund.example>") && text.contains("Auto-Submitted: auto-generated"))
    let body = text.components(separatedBy: "\n\n").dropFirst().joined().replacing("\n", with: "")
    #expect(Data(base64Encoded: body).map { String(decoding: $0, as: UTF8.self) } == "Pegel über 5 m.\n.\nEnde")
    #expect(text.contains("=?utf-8?B?"))
    #expect(text.contains("X-RcptTo: a@example.org, b@example.org"))
    await server.stop()
  }

  @Test("with an address that would write headers or commands is refused before anything is sent") func injection() async throws {
    let mailer = Mailer(Mailer.Settings(url: "smtp://127.0.0.1:1", requiresTLS: false))
    for address in ["a@b\r\nBcc: c@d", "<a@b>", "a", "@b", "a b@c", "a@b@c"] {
      await #expect { try await mailer.send(try mail(to: [address])) } throws: { ($0 as? Mailer.Failure)?.isLasting == true }
    }
    #expect(try mail("a\r\nBcc: c@d").message.split(separator: 10).allSatisfy { !String(decoding: $0, as: UTF8.self).hasPrefix("Bcc") })
  }

  @Test("to a server that is not there may be tried again, and did not arrive") func away() async throws {
    let mailer = Mailer(Mailer.Settings(url: "smtp://127.0.0.1:\(try freePort())", requiresTLS: false))
    await #expect { try await mailer.send(try mail()) } throws: { error in
      guard let failure = error as? Mailer.Failure else { return false }
      return !failure.isLasting && !failure.mayHaveArrived
    }
  }

  @Test("of an alert goes to the mailing list, in both languages") func alert() async throws {
    let server = try await MailCatcher.start()
    try await withTestDatabase(migrate: WholeWarnings.schema(), size: 8) { pool in
      let broker = try await PostgresBroker.open(pool.configuration, unsafeDurability: true)
      try await broker.declare(WarningService().topics)
      try await WholeWarnings.serving(pool, broker, TestClock(), smtp: server.url) { city in
        try await city.expect(
          201, .post, "/warnings/targets",
          .object(["channel": .string("email"), "name": .string("Presse"), "address": .string("presse@dortmund.example, lage@dortmund.example")]))
        let (alert, message) = try await city.issue(Content.flood(channels: ["email"]))
        let came = try await eventually {
          city.clock.pass(.seconds(1))
          return server.mails.count == 1
        }
        #expect(came)
        #expect(server.mails.first?.contains("Message-ID: <\(message)@dortmund.example>") == true)
        let done = try await city.get("/warnings/\(alert)/deliveries") { $0["deliveries"]?.array?.first?["status"]?.string == "delivered" }
        #expect(done["deliveries"]?.array?.first?["status"]?.string == "delivered")
      }
      await broker.close()
    }
    await server.stop()
  }
}
