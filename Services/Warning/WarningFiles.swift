import Embedded
import WarningEmbedded

/// The service's migrations, pages and the areas drawn by hand, as they were at build time.
enum WarningFiles {
  static let all: [EmbeddedFile] = EmbeddedFile.list(warning_files())
}
