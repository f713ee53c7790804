import JSON
import HTTP

typealias JSONBody = JSONValue

/// Things: registered, changed, relocated, retired.
extension RegistryRoutes {
  func things() -> [Route] {
    [
      post(.thing, "Register a thing, with locations and datastreams where wanted") { commands, _, body in
        let id = try await commands.registerThing(body)
        return STAService.Written(status: 201, type: .thing, id: id)
      },
      patch(.thing, "Change a thing; naming Locations relocates it") { commands, request, body in
        let id = try request.integerParameter("id")
        try await commands.changeThing(id, body)
        return STAService.Written(status: 200, type: .thing, id: id)
      },
      delete(.thing, "Delete a thing with its datastreams and their readings: nobody sees them any more") { commands, request, _ in
        let id = try request.integerParameter("id")
        try await commands.deleteThing(id, datastreams: datastreams("thing_id", id))
        return STAService.Written(status: 200)
      },
      own("things/{id}/retire", "Retire a thing and close its datastreams: all of it stays readable") { commands, request, _ in
        let id = try request.integerParameter("id")
        try await commands.retireThing(id, datastreams: datastreams("thing_id", id))
        return STAService.Written(status: 204)
      },
      post(.location, at: "Things({id})/Locations", takes: "NewOrLinkedLocation", "Relocate a thing to a new location, or to one that is there") {
        commands, request, body in
        let location = try await commands.relocateThing(request.integerParameter("id"), body)
        return STAService.Written(status: 201, type: .location, id: location)
      },
      post(.datastream, at: "Things({id})/Datastreams", takes: "NewDatastreamOfThing", "Open a datastream of a thing") {
        commands, request, body in
        let id = try await commands.openDatastream(body, thing: request.integerParameter("id"))
        return STAService.Written(status: 201, type: .datastream, id: id)
      },
    ]
  }
}
