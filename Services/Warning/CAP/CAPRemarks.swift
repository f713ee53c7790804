import Formats

/// The doubts that came up while a message was read, each once.
struct CAPRemarks {
  private(set) var all: [CAPProblem] = []
  private let limit = 200

  mutating func note(_ path: String, _ problem: String) {
    if all.count < limit - 1 {
      // A remark quotes what the sender wrote, which may be megabytes.
      all.append(CAPProblem(path: path, problem: problem.unicodeScalars.count > 400 ? "\(problem.prefix(400))…" : problem))
    } else if all.count == limit - 1 {
      all.append(CAPProblem(path: "alert", problem: "has more problems than are listed"))
    }
  }
}

/// The parts of an element by name, in the order of the document.
struct CAPParts {
  let path: String
  private let found: [String: [XMLTree]]

  /// Takes the children that the standard knows, and remarks on others, and on an order that the schema does not have.
  init(_ tree: XMLTree, path: String, order: [String], remarks: inout CAPRemarks) {
    var found: [String: [XMLTree]] = [:]
    var last = 0
    var ordered = true
    for child in tree.children {
      guard child.namespace == tree.namespace, let place = order.firstIndex(of: child.name) else {
        // A signature is remarked on by whoever looks for it.
        if child.name != "Signature" { remarks.note(path, "has an element '\(child.name)', which CAP does not know there; it is not read") }
        continue
      }
      if place < last, ordered {
        remarks.note(path, "has '\(child.name)' behind '\(order[last])': the order is \(order.joined(separator: ", "))")
        ordered = false
      }
      last = max(last, place)
      found[child.name, default: []].append(child)
    }
    self.path = path
    self.found = found
  }

  /// All of a name that may be there several times, each with its path.
  func all(_ name: String) -> [(path: String, tree: XMLTree)] {
    (found[name] ?? []).enumerated().map { ("\(path)/\(name)[\($0 + 1)]", $1) }
  }

  /// The text of all that may be there several times, without blanks at the ends, empty ones left out.
  func texts(_ name: String, _ remarks: inout CAPRemarks) -> [(path: String, text: String)] {
    var texts: [(path: String, text: String)] = []
    for (path, tree) in all(name) {
      let text = Self.text(of: tree, path: path, &remarks)
      if text.isEmpty { remarks.note(path, "is empty") } else { texts.append((path, text)) }
    }
    return texts
  }

  /// The text of what may be there once, without blanks at the ends; nil where it is absent or empty, which senders mean to be the same.
  func text(_ name: String, _ remarks: inout CAPRemarks) -> String? {
    guard let trees = found[name], let first = trees.first else { return nil }
    if trees.count > 1 { remarks.note("\(path)/\(name)", "is there \(trees.count) times; the first is read") }
    let text = Self.text(of: first, path: "\(path)/\(name)", &remarks)
    return text.isEmpty ? nil : text
  }

  private static func text(of tree: XMLTree, path: String, _ remarks: inout CAPRemarks) -> String {
    if let inner = tree.children.first { remarks.note(path, "has an element '\(inner.name)' within, which is not read: CAP has plain text") }
    return CAPText.trimmed(tree.text)
  }

  /// One of the standard's words, in whatever case.
  static func word<Word: RawRepresentable & CaseIterable>(
    _ text: String, path: String, _: Word.Type, _ remarks: inout CAPRemarks
  ) -> Word? where Word.RawValue == String {
    if let word = Word(rawValue: text) { return word }
    if let word = Word.allCases.first(where: { $0.rawValue.lowercased() == text.lowercased() }) {
      remarks.note(path, "is '\(text)', read as \(word.rawValue)")
      return word
    }
    remarks.note(path, "is '\(text)' and not one of \(Word.allCases.map(\.rawValue).joined(separator: ", "))")
    return nil
  }
}
