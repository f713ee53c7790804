import Embedded
import Foundation
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
    #expect(Set(WarningFiles.all.map(\.name)) == Set(files.keys))
    for file in WarningFiles.all { #expect(file.bytes == files[file.name], "\(file.name) differs: build again") }
  }
}
