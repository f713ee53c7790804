public import Foundation
public import JSON

/// The folder `schemas/` of the repository.
public enum Schemas {
  public static let folder = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "../../schemas").standardized

  public static func bytes(_ name: String) throws -> [UInt8] { Array(try Data(contentsOf: folder.appending(path: name))) }

  public static func json(_ name: String) throws -> JSONValue { try JSONValue(parsing: bytes(name)) }

  /// The files' names without `.json`; any other file is a name too, so that it is noticed.
  public static func names(in part: String) throws -> [String] {
    try FileManager.default.contentsOfDirectory(atPath: folder.appending(path: part).path).map { $0.hasSuffix(".json") ? String($0.dropLast(5)) : $0 }
  }

  /// Compares the file with what the code writes; with DOS_UPDATE_SCHEMAS=1 it is written instead.
  public static func hold(_ name: String, to written: [UInt8]) throws {
    if ProcessInfo.processInfo.environment["DOS_UPDATE_SCHEMAS"] == "1" {
      try Data(written).write(to: folder.appending(path: name))
    } else if try bytes(name) != written {
      throw SchemaChanged(name: name)
    }
  }

  /// Whether all of `part` stands in `whole`, which may have more members: later versions of the code write more.
  public static func holds(_ whole: JSONValue, _ part: JSONValue) -> Bool {
    switch (whole, part) {
    case (.object(let whole), .object(let part)): part.allSatisfy { name, value in whole[name].map { holds($0, value) } ?? false }
    case (.array(let whole), .array(let part)): whole.count == part.count && zip(whole, part).allSatisfy { holds($0, $1) }
    default: whole == part || (whole.double != nil && whole.double == part.double)
    }
  }

  /// What starts with this belongs to the warnings' service; everything else to the sensors' or to all.
  public static let warnings = (types: "de.dos2030.warnings.", topics: "dos.warnings.")
}

/// The code writes another document than the file holds.
public struct SchemaChanged: Error, CustomStringConvertible {
  public let name: String
  public var description: String { "\(name) is no longer what the code writes: run this test with DOS_UPDATE_SCHEMAS=1 and look at the difference" }
}

/// `schemas/asyncapi.yaml`, as far as its lines say which events travel where.
public struct AsyncAPIDocument {
  /// By the topic's name, the types of the events on it.
  public private(set) var topics: [String: Set<String>] = [:]
  /// The types of all messages, whether a topic has them or not, whose payload is the schema of that name.
  public private(set) var types: Set<String> = []

  public init() throws {
    let lines = String(decoding: try Schemas.bytes("asyncapi.yaml"), as: UTF8.self).split(separator: "\n")
    var topic: String?
    var section = ""
    var named: [(section: String, type: String)] = []
    var listed: [String: [String]] = [:]
    for line in lines {
      let text = line.trimmingCharacters(in: .whitespaces)
      if !line.hasPrefix(" ") { topic = nil }
      if line.hasPrefix("    "), !line.hasPrefix("     "), text.hasSuffix(":") { section = String(text.dropLast()) }
      if let name = text.suffix(after: "address: ") {
        topic = name
        listed[name] = []
      } else if let topic, let message = text.suffix(after: "$ref: '#/components/messages/") {
        listed[topic]?.append(String(message.dropLast()))
      } else if let type = text.suffix(after: "name: ") {
        named.append((section, type))
      } else if let last = named.last, text == "$ref: ./events/\(last.type).json" {
        types.insert(last.type)
      }
    }
    topics = listed.mapValues { messages in Set(messages.map { message in named.first { $0.section == message }?.type ?? message }) }
  }
}

extension String {
  fileprivate func suffix(after prefix: String) -> String? { hasPrefix(prefix) ? String(dropFirst(prefix.count)) : nil }
}
