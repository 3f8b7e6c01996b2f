import Console
import Exporters
import Extensions
import PipelineKit
import Processors
import Receivers

extension Catalog {
  /// Every component of this build: one line each.
  static let standard = Catalog(
    receivers: [
      OTLPReceiver.self
    ],
    processors: [
      BatchProcessor.self
    ],
    exporters: [
      DebugExporter.self,
      FileExporter.self,
      NopExporter.self,
      OTLPGRPCExporter.self,
      OTLPHTTPExporter.self,
    ],
    extensions: [
<<<<<<< HEAD
      FileStorageExtension.self,
      HealthCheckExtension.self,
    ])
=======
      HealthCheckExtension.self
    ],
    admin: AdminServer.self)
>>>>>>> c00958b (SIGHUP, --watch and POST /-/reload: the configuration is read, planned and gone over to)
}
