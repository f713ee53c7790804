import Foundation
internal import FoundationXML

/// Reads XML 1.0 with namespaces, in UTF-8, whole, by libxml2 (FoundationXML).
public enum XMLReader {
  /// The document's element with everything in it.
  ///
  /// Nothing is fetched and nothing is expanded but the five entities of XML and references to characters: any `<!DOCTYPE` is refused before a parser
  /// sees it, as are other encodings than UTF-8 and what is beyond the limits. The first fault refuses the document.
  public static func read(_ bytes: [UInt8], limits: XMLLimits = XMLLimits()) throws(XMLError) -> XMLTree {
    try XMLScan.check(bytes, limits: limits)
    let builder = Builder()
    let parser = XMLParser(data: Data(bytes))
    parser.shouldProcessNamespaces = true
    parser.shouldResolveExternalEntities = false
    parser.delegate = builder
    // What it returns says nothing: a document that ends too early, or goes on behind its end, is true.
    _ = parser.parse()
    if let fault = builder.fault { throw fault }
    guard let root = builder.root else { throw .empty }
    return root
  }
}

private final class Builder: NSObject, XMLParserDelegate {
  private(set) var root: XMLTree?
  private(set) var fault: XMLError?
  private var open: [XMLTree] = []

  func parser(
    _ parser: XMLParser, didStartElement name: String, namespaceURI: String?, qualifiedName: String?, attributes: [String: String] = [:]
  ) {
    guard fault == nil else { return }
    open.append(XMLTree(name: name, namespace: namespaceURI ?? "", attributes: attributes, line: parser.lineNumber))
  }

  func parser(_ parser: XMLParser, didEndElement name: String, namespaceURI: String?, qualifiedName: String?) {
    guard fault == nil, var element = open.popLast() else { return }
    if !element.children.isEmpty, element.text.allSatisfy(\.isXMLBlank) { element.text = "" }
    if open.isEmpty { root = element } else { open[open.count - 1].children.append(element) }
  }

  func parser(_ parser: XMLParser, foundCharacters text: String) { append(text) }

  func parser(_ parser: XMLParser, foundCDATA data: Data) { append(String(decoding: data, as: UTF8.self)) }

  func parser(_ parser: XMLParser, parseErrorOccurred error: any Error) {
    let code = (error as NSError).code
    // Warnings: a version such as 1.1, an unknown xml:lang, a namespace that is no absolute URI. Such documents are read.
    guard fault == nil, !(97...100).contains(code) else { return }
    // The parser would go on and hand over what it makes of the rest.
    fault = .malformed(line: max(parser.lineNumber, 1), reason: Self.reasons[code] ?? "libxml2 calls it error \(code)")
    parser.abortParsing()
  }

  private func append(_ text: String) {
    guard fault == nil, !open.isEmpty else { return }
    open[open.count - 1].text += text
  }

  /// By libxml2's `xmlParserErrors`; FoundationXML's errors have no text of their own.
  private static let reasons: [Int: String] = [
    4: "there is no element", 5: "it ends within an element, or goes on behind the last one", 8: "a reference to a character that XML does not have",
    9: "a character that XML does not have", 26: "an entity that is not declared: XML itself has amp, lt, gt, quot and apos",
    23: "a reference without its semicolon: write & as &amp;", 38: "a < within an attribute: write it as &lt;", 39: "an attribute without quotes",
    41: "an attribute without a value", 42: "an attribute twice", 45: "a comment that does not end", 62: "]]> within text: write > as &gt;",
    64: "an XML declaration that is not at the very beginning", 65: "a blank is missing", 68: "a name is missing: write < as &lt; and & as &amp;",
    73: "a > is missing at the end of a tag", 76: "an end tag that does not match its start tag", 77: "it ends within an element",
    80: "two hyphens within a comment", 201: "a prefix without its namespace (xmlns:...)", 203: "an attribute twice, by its namespace",
  ]
}

extension Character {
  fileprivate var isXMLBlank: Bool { self == " " || self == "\n" || self == "\t" || self == "\r" || self == "\r\n" }
}
