"""Makes a few spans with OpenTelemetry's SDK and sends them with one of its Jaeger or Zipkin exporters.

Arguments: which exporter, where to, and options as JSON. Writes what was sent to standard output, as JSON.
"""

import json
import sys

from opentelemetry import trace
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor, SpanExporter, SpanExportResult
from opentelemetry.trace import Link, SpanKind, Status, StatusCode


def exporter(kind, endpoint):
    host, _, port = endpoint.rpartition(":")
    if kind == "jaeger-grpc":
        from opentelemetry.exporter.jaeger.proto.grpc import JaegerExporter
        return JaegerExporter(collector_endpoint=endpoint, insecure=True)
    if kind == "jaeger-thrift-http":
        from opentelemetry.exporter.jaeger.thrift import JaegerExporter
        return JaegerExporter(collector_endpoint=endpoint)
    if kind in ("jaeger-thrift-compact", "jaeger-thrift-binary"):
        from opentelemetry.exporter.jaeger.thrift import JaegerExporter
        made = JaegerExporter(agent_host_name=host, agent_port=int(port))
        if kind == "jaeger-thrift-binary":
            from thrift.protocol.TBinaryProtocol import TBinaryProtocol
            agent = made._agent_client
            agent.client._iprot = agent.client._oprot = TBinaryProtocol(agent.buffer)
        return made
    if kind == "zipkin-json":
        from opentelemetry.exporter.zipkin.json import ZipkinExporter
        return ZipkinExporter(endpoint=endpoint)
    if kind == "zipkin-proto":
        from opentelemetry.exporter.zipkin.proto.http import ZipkinExporter
        return ZipkinExporter(endpoint=endpoint)
    raise SystemExit(f"unknown exporter {kind}")


class Recorder(SpanExporter):
    """Keeps what the exporter is given."""

    def __init__(self):
        self.spans = []

    def export(self, spans):
        for span in spans:
            self.spans.append({
                "trace": f"{span.context.trace_id:032x}",
                "span": f"{span.context.span_id:016x}",
                "parent": f"{span.parent.span_id:016x}" if span.parent else "",
                "name": span.name,
                "kind": span.kind.name,
                "start": span.start_time,
                "end": span.end_time,
                "status": span.status.status_code.name,
                "description": span.status.description or "",
                "attributes": dict(span.attributes),
                "events": [[event.name, event.timestamp, dict(event.attributes)] for event in span.events],
                "links": [[f"{link.context.trace_id:032x}", f"{link.context.span_id:016x}"] for link in span.links],
            })
        return SpanExportResult.SUCCESS


kind, endpoint, options = sys.argv[1], sys.argv[2], json.loads(sys.argv[3])
recorder = Recorder()
provider = TracerProvider(resource=Resource({"service.name": options.get("service", "shop"), "host.name": "h1"}))
# The exporter of Thrift asks the global provider for the name of the service.
trace.set_tracer_provider(provider)
provider.add_span_processor(SimpleSpanProcessor(recorder))
provider.add_span_processor(SimpleSpanProcessor(exporter(kind, endpoint)))
tracer = provider.get_tracer("lib", "1.2")
for number in range(options.get("traces", 3)):
    with tracer.start_as_current_span("GET /", kind=SpanKind.SERVER, attributes={"http.route": "/", "n": number}):
        context = trace.get_current_span().get_span_context()
        with tracer.start_as_current_span("query", kind=SpanKind.CLIENT, attributes={
                "db.system": "postgresql", "ok": True, "ratio": 0.25, "text": "zwölf ⛵"}) as span:
            span.add_event("row", {"count": 3, "why": "because"})
        with tracer.start_as_current_span("work", links=[Link(context)]) as span:
            span.set_status(Status(StatusCode.ERROR, "it broke"))
provider.shutdown()
json.dump(recorder.spans, sys.stdout)
