/// An element of an XML document with everything in it (XML 1.0, section 3; names by Namespaces in XML 1.0).
public struct XMLTree: Equatable, Sendable {
  /// The name without its prefix.
  public let name: String
  /// The URI of the namespace the name is from; empty where it is from none.
  public let namespace: String
  /// The values by name. The names are as written, with their prefixes (`xsi:type`); declarations of namespaces are not among them.
  public let attributes: [String: String]
  /// The line its start tag ends on, the first being 1.
  public let line: Int
  /// The elements directly within, in their order.
  public internal(set) var children: [XMLTree] = []
  /// The characters directly within, references and CDATA resolved. Blanks that only set elements apart are left out.
  public internal(set) var text = ""

  /// The first of the elements directly within that has this name, whatever its namespace.
  public func first(_ name: String) -> XMLTree? { children.first { $0.name == name } }

  /// All elements directly within that have this name, whatever their namespace.
  public func all(_ name: String) -> [XMLTree] { children.filter { $0.name == name } }
}

/// How much a document may hold. Whoever reads it has it in memory, and some of what a parser does grows with the square of a number.
public struct XMLLimits: Equatable, Sendable {
  /// Bytes of the document.
  public var bytes: Int
  /// Elements within each other. Not more than 256, beyond which libxml2 refuses.
  public var depth: Int
  /// Elements of the document.
  public var elements: Int
  /// Attributes of one element, declarations of namespaces among them: each is compared with all others.
  public var attributes: Int

  /// 8 MiB, 64 deep, 200,000 elements of 64 attributes each.
  public init(bytes: Int = 8 << 20, depth: Int = 64, elements: Int = 200_000, attributes: Int = 64) {
    self.bytes = bytes
    self.depth = depth
    self.elements = elements
    self.attributes = attributes
  }
}
