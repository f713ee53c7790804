import Foundation

/// The machine's processes, as proc(5) shows them.
public enum ProcessTable {
  /// Those whose parent is the given one.
  public static func children(of parent: Int32) -> [Int32] {
    let entries = (try? FileManager.default.contentsOfDirectory(atPath: "/proc")) ?? []
    return entries.compactMap { Int32($0) }.filter { self.parent(of: $0) == parent }
  }

  /// Whether there is such a process, be it one that has ended and whose parent has not taken notice yet.
  public static func exists(_ process: Int32) -> Bool { kill(process, 0) == 0 || errno != ESRCH }

  private static func parent(of process: Int32) -> Int32? {
    // The name stands in parentheses and may hold anything; what follows its end are plain words.
    guard let text = try? String(contentsOfFile: "/proc/\(process)/stat", encoding: .utf8), let name = text.lastIndex(of: ")") else { return nil }
    return text[text.index(after: name)...].split(separator: " ").dropFirst(1).first.flatMap { Int32($0) }
  }
}
