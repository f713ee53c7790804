import HTTP
import SensorDomain

/// FeaturesOfInterest: registered, changed, withdrawn.
extension RegistryRoutes {
  func featuresOfInterest() -> [Route] {
    [
      post(.featureOfInterest, "Register one") { commands, _, body in
        STAService.Written(status: 201, type: .featureOfInterest, id: try await commands.register(FeatureOfInterest.self, body))
      },
      patch(.featureOfInterest, "Change one") { commands, request, body in
        let id = try request.integerParameter("id")
        try await commands.change(FeatureOfInterest.self, id, body)
        return STAService.Written(status: 200, type: .featureOfInterest, id: id)
      },
      delete(.featureOfInterest, "Withdraw one and the readings that are about it") { commands, request, _ in
        let id = try request.integerParameter("id")
        try await commands.withdraw(FeatureOfInterest.self, id)
        // First, since withdrawing them again is harmless and readings about nothing would not be.
        try await service.readings.withdraw(aboutFeature: id, for: request)
        return STAService.Written(status: 200)
      },
    ]
  }
}
