import Formats

/// Reads CAP as real senders send it: 1.2 and the older 1.1 and 1.0, alone or inside of something else, an entry of an Atom feed or a part of EDXL-DE.
///
/// A warning that is read with a doubt is worth more than one that is thrown away. So what is against the standard is read as far as it makes sense, and
/// every doubt is a remark. A message is refused only where it lacks what makes it one: identifier, sender, sent, status or msgType.
public enum CAPReader {
  /// A message as it was read.
  public struct Reading: Equatable, Sendable {
    public let alert: CAPAlert
    /// What was not as CAP 1.2 wants it, and what became of it: at most 200, the last then saying that there are more. None where it is valid.
    public let remarks: [CAPProblem]
    /// Whether it has a signature (section 3.3.4.1), which nobody checks here.
    public let isSigned: Bool
  }

  /// Reads a document that is one message, or has exactly one within.
  public static func read(_ document: [UInt8], limits: XMLLimits = XMLLimits()) throws(CAPError) -> Reading {
    let readings = try readAll(document, limits: limits)
    guard let only = readings.first, readings.count == 1 else { throw .several(readings.count) }
    return try only.get()
  }

  /// Reads every message within a document, in its order: one that is refused takes no other with it. At least one is there.
  public static func readAll(_ document: [UInt8], limits: XMLLimits = XMLLimits()) throws(CAPError) -> [Result<Reading, CAPError>] {
    let root: XMLTree
    do throws(XMLError) { root = try XMLReader.read(document, limits: limits) } catch { throw .xml(error) }
    var found: [(path: String, alert: XMLTree)] = []
    find(in: root, path: root.name, into: &found)
    guard !found.isEmpty else { throw .noAlert(root: root.name) }
    return found.map { path, alert in
      var reader = CAPAlertReader(path: path)
      do throws(CAPError) { return .success(try reader.read(alert)) } catch { return .failure(error) }
    }
  }

  static let versions = [
    CAPAlert.namespace: "1.2", "urn:oasis:names:tc:emergency:cap:1.1": "1.1", "urn:oasis:names:tc:emergency:cap:1.0": "1.0",
    "http://www.incident.com/cap/1.0": "1.0",
  ]

  /// A document's own element may be without its namespace; within something else it is the namespace that tells a message.
  private static func find(in tree: XMLTree, path: String, into found: inout [(path: String, alert: XMLTree)]) {
    if tree.name == "alert", versions[tree.namespace] != nil || (path == "alert" && tree.namespace.isEmpty) { return found.append((path, tree)) }
    var totals: [String: Int] = [:]
    for child in tree.children { totals[child.name, default: 0] += 1 }
    var numbers: [String: Int] = [:]
    for child in tree.children {
      numbers[child.name, default: 0] += 1
      let number = totals[child.name] == 1 ? "" : "[\(numbers[child.name] ?? 1)]"
      find(in: child, path: "\(path)/\(child.name)\(number)", into: &found)
    }
  }
}
