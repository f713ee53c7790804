import Embedded
import SensorEmbedded

/// The service's migrations and pages, and the distribution's JavaScript libraries, as they were at build time.
enum SensorFiles {
  static let all: [EmbeddedFile] = EmbeddedFile.list(sensor_files())
}
