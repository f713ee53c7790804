import Foundation

/// The process that listens on a port.
public struct PortOwner: Sendable, Equatable {
  public let process: Int
  /// The beginning of its command line.
  public let command: String

  /// Nil where nobody listens, or the owner belongs to somebody else and this process may not look.
  public static func of(port: UInt16) -> PortOwner? {
    let inodes = listeners(on: port)
    guard !inodes.isEmpty else { return nil }
    let wanted = Set(inodes.map { "socket:[\($0)]" })
    let files = FileManager.default
    for entry in (try? files.contentsOfDirectory(atPath: "/proc")) ?? [] {
      guard let process = Int(entry), let descriptors = try? files.contentsOfDirectory(atPath: "/proc/\(entry)/fd") else { continue }
      for descriptor in descriptors {
        guard let target = try? files.destinationOfSymbolicLink(atPath: "/proc/\(entry)/fd/\(descriptor)"), wanted.contains(target) else { continue }
        return PortOwner(process: process, command: commandLine(of: process))
      }
    }
    return nil
  }

  /// The inodes of the sockets that listen there: columns of proc_net_tcp(5).
  private static func listeners(on port: UInt16) -> [Substring] {
    let listening: Substring = "0A"
    return ["/proc/net/tcp", "/proc/net/tcp6"].flatMap { table in
      contents(of: table).split(separator: "\n").dropFirst().compactMap { line in
        let columns = line.split(separator: " ")
        guard columns.count > 9, columns[3] == listening, let local = columns[1].split(separator: ":").last else { return nil }
        return UInt16(local, radix: 16) == port ? columns[9] : nil
      }
    }
  }

  private static func commandLine(of process: Int) -> String {
    let words = contents(of: "/proc/\(process)/cmdline").split(separator: "\0")
    return words.isEmpty ? "unknown" : String(words.joined(separator: " ").prefix(120))
  }

  /// Read to the end: Foundation takes the first page of such files, whose size is 0, for all of them.
  private static func contents(of path: String) -> String {
    guard let file = unsafe fopen(path, "r") else { return "" }
    defer { unsafe fclose(file) }
    var bytes: [UInt8] = []
    var buffer = [UInt8](repeating: 0, count: 65536)
    while case let count = unsafe fread(&buffer, 1, buffer.count, file), count > 0 { bytes += buffer[..<count] }
    return String(decoding: bytes, as: UTF8.self)
  }
}
