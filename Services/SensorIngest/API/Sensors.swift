import HTTP
import SensorDomain

/// Sensors: registered, changed, withdrawn.
extension RegistryRoutes {
  func sensors() -> [Route] {
    [
      post(.sensor, "Register one") { commands, _, body in
        STAService.Written(status: 201, type: .sensor, id: try await commands.register(Sensor.self, body))
      },
      patch(.sensor, "Change one") { commands, request, body in
        let id = try request.integerParameter("id")
        try await commands.change(Sensor.self, id, body)
        return STAService.Written(status: 200, type: .sensor, id: id)
      },
      delete(.sensor, "Withdraw one and delete the datastreams that need it") { commands, request, _ in
        let id = try request.integerParameter("id")
        try await commands.withdraw(Sensor.self, id, datastreams: datastreams("sensor_id", id))
        return STAService.Written(status: 200)
      },
    ]
  }
}
