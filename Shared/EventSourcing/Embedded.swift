public import Embedded
import EventSourcingEmbedded

/// The files of this module that are in the binary.
public let eventSourcingFiles = EmbeddedFile.list(event_sourcing_files)
