import HTTP
import SensorDomain

/// Locations: registered, changed, withdrawn.
extension RegistryRoutes {
  func locations() -> [Route] {
    [
      post(.location, "Register one") { commands, _, body in
        STAService.Written(status: 201, type: .location, id: try await commands.register(Location.self, body))
      },
      patch(.location, "Change one") { commands, request, body in
        let id = try request.integerParameter("id")
        try await commands.changeLocation(id, body)
        return STAService.Written(status: 200, type: .location, id: id)
      },
      delete(.location, "Withdraw one") { commands, request, _ in
        let id = try request.integerParameter("id")
        try await commands.withdraw(Location.self, id)
        return STAService.Written(status: 200)
      },
    ]
  }
}
