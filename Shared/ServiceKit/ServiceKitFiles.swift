import Embedded
import ServiceKitEmbedded

/// The devices' migrations, and what pages share: the login and Leaflet, as they were at build time.
enum ServiceKitFiles {
  static let all: [EmbeddedFile] = EmbeddedFile.list(service_kit_files())
}
