import Embedded
import HTTP
import Postgres
import Synchronization

/// The keys of devices, by the SHA-256 of each (table `dos_device_keys`). Believed for a few seconds without asking the database again.
public final class DeviceKeys: Sendable {
  /// How long a key is believed, or disbelieved, without another look; a revoked key works for at most this long.
  public static let memory = Duration.seconds(10)
  /// Keys one device may have at a time: one in use and others while it is being changed. The oldest gives way.
  public static let keysPerDevice = 5

  private struct Remembered {
    let caller: Caller?
    let until: ContinuousClock.Instant
  }

  private let pool: PostgresPool
  private let now: @Sendable () -> ContinuousClock.Instant
  private let remembered = Mutex<[[UInt8]: Remembered]>([:])

  public init(pool: PostgresPool, now: @escaping @Sendable () -> ContinuousClock.Instant = { .now }) {
    self.pool = pool
    self.now = now
  }

  /// The table's schema.
  public static func migrations() throws(PostgresError) -> SchemaSteps {
    return SchemaSteps(scope: "identity", try Migrations.load(ServiceKitFiles.all.filter { $0.name.hasPrefix("Migrations/") }))
  }

  /// Brings the table up to date in a database.
  public static func migrate(_ pool: PostgresPool) async throws {
    let steps = try migrations()
    try await Migrations.apply(steps.migrations, scope: steps.scope, to: pool)
  }

  /// The device whose key that is; nil for an unknown or revoked one.
  public func caller(for text: String) async throws -> Caller? {
    guard let key = DeviceKey(text) else { return nil }
    let hash = key.sha256
    let time = now()
    if let known = remembered.withLock({ $0[hash] }), time < known.until { return known.caller }
    let rows = try await pool.query(
      "select sha256, roles, city from dos_device_keys where id = \(key.id) and revoked_at is null order by created_at desc limit \(Self.keysPerDevice)")
    var caller: Caller?
    for row in rows {
      let (stored, roles, city) = try row.decode([UInt8].self, [String].self, String?.self)
      // Every row is compared whole: the time taken tells nothing about how near a guess was.
      if ConstantTime.equal(stored, hash) { caller = Caller(id: key.id, roles: Set(roles), city: city, kind: .device) }
    }
    let found = Remembered(caller: caller, until: time + Self.memory)
    remembered.withLock { remembered in
      // Made-up keys must not fill the memory.
      if remembered.count >= 10_000 { remembered.removeAll() }
      remembered[hash] = found
    }
    return caller
  }

  /// Makes a key and answers it; it can never be read again.
  ///
  /// - Throws: `DeviceKey.BadID`, `PostgresError`.
  public func create(id: String, roles: Set<Role> = [.device], city: String?) async throws -> DeviceKey {
    let key = try DeviceKey(drawingFor: id)
    let names = roles.map(\.rawValue).sorted()
    let hash = key.sha256
    try await pool.transaction { connection throws in
      try connection.execute(
        "insert into dos_device_keys (sha256, id, roles, city, created_at) values (\(hash), \(id), \(names), \(city as String?), clock_timestamp())")
      try connection.execute(
        """
        update dos_device_keys set revoked_at = now()
        where id = \(id) and revoked_at is null and sha256 not in (
          select sha256 from dos_device_keys where id = \(id) and revoked_at is null order by created_at desc limit \(Self.keysPerDevice))
        """)
    }
    return key
  }

  /// Revokes all keys of a device and answers how many that were.
  public func revoke(id: String) async throws -> Int {
    let count = try await pool.execute("update dos_device_keys set revoked_at = now() where id = \(id) and revoked_at is null")
    remembered.withLock { $0.removeAll() }
    return count
  }
}
