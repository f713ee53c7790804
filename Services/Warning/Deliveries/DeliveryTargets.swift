import Foundation
import Postgres
import WarningDomain

/// Who gets what is sent: a webhook or a list of mail addresses, and for what.
struct DeliveryTarget: Sendable {
  let id: UUID
  let city: String
  /// webhook or email.
  let channel: Channel
  let name: String
  /// A URL, or addresses of mail with commas between.
  let address: String
  /// Signs what a webhook gets.
  let secret: String?
  /// `alerts`; `rota/<name>/<level>` for a level's pages; `control-room/<authority>` for requests.
  let purpose: String
}

/// The vault of addresses: they stand in no event, and go when they are deleted here.
struct DeliveryTargets: Sendable {
  static let alerts = "alerts"

  let pool: PostgresPool

  func all(city: String, channel: Channel, purpose: String) async throws -> [DeliveryTarget] {
    try await read("where city = \(city) and channel = \(channel.rawValue) and purpose = \(purpose)")
  }

  func all(purpose: String) async throws -> [DeliveryTarget] { try await read("where purpose = \(purpose)") }

  /// Those of a city, or of all.
  func all(city: String?) async throws -> [DeliveryTarget] {
    if let city { return try await read("where city = \(city)") }
    return try await read("")
  }

  func one(_ id: UUID) async throws -> DeliveryTarget? { try await read("where target = \(id)").first }

  /// - Returns: false where the city has one of that name already.
  func add(_ target: DeliveryTarget) async throws -> Bool {
    let rows = try await pool.query(
      """
      insert into delivery_targets (target, city, channel, name, address, secret, purpose)
      values (\(target.id), \(target.city), \(target.channel.rawValue), \(target.name), \(target.address), \(target.secret as String?), \(target.purpose))
      on conflict (city, channel, name) do nothing returning target
      """)
    return !rows.isEmpty
  }

  func remove(_ id: UUID) async throws { try await pool.execute("delete from delivery_targets where target = \(id)") }

  private func read(_ which: SQL) async throws -> [DeliveryTarget] {
    try await pool.query("select target, city, channel, name, address, secret, purpose from delivery_targets \(which) order by city, channel, name")
      .compactMap { row throws -> DeliveryTarget? in
        let (id, city, channel, name, address, secret) = try row.decode(UUID.self, String.self, String.self, String.self, String.self, String?.self)
        guard let channel = Channel(rawValue: channel) else { return nil }
        return DeliveryTarget(id: id, city: city, channel: channel, name: name, address: address, secret: secret, purpose: try row.value(at: 6))
      }
  }
}
