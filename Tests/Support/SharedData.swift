import Foundation

/// Real input that is no part of the project: the folder that `DOS_DATA` names.
public enum SharedData {
  /// What a test says that is skipped.
  public static let missing = "no real input at hand: set DOS_DATA to its folder"

  private static let folder = ProcessInfo.processInfo.environment["DOS_DATA"].map { URL(fileURLWithPath: $0) }

  /// Whether a file is there, for `.enabled(if:)`.
  public static func has(_ path: String) -> Bool { url(path).map { FileManager.default.fileExists(atPath: $0.path) } ?? false }

  /// A file's bytes.
  public static func bytes(_ path: String) throws -> [UInt8] {
    guard let url = url(path) else { throw CocoaError(.fileNoSuchFile) }
    return Array(try Data(contentsOf: url))
  }

  /// Where a file is; nil without the folder.
  public static func url(_ path: String) -> URL? { folder?.appendingPathComponent(path) }
}
