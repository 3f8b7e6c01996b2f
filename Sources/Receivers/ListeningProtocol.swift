internal import Logging
internal import PipelineKit
internal import Transport

extension ComponentContext {
  /// Starts the server of one of a receiver's `protocols`, and logs where it listens.
  ///
  /// - Throws: a `StartError` that says which setting to change.
  func listen(
    to name: String, at configured: String, _ start: () async throws -> String
  ) async throws -> String {
    do {
      let address = try await start()
      logger.info("listening", metadata: ["protocol": "\(name)", "address": "\(address)"])
      return address
    } catch let error as BindError {
      throw StartError(
        "protocols.\(name): \(error)",
        help: "change protocols.\(name).endpoint (\(configured)), or stop what listens there",
        isInUse: error.isInUse)
    } catch let error as TLSFileError {
      throw StartError("protocols.\(name).\(error)")
    }
  }
}
