"""The receiving side of Prometheus remote write, decoded with descriptors of its own."""

from __future__ import annotations

import math
import threading
from collections import defaultdict
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import cramjam
from google.protobuf import descriptor_pb2, descriptor_pool, message_factory

_FIELD = descriptor_pb2.FieldDescriptorProto
_TYPES = ("unknown", "counter", "gauge", "histogram", "gaugehistogram", "summary", "info", "stateset")


def _message(file, name: str, *fields):
    """`(number, name, type, repeated)`; a type that is a text names a message."""
    message = file.message_type.add(name=name)
    for number, field, kind, repeated in fields:
        entry = message.field.add(
            name=field, number=number, label=_FIELD.LABEL_REPEATED if repeated else _FIELD.LABEL_OPTIONAL)
        if isinstance(kind, str):
            entry.type, entry.type_name = _FIELD.TYPE_MESSAGE, f".{file.package}.{kind}"
        else:
            entry.type = kind


def _version_1():
    """`prometheus.WriteRequest` of Remote Write 1.0, without histograms."""
    file = descriptor_pb2.FileDescriptorProto(name="remote_write_1.proto", package="prometheus", syntax="proto3")
    _message(file, "Label", (1, "name", _FIELD.TYPE_STRING, False), (2, "value", _FIELD.TYPE_STRING, False))
    _message(file, "Sample", (1, "value", _FIELD.TYPE_DOUBLE, False), (2, "timestamp", _FIELD.TYPE_INT64, False))
    _message(file, "Exemplar", (1, "labels", "Label", True), (2, "value", _FIELD.TYPE_DOUBLE, False),
             (3, "timestamp", _FIELD.TYPE_INT64, False))
    _message(file, "TimeSeries", (1, "labels", "Label", True), (2, "samples", "Sample", True),
             (3, "exemplars", "Exemplar", True))
    _message(file, "MetricMetadata", (1, "type", _FIELD.TYPE_INT32, False),
             (2, "metric_family_name", _FIELD.TYPE_STRING, False), (4, "help", _FIELD.TYPE_STRING, False),
             (5, "unit", _FIELD.TYPE_STRING, False))
    _message(file, "WriteRequest", (1, "timeseries", "TimeSeries", True), (3, "metadata", "MetricMetadata", True))
    pool = descriptor_pool.DescriptorPool()
    pool.Add(file)
    return message_factory.GetMessageClass(pool.FindMessageTypeByName("prometheus.WriteRequest"))


def _version_2():
    """`io.prometheus.write.v2.Request` of Remote Write 2.0.

    Start times are at samples and histograms; `created_timestamp` is where its first drafts had them.
    """
    file = descriptor_pb2.FileDescriptorProto(
        name="remote_write_2.proto", package="io.prometheus.write.v2", syntax="proto3")
    refs, double, time = _FIELD.TYPE_UINT32, _FIELD.TYPE_DOUBLE, _FIELD.TYPE_INT64
    _message(file, "Sample", (1, "value", double, False), (2, "timestamp", time, False),
             (3, "start_timestamp", time, False))
    _message(file, "Exemplar", (1, "labels_refs", refs, True), (2, "value", double, False), (3, "timestamp", time, False))
    _message(file, "Metadata", (1, "type", _FIELD.TYPE_INT32, False), (3, "help_ref", refs, False),
             (4, "unit_ref", refs, False))
    _message(file, "BucketSpan", (1, "offset", _FIELD.TYPE_SINT32, False), (2, "length", refs, False))
    _message(file, "Histogram", (1, "count_int", _FIELD.TYPE_UINT64, False), (2, "count_float", double, False),
             (3, "sum", double, False), (4, "schema", _FIELD.TYPE_SINT32, False), (5, "zero_threshold", double, False),
             (6, "zero_count_int", _FIELD.TYPE_UINT64, False), (7, "zero_count_float", double, False),
             (8, "negative_spans", "BucketSpan", True), (9, "negative_deltas", _FIELD.TYPE_SINT64, True),
             (10, "negative_counts", double, True), (11, "positive_spans", "BucketSpan", True),
             (12, "positive_deltas", _FIELD.TYPE_SINT64, True), (13, "positive_counts", double, True),
             (14, "reset_hint", _FIELD.TYPE_INT32, False), (15, "timestamp", time, False),
             (16, "custom_values", double, True), (17, "start_timestamp", time, False))
    _message(file, "TimeSeries", (1, "labels_refs", refs, True), (2, "samples", "Sample", True),
             (3, "histograms", "Histogram", True), (4, "exemplars", "Exemplar", True), (5, "metadata", "Metadata", False),
             (6, "created_timestamp", time, False))
    _message(file, "Request", (4, "symbols", _FIELD.TYPE_STRING, True), (5, "timeseries", "TimeSeries", True))
    pool = descriptor_pool.DescriptorPool()
    pool.Add(file)
    return message_factory.GetMessageClass(pool.FindMessageTypeByName("io.prometheus.write.v2.Request"))


WriteRequest = _version_1()
Request = _version_2()


class _Sink:
    """Takes remote write: `receive` is given each request, and returns the headers of the answer."""

    def __init__(self):
        sink = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self):
                body = bytes(cramjam.snappy.decompress_raw(self.rfile.read(int(self.headers["Content-Length"]))))
                answer = sink.receive(body, {key.lower(): value for key, value in self.headers.items()})
                self.send_response(204)
                for name, value in answer.items():
                    self.send_header(name, value)
                self.end_headers()

            def log_message(self, *_):
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}/api/v1/write"

    def receive(self, body: bytes, headers: dict[str, str]) -> dict[str, str]:
        """Remote Write 1.0, whose answers say nothing."""
        self.take(WriteRequest.FromString(body))
        return {}

    def __enter__(self):
        threading.Thread(target=self.server.serve_forever, args=(0.02,), daemon=True).start()
        return self

    def __exit__(self, *_):
        self.server.shutdown()
        self.server.server_close()


class RequestSink(_Sink):
    """Takes Remote Write 2.0, says that all was written, and keeps each request with its headers."""

    def __init__(self):
        self.requests: list[tuple[dict[str, str], Request]] = []
        super().__init__()

    def receive(self, body: bytes, headers: dict[str, str]) -> dict[str, str]:
        request = Request.FromString(body)
        self.requests.append((headers, request))
        return {
            f"X-Prometheus-Remote-Write-{kind.title()}-Written": str(
                sum(len(getattr(series, kind)) for series in request.timeseries))
            for kind in ("samples", "histograms", "exemplars")
        }


class MetadataSink(_Sink):
    """Keeps what is said of metric families."""

    def __init__(self):
        super().__init__()
        self.metadata: dict[str, tuple[str, str, str]] = {}

    def take(self, request):
        for entry in request.metadata:
            self.metadata[entry.metric_family_name] = (_TYPES[entry.type], entry.help, entry.unit)


class SampleSink(_Sink):
    """Keeps the samples of every series in the order of their coming: `(milliseconds, value)`."""

    def __init__(self):
        super().__init__()
        self._lock = threading.Lock()
        self._series: dict[tuple, list[tuple[int, float]]] = defaultdict(list)

    def take(self, request):
        with self._lock:
            for series in request.timeseries:
                labels = tuple((label.name, label.value) for label in series.labels)
                self._series[labels] += ((sample.timestamp, sample.value) for sample in series.samples)

    def series(self, name: str, **labels) -> list[tuple[dict, list[tuple[int, float]]]]:
        """The series of a name that have all of the labels, each with its samples."""
        wanted = {("__name__", name), *labels.items()}
        with self._lock:
            return [(dict(own), list(samples)) for own, samples in self._series.items() if wanted <= set(own)]

    def samples(self, name: str, **labels) -> list[tuple[int, float]]:
        return sorted((sample for _, samples in self.series(name, **labels) for sample in samples),
                      key=lambda sample: sample[0])

    def values(self, name: str, **labels) -> list[float]:
        return [value for _, value in self.samples(name, **labels)]

    def is_stale(self, name: str, **labels) -> bool:
        """Whether the series' last sample is a marker: no value here is NaN otherwise."""
        values = self.values(name, **labels)
        return bool(values) and math.isnan(values[-1])
