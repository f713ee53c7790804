import HTTP
import ServiceKit
import Time

/// `dos token`: a token of development for a role, or the key of a device. Prints it alone, so that a shell can take it.
enum TokenCommand {
  /// What was asked for does not go together.
  struct Refused: Error, CustomStringConvertible {
    let description: String
  }

  private static let role = SettingKey<[String]>.list(
    "role", "ROLE", sources: .commandLine, help: "Sign a token for development with this role: \(Role.allCases.map(\.rawValue).joined(separator: ", "))")
  private static let subject = SettingKey<String>.text("subject", "NAME", default: "developer", sources: .commandLine, help: "Whom the token names")
  private static let hours = SettingKey<Int>.integer("hours", in: 1...8_760, default: 12, sources: .commandLine, help: "How long the token is valid")
  private static let device = SettingKey<String?>.text("device", "NAME", sources: .commandLine, help: "Make a key for this device; it is shown this once")
  private static let revoke = SettingKey<Bool>.toggle("revoke", sources: .commandLine, help: "With --device: revoke all keys of that device instead")

  static let command = Command(
    "token", "sign a token for development, or make or revoke a device's key",
    settings: [role.setting, subject.setting, hours.setting, device.setting, revoke.setting]
      + ProcessSettings.storage + [ProcessSettings.oidcIssuer.setting]
  ) { call in
    let settings = call.settings
    switch (settings[role], settings[device]) {
    case ([], let name?): return try await key(of: name, settings)
    case (let roles, nil) where !roles.isEmpty:
      print(try token(roles, settings))
      return 0
    default: throw Refused(description: "say either --role ROLE or --device NAME")
    }
  }

  private static func token(_ names: [String], _ settings: Settings) throws -> String {
    guard settings[ProcessSettings.oidcIssuer] == nil else {
      throw Refused(description: "an OIDC issuer is set, so tokens come from there; local ones would be refused")
    }
    let roles = try names.map { name in
      guard let role = Role(rawValue: name) else {
        throw SettingsRejection([
          .impossible(.flag("--role"), value: name, expected: "one of " + Role.allCases.map(\.rawValue).joined(separator: ", "))
        ])
      }
      return role
    }
    let issuer = try DevelopmentIssuer(folder: settings[ProcessSettings.home])
    return try issuer.token(
      subject: settings[subject], roles: Set(roles), city: city(settings), issued: Instant.now(), validFor: .seconds(settings[hours] * 3_600))
  }

  /// The caller belongs to a city only where one was named.
  private static func city(_ settings: Settings) -> String? {
    settings.isSet(ProcessSettings.city) ? settings[ProcessSettings.city] : nil
  }

  private static func key(of device: String, _ settings: Settings) async throws -> Int32 {
    let pool = try await Databases(settings, log: settings.log).open(settings[ProcessSettings.identityDatabase], size: 1)
    let keys = DeviceKeys(pool: pool)
    do {
      try await DeviceKeys.migrate(pool)
      if settings[revoke] {
        print("\(try await keys.revoke(id: device)) keys revoked")
      } else {
        print(try await keys.create(id: device, city: city(settings)).text)
      }
    } catch {
      await pool.close()
      throw error
    }
    await pool.close()
    return 0
  }
}
