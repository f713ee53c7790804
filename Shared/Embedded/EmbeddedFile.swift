public import CEmbedded

/// A file that was put into the binary at build time by an `Embedded` C target.
public struct EmbeddedFile: Sendable {
  /// The path below the embedding folder, for example `Migrations/0001_journal.sql`.
  public let name: String
  public let bytes: [UInt8]

  public init(name: String, bytes: [UInt8]) {
    self.name = name
    self.bytes = bytes
  }

  public var text: String { String(decoding: bytes, as: UTF8.self) }

  /// Reads a list as an `Embedded` target exports it: entries in order, ended by one without a name.
  public static func list(_ first: UnsafePointer<embedded_file>) -> [EmbeddedFile] {
    var files: [EmbeddedFile] = []
    var entry = first
    while let name = entry.pointee.name {
      let bytes = UnsafeBufferPointer(start: entry.pointee.bytes, count: entry.pointee.size)
      files.append(EmbeddedFile(name: String(cString: name), bytes: Array(bytes)))
      entry += 1
    }
    return files
  }
}
