import Foundation
import HTTP
import ServiceKit
import Time
import WarningDomain

/// Sends letters as mail, the same `Message-ID` however often one goes out.
struct MailCourier: Courier {
  let channel = Channel.email
  let atOnce = 16
  let mailer: Mailer
  let from: String
  let clock: @Sendable () -> Instant

  func bring(_ letter: Letter, _ parcel: Parcel, to target: DeliveryTarget) async -> DeliveryOutcome {
    let (subject, text) = Self.words(letter)
    let host = from.split(separator: "@").last.map(String.init) ?? "localhost"
    let addresses = target.address.split(separator: ",").map { $0.trimmingCharacters(in: .whitespaces) }
    let mail = Mail(from: from, to: addresses, subject: subject, text: text, messageID: "\(letter.id(parcel))@\(host)", date: clock())
    do throws(Mailer.Failure) {
      try await mailer.send(mail)
      return .delivered(Receipt())
    } catch {
      return .failed(error.reason, mayHaveArrived: error.mayHaveArrived, lasting: error.isLasting)
    }
  }

  /// What it says: each language one after the other, as it was approved.
  static func words(_ letter: Letter) -> (subject: String, text: String) {
    switch letter {
    case .alert(let alert):
      let german = alert.texts.first { $0.language.hasPrefix("de") } ?? alert.texts.first
      let subject = "\(alert.kind.german): \(german?.headline ?? "")"
      let parts = alert.texts.map { text in
        "\(text.headline)\n\n\(text.description)\n\n\(text.instruction)\n\n\(alert.areaDescription)"
      }
      let foot = "Gültig bis \(alert.expires.german). \(alert.authority).\nKennung \(alert.identifier)"
      return (subject, parts.joined(separator: "\n\n----\n\n") + "\n\n----\n\n" + foot + "\n")
    case .hint(let hint):
      let finding = hint.finding
      let readings = finding.readings.map { "Datenstrom \($0.datastream): \($0.result) um \($0.time.german)" }.joined(separator: "\n")
      let forecast = finding.forecast.map { "Vorhersage für \($0.time.german): \($0.level.german) (\($0.low.german) bis \($0.high.german))\n" } ?? ""
      return (
        "Hinweis (Stufe \(hint.level)): \(finding.title)",
        "\(finding.text)\n\nSeit \(finding.since.german).\n\(forecast)\(readings)\n\nBitte unter Hinweise bestätigen: /warnings/officer/\nKennung \(hint.id.uuidString.lowercased())\n"
      )
    case .request(let chain, let draft):
      return (
        "Ersuchen um Warnung: \(draft.content.title)",
        "\(chain.city) ersucht um eine Warnung.\n\n\(draft.content.texts.first?.description ?? "")\n\nGebiet: \(draft.content.area.description)\n\nBitte annehmen oder ablehnen: /warnings/officer/\nKennung \(chain.id.uuidString.lowercased())\n"
      )
    }
  }
}

extension MessageKind {
  fileprivate var german: String {
    switch self {
    case .alert: "Warnung"
    case .update: "Aktualisierte Warnung"
    case .cancel: "Zurückgezogen"
    case .allClear: "Entwarnung"
    }
  }
}

extension Double {
  /// To the hundredth, with a comma.
  fileprivate var german: String { String(format: "%.2f", self).replacing(".", with: ",") }
}

extension Instant {
  /// `15.06.2030, 14:00 Uhr`, by the city's clocks.
  fileprivate var german: String {
    let text = cityTime
    let day = text.prefix(10).split(separator: "-").reversed().joined(separator: ".")
    return "\(day), \(text.dropFirst(11).prefix(5)) Uhr"
  }
}
