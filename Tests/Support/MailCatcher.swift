import Foundation
import Testing

/// An SMTP server (Debian's aiosmtpd) that keeps what it takes.
public struct MailCatcher: Sendable {
  private let program: Program
  private let port: UInt16
  private let folder: String

  /// Returns when it takes mail. Without one at hand the test is cancelled, and says so.
  public static func start() async throws -> MailCatcher {
    guard FileManager.default.isExecutableFile(atPath: "/usr/bin/aiosmtpd") else { try Test.cancel("no SMTP server: install python3-aiosmtpd") }
    let port = try freePort()
    let folder = NSTemporaryDirectory() + "dos-mail-\(UUID().uuidString)"
    let program = try Program("/usr/bin/aiosmtpd", ["-n", "-l", "127.0.0.1:\(port)", "-c", "aiosmtpd.handlers.Mailbox", folder])
    let catcher = MailCatcher(program: program, port: port, folder: folder)
    guard try await eventually({ catcher.listens }) else { throw Program.Failure(description: "the SMTP server does not listen on port \(port)") }
    return catcher
  }

  public var url: String { "smtp://127.0.0.1:\(port)" }

  /// What it has taken, one text per mail.
  public var mails: [String] {
    let names = (try? FileManager.default.contentsOfDirectory(atPath: folder + "/new")) ?? []
    return names.sorted().compactMap { try? String(contentsOfFile: "\(folder)/new/\($0)", encoding: .utf8) }
  }

  public func stop() async {
    program.signal(SIGKILL)
    _ = try? await program.end()
    try? FileManager.default.removeItem(atPath: folder)
  }

  private var listens: Bool {
    let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
    defer { close(descriptor) }
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_port = port.bigEndian
    address.sin_addr.s_addr = UInt32(0x7f00_0001).bigEndian
    return withUnsafePointer(to: &address) {
      $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size)) == 0 }
    }
  }
}
