import Foundation
import ServiceKit

/// The city's one executable: `dos serve all`, `dos migrate`, `dos replay`, ...
@main
enum Dos {
  static let version = "0.1.0"

  static func main() async {
    Signal.ignoreBrokenPipes()
    Memory.keepFreed()
    let arguments = Array(CommandLine.arguments.dropFirst())
    let code = await Commands.table.main(arguments, environment: ProcessInfo.processInfo.environment)
    // A part that hangs cannot be taken away, so the process does not wait for it.
    exit(code)
  }
}
