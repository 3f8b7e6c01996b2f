"""The real OpenTelemetry SDK for Python, unmodified, pointed at millrace: what it sent is in the file, field by field."""

import math
import threading

import grpc
import pytest
from opentelemetry import trace
from opentelemetry._logs import SeverityNumber
from opentelemetry.exporter.otlp.proto.common._log_encoder import encode_logs
from opentelemetry.exporter.otlp.proto.common.metrics_encoder import encode_metrics
from opentelemetry.exporter.otlp.proto.common.trace_encoder import encode_spans
from opentelemetry.exporter.otlp.proto.grpc import _log_exporter as grpc_logs
from opentelemetry.exporter.otlp.proto.grpc import metric_exporter as grpc_metrics
from opentelemetry.exporter.otlp.proto.grpc import trace_exporter as grpc_traces
from opentelemetry.exporter.otlp.proto.http import Compression
from opentelemetry.exporter.otlp.proto.http import _log_exporter as http_logs
from opentelemetry.exporter.otlp.proto.http import metric_exporter as http_metrics
from opentelemetry.exporter.otlp.proto.http import trace_exporter as http_traces
from opentelemetry.metrics import Observation
from opentelemetry.sdk._logs import LoggerProvider
from opentelemetry.sdk._logs.export import BatchLogRecordProcessor
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import PeriodicExportingMetricReader
from opentelemetry.sdk.metrics.view import ExponentialBucketHistogramAggregation, View
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.trace import Link, SpanKind, Status, StatusCode

import otlp
from test_delivery import BATCH, INSECURE, assert_same

RESOURCE = Resource.create({"service.name": "shop", "service.instance.id": "a-1", "host.cpus": 8, "ratio": 0.5,
                            "flags": [True, False], "empty": ""})
ATTRIBUTES = {
    "string": "grüße 🚀", "empty": "", "true": True, "false": False, "zero": 0, "max": 2**63 - 1, "min": -(2**63),
    "double": 0.1, "nan": math.nan, "inf": math.inf, "negative.inf": -math.inf, "strings": ["a", "", "c"],
    "ints": [1, -1, 2**62], "doubles": [0.5, -0.0], "bools": [True], "none": [], "bytes": b"\x00\xff",
}


def recording(exporter, encode, sent: list):
    """The exporter, which also notes the encoded form of everything it was asked to send."""
    export = exporter.export

    def both(batch, *rest, **options):
        sent.append(encode(batch))
        return export(batch, *rest, **options)

    exporter.export = both
    return exporter


def produce_traces(exporter):
    provider = TracerProvider(resource=RESOURCE, shutdown_on_exit=False)
    provider.add_span_processor(BatchSpanProcessor(exporter, max_export_batch_size=64))
    tracer = provider.get_tracer("shop.checkout", "1.2.3", "https://opentelemetry.io/schemas/1.27.0",
                                 {"scope.attribute": 1})
    other = provider.get_tracer("shop.other")
    for number in range(100):
        with tracer.start_as_current_span("parent", kind=SpanKind.SERVER, attributes=ATTRIBUTES) as parent:
            parent.add_event("an event", {"number": number, **ATTRIBUTES})
            link = Link(parent.get_span_context(), {"why": "test"})
            with other.start_as_current_span(f"child {number}", kind=SpanKind.CLIENT, links=[link]) as child:
                child.set_status(Status(StatusCode.ERROR, "it broke") if number % 3 else Status(StatusCode.OK))
                child.record_exception(ValueError(f"number {number}"))
    assert provider.force_flush()
    provider.shutdown()


def produce_logs(exporter):
    provider = LoggerProvider(resource=RESOURCE, shutdown_on_exit=False)
    provider.add_log_record_processor(BatchLogRecordProcessor(exporter, max_export_batch_size=64))
    logger = provider.get_logger("shop.checkout", "1.2.3", attributes={"scope.attribute": 1})
    bodies = ["text", "", 7, 2.5, math.nan, True, b"\x00\x01", ["a", 1, None], {"deep": {"er": [1, {"x": "y"}]}}, None]
    context = trace.set_span_in_context(trace.NonRecordingSpan(trace.SpanContext(5, 6, False, trace.TraceFlags(1))))
    for number in range(200):
        logger.emit(
            timestamp=1_700_000_000_000_000_000 + number, observed_timestamp=1_700_000_000_000_000_001,
            context=context if number % 2 else None, severity_number=SeverityNumber(number % 24 + 1),
            severity_text="TEXT", body=bodies[number % len(bodies)], attributes=ATTRIBUTES,
            event_name="an.event" if number % 5 == 0 else None)
    assert provider.force_flush()
    provider.shutdown()


def produce_metrics(exporter):
    reader = PeriodicExportingMetricReader(exporter, export_interval_millis=3_600_000)
    exponential = View(instrument_name="latency.exponential", aggregation=ExponentialBucketHistogramAggregation())
    provider = MeterProvider([reader], resource=RESOURCE, views=[exponential], shutdown_on_exit=False)
    meter = provider.get_meter("shop.checkout", "1.2.3", "https://opentelemetry.io/schemas/1.27.0")
    counter = meter.create_counter("orders", "1", "Orders taken.")
    queue = meter.create_up_down_counter("queue", "{request}")
    latency = meter.create_histogram("latency", "ms")
    spread = meter.create_histogram("latency.exponential", "ms")
    gauge = meter.create_gauge("temperature", "Cel")
    meter.create_observable_gauge("observed", [lambda _: [Observation(-0.5, {"a": 1}), Observation(2**62)]])
    for number in range(50):
        labels = {"tenant": f"t{number % 5}", "number": number % 3, "ok": number % 2 == 0}
        counter.add(number, labels)
        queue.add(-number, labels)
        latency.record(number * 7.5, labels)
        spread.record(1.7**number, labels)
        gauge.set(number - 20.5, labels)
        if number % 25 == 24:
            assert provider.force_flush()
    provider.shutdown()


def exporters(protocol: str, compressed: bool, millrace) -> dict:
    """The SDK's exporter of each signal, with what encodes its data and what makes some."""
    if protocol == "grpc":
        options = {"endpoint": millrace.grpc, "insecure": True}
        if compressed:
            options["compression"] = grpc.Compression.Gzip
        made = grpc_traces.OTLPSpanExporter, grpc_metrics.OTLPMetricExporter, grpc_logs.OTLPLogExporter
        options = dict.fromkeys(otlp.REQUEST, options)
    else:
        compression = Compression.Gzip if compressed else Compression.NoCompression
        made = http_traces.OTLPSpanExporter, http_metrics.OTLPMetricExporter, http_logs.OTLPLogExporter
        options = {signal: {"endpoint": millrace.http + path, "compression": compression}
                   for signal, path in otlp.PATH.items()}
    encode = encode_spans, encode_metrics, encode_logs
    produce = produce_traces, produce_metrics, produce_logs
    return {signal: (make(**options[signal]), encoding, producing)
            for signal, make, encoding, producing in zip(otlp.REQUEST, made, encode, produce)}


@pytest.mark.parametrize("compressed", [False, True], ids=["plain", "gzip"])
@pytest.mark.parametrize("protocol", ["grpc", "http"])
def test_what_the_sdk_sends_is_delivered(start, tmp_path, http_backend, grpc_backend, protocol, compressed):
    path = tmp_path / "out.jsonl"
    millrace = start({
        "file": {"path": str(path)},
        "otlp_http": {"endpoint": http_backend.endpoint, "tls": INSECURE},
        "otlp_grpc": {"endpoint": grpc_backend.endpoint, "tls": INSECURE},
    }, BATCH)
    sent = {signal: [] for signal in otlp.REQUEST}
    threads = [
        threading.Thread(target=produce, args=(recording(exporter, encode, sent[signal]),))
        for signal, (exporter, encode, produce) in exporters(protocol, compressed, millrace).items()
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    sheet = millrace.stop()
    written = otlp.read_json_lines(path)
    for signal, requests in sent.items():
        wanted = otlp.items(signal, *requests)
        assert wanted.total() >= 50
        assert_same(otlp.items(signal, *written[signal]), wanted)
        assert_same(http_backend.items(signal), wanted)
        assert_same(grpc_backend.items(signal), wanted)
        assert sheet.items(signal, "received") == wanted.total()
        assert sheet.items(signal, "delivered") == 3 * wanted.total()
    assert sheet.is_balanced()
