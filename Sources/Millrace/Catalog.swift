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
      FileLogReceiver.self,
      JaegerReceiver.self,
      JournaldReceiver.self,
      OTLPReceiver.self,
      PrometheusReceiver.self,
      PrometheusRemoteWriteReceiver.self,
      StdinReceiver.self,
      SyslogReceiver.self,
      TCPLogReceiver.self,
      UDPLogReceiver.self,
      ZipkinReceiver.self,
    ],
    processors: [
      AttributesProcessor.self,
      BatchProcessor.self,
      CumulativeToDeltaProcessor.self,
      DeltaToCumulativeProcessor.self,
      GroupByAttrsProcessor.self,
      IntervalProcessor.self,
      LogDedupProcessor.self,
      MemoryLimiterProcessor.self,
      MetricsTransformProcessor.self,
      ProbabilisticSamplerProcessor.self,
      ResourceDetectionProcessor.self,
      ResourceProcessor.self,
      TailSamplingProcessor.self,
    ],
    exporters: [
      DebugExporter.self,
      FileExporter.self,
      JaegerExporter.self,
      JaegerThriftExporter.self,
      NopExporter.self,
      OTLPGRPCExporter.self,
      OTLPHTTPExporter.self,
      PrometheusExporter.self,
      PrometheusRemoteWriteExporter.self,
      ZipkinExporter.self,
    ],
    extensions: [
      BasicAuthExtension.self,
      BearerTokenAuthExtension.self,
      FileStorageExtension.self,
      HeadersSetterExtension.self,
      HealthCheckExtension.self,
      OAuth2ClientExtension.self,
    ],
    admin: AdminServer.self)
}
