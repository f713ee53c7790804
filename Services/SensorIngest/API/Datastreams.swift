import HTTP
import SensorDomain

/// Datastreams: opened, changed, closed.
extension RegistryRoutes {
  func datastreams() -> [Route] {
    [
      post(.datastream, "Open a datastream") { commands, _, body in
        STAService.Written(status: 201, type: .datastream, id: try await commands.openDatastream(body))
      },
      patch(.datastream, "Change a datastream; its visibility and observationType are for life") { commands, request, body in
        let id = try request.integerParameter("id")
        try await commands.changeDatastream(id, body)
        return STAService.Written(status: 200, type: .datastream, id: id)
      },
      delete(.datastream, "Delete a datastream with its readings: nobody sees them any more") { commands, request, _ in
        try await commands.deleteDatastream(request.integerParameter("id"))
        return STAService.Written(status: 200)
      },
      own("datastreams/{id}/close", "Close a datastream: it takes no more readings, and those it has stay readable") { commands, request, _ in
        try await commands.closeDatastream(request.integerParameter("id"))
        return STAService.Written(status: 204)
      },
    ]
  }
}
