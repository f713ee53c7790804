import Foundation

/// A disk of its own, small enough to be filled; only root can have one.
public final class SmallDisk: Sendable {
  public let folder: String
  private static let bytes = 2 << 30

  /// nil where none can be mounted.
  public init?() {
    _ = Self.orphansRemoved
    folder = "/tmp/dos-disk-\(getpid())-\(UInt32.random(in: 0 ... .max))"
    guard getuid() == 0, (try? FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: false)) != nil else { return nil }
    guard Self.run("/usr/bin/mount", ["-t", "tmpfs", "-o", "size=\(Self.bytes),mode=755", "tmpfs", folder]) else {
      try? FileManager.default.removeItem(atPath: folder)
      return nil
    }
  }

  deinit { Self.remove(folder) }

  /// Takes all room that is left.
  public func fill() throws {
    let descriptor = open(folder + "/ballast", O_WRONLY | O_CREAT | O_CLOEXEC, 0o600)
    defer { close(descriptor) }
    let block = [UInt8](repeating: 0, count: 1 << 20)
    while block.withUnsafeBytes({ write(descriptor, $0.baseAddress, $0.count) }) > 0 {}
  }

  /// Gives it back.
  public func free() { try? FileManager.default.removeItem(atPath: folder + "/ballast") }

  private static func run(_ program: String, _ arguments: [String]) -> Bool { (try? Program(program, arguments))?.waitForEnd() == 0 }

  private static func remove(_ folder: String) {
    _ = run("/usr/bin/umount", ["--lazy", folder])
    try? FileManager.default.removeItem(atPath: folder)
  }

  /// A process of tests that was killed could not unmount its disks: the next one does.
  private static let orphansRemoved: Void = {
    for name in (try? FileManager.default.contentsOfDirectory(atPath: "/tmp")) ?? [] {
      let parts = name.split(separator: "-")
      guard name.hasPrefix("dos-disk-"), parts.count == 4, let owner = Int32(parts[2]), !ProcessTable.exists(owner) else { continue }
      remove("/tmp/\(name)")
    }
  }()
}
