import Foundation
import HTTP

/// How far an import has come: rows that the city acknowledged, and what became of them. A file that outlives `kill -9`.
struct ImportCheckpoint: Sendable, Codable, Equatable {
  /// Which file, imported how.
  var source: String
  var summary: ImportSummary

  /// Reads what an earlier run left; nil where there is none, or it is of another file or import.
  static func read(_ path: String, source: String) -> ImportCheckpoint? {
    guard let data = FileManager.default.contents(atPath: path) else { return nil }
    guard let found = try? JSONDecoder().decode(ImportCheckpoint.self, from: data), found.source == source else { return nil }
    return found
  }

  /// Replaces the file as a whole: after a crash there is the old one or the new one.
  func write(_ path: String) throws(ImportFailure) {
    let bytes: Data
    do { bytes = try JSONEncoder().encode(self) } catch { throw .state("\(error)") }
    let draft = path + ".new"
    try ImportCheckpoint.durably(draft, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC) { descriptor in
      var rest = [UInt8](bytes)[...]
      while !rest.isEmpty {
        let count = rest.withUnsafeBytes { Glibc.write(descriptor, $0.baseAddress, $0.count) }
        if count < 0, errno == EINTR { continue }
        guard count > 0 else { return false }
        rest = rest.dropFirst(count)
      }
      return true
    }
    guard rename(draft, path) == 0 else { throw .state(ImportCheckpoint.reason(path)) }
    // The new name is in the folder, which is a file of its own to the disk.
    let slash = path.lastIndex(of: "/")
    try ImportCheckpoint.durably(slash.map { $0 == path.startIndex ? "/" : String(path[..<$0]) } ?? ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC) { _ in true }
  }

  private static func durably(_ path: String, _ flags: Int32, _ body: (Int32) -> Bool) throws(ImportFailure) {
    let descriptor = open(path, flags, 0o600)
    guard descriptor >= 0 else { throw .state(reason(path)) }
    defer { close(descriptor) }
    guard body(descriptor), fsync(descriptor) == 0 else { throw .state(reason(path)) }
  }

  private static func reason(_ path: String) -> String { "\(path): \(String(cString: strerror(errno)))" }

  /// Where the state of this import lives by default.
  static func path(for source: String, in folder: String) throws(ImportFailure) -> String {
    do {
      try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    } catch {
      throw .state("\(folder): \(error.localizedDescription)")
    }
    return folder + "/import-" + EntityTag.of(Array(source.utf8)).filter { $0 != "\"" } + ".json"
  }

  /// Names a file by its size and both its ends, so that a copy or a touched one is the same and a grown one another.
  static func identity(of file: String) throws(ImportFailure) -> String {
    guard let handle = FileHandle(forReadingAtPath: file) else { throw .file("\(file): \(String(cString: strerror(errno)))") }
    defer { try? handle.close() }
    do {
      let size = try handle.seekToEnd()
      let part = 1 << 16
      try handle.seek(toOffset: 0)
      let head = try handle.read(upToCount: part) ?? Data()
      try handle.seek(toOffset: size > UInt64(part) ? size - UInt64(part) : 0)
      let tail = try handle.read(upToCount: part) ?? Data()
      return "\(size) \(EntityTag.of([UInt8](head))) \(EntityTag.of([UInt8](tail)))"
    } catch {
      throw .file("\(file): \(error.localizedDescription)")
    }
  }
}
