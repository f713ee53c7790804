import HTTP
import SensorDomain

/// ObservedProperties: registered, changed, withdrawn.
extension RegistryRoutes {
  func observedProperties() -> [Route] {
    [
      post(.observedProperty, "Register one") { commands, _, body in
        STAService.Written(status: 201, type: .observedProperty, id: try await commands.register(ObservedProperty.self, body))
      },
      patch(.observedProperty, "Change one") { commands, request, body in
        let id = try request.integerParameter("id")
        try await commands.change(ObservedProperty.self, id, body)
        return STAService.Written(status: 200, type: .observedProperty, id: id)
      },
      delete(.observedProperty, "Withdraw one and delete the datastreams that need it") { commands, request, _ in
        let id = try request.integerParameter("id")
        try await commands.withdraw(ObservedProperty.self, id, datastreams: datastreams("observed_property_id", id))
        return STAService.Written(status: 200)
      },
    ]
  }
}
