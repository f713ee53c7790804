import Foundation
import Testing
import Time

@testable import ServiceKit

@Suite("The development issuer")
struct DevelopmentIssuerTests {
  private func withFolder(_ body: (String) throws -> Void) throws {
    let folder = FileManager.default.temporaryDirectory.appendingPathComponent("dos-\(UUID().uuidString)").path
    defer { try? FileManager.default.removeItem(atPath: folder) }
    try body(folder)
  }

  @Test("makes its key once, for its owner alone, and signs what it believes itself")
  func signs() throws {
    try withFolder { folder in
      let now = Instant(milliseconds: 1_790_000_000_000)
      let token = try DevelopmentIssuer(folder: folder).token(
        subject: "somebody", roles: [.sensorOperator], city: "dortmund", issued: now, validFor: .seconds(3_600))
      let again = try DevelopmentIssuer(folder: folder)
      let claims = try TokenVerifier(rules: DevelopmentIssuer.rules).verify(token, keys: again.key.keySet(), now: now)
      #expect(claims.caller.roles == ["sensor-operator"])
      #expect(claims.caller.city == "dortmund")
      #expect(claims.expiry == now + .seconds(3_600))
      let attributes = try FileManager.default.attributesOfItem(atPath: folder + "/development-key")
      #expect(attributes[.posixPermissions] as? Int == 0o600)
    }
  }

  @Test("refuses a key that others may read, and a file that is none")
  func refuses() throws {
    try withFolder { folder in
      _ = try DevelopmentIssuer(folder: folder)
      let path = folder + "/development-key"
      try FileManager.default.setAttributes([.posixPermissions: 0o644], ofItemAtPath: path)
      #expect(throws: DevelopmentIssuer.Failure.self) { try DevelopmentIssuer(folder: folder) }
      try FileManager.default.setAttributes([.posixPermissions: 0o600], ofItemAtPath: path)
      try Data("nonsense".utf8).write(to: URL(fileURLWithPath: path))
      #expect(throws: DevelopmentIssuer.Failure.self) { try DevelopmentIssuer(folder: folder) }
    }
  }
}
