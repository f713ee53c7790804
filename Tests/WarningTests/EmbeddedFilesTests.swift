import Embedded
import Foundation
import TestSupport
import Testing

@testable import Warning

@Suite("The warning service's files in the binary")
struct EmbeddedFilesTests {
  @Test("are the files in the folders, byte for byte")
  func complete() throws {
    let service = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "../../Services/Warning").standardized
    var files: [String: [UInt8]] = [:]
    for folder in ["Migrations", "Pages", "Areas", "Templates"] {
      for name in try FileManager.default.contentsOfDirectory(atPath: service.appending(path: folder).path)
      where !name.hasPrefix(".") && !name.hasSuffix(".swift") {
        files["\(folder)/\(name)"] = Array(try Data(contentsOf: service.appending(path: "\(folder)/\(name)")))
      }
    }
    let schemas = WarningFiles.all.filter { $0.name.hasPrefix(EventShapes.folder) }
    for schema in schemas { files[schema.name] = try Schemas.bytes("events/" + schema.name.dropFirst(EventShapes.folder.count)) }
    #expect(!schemas.isEmpty && Set(WarningFiles.all.map(\.name)) == Set(files.keys))
    for file in WarningFiles.all { #expect(file.bytes == files[file.name], "\(file.name) differs: build again") }
  }
}
