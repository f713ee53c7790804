import Embedded
import Foundation
import Testing

@testable import SensorIngest

@Suite("The files in the binary")
struct EmbeddedFilesTests {
  @Test("are the files in the folders, byte for byte")
  func complete() throws {
    let service = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "../../Services/SensorIngest").standardized
    var files: [String: [UInt8]] = [:]
    for folder in ["Migrations", "Pages"] {
      for name in try FileManager.default.contentsOfDirectory(atPath: service.appending(path: folder).path) where !name.hasPrefix(".") {
        files["\(folder)/\(name)"] = Array(try Data(contentsOf: service.appending(path: "\(folder)/\(name)")))
      }
    }
    let embedded = SensorFiles.all.filter { !$0.name.hasPrefix("Libraries/") }
    #expect(Set(embedded.map(\.name)) == Set(files.keys))
    for file in embedded { #expect(file.bytes == files[file.name], "\(file.name) differs: build again") }
  }
}
