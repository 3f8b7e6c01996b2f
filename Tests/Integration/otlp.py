"""OTLP as an independent implementation sees it: generated messages of `opentelemetry-proto`, and OTLP-JSON from them."""

from __future__ import annotations

import base64
import json
import struct
from collections import Counter
from pathlib import Path

import cramjam
from google.protobuf import json_format
from opentelemetry.proto.collector.logs.v1 import logs_service_pb2 as logs
from opentelemetry.proto.collector.metrics.v1 import metrics_service_pb2 as metrics
from opentelemetry.proto.collector.trace.v1 import trace_service_pb2 as trace

REQUEST = {
    "traces": trace.ExportTraceServiceRequest,
    "metrics": metrics.ExportMetricsServiceRequest,
    "logs": logs.ExportLogsServiceRequest,
}
RESPONSE = {
    "traces": trace.ExportTraceServiceResponse,
    "metrics": metrics.ExportMetricsServiceResponse,
    "logs": logs.ExportLogsServiceResponse,
}
METHOD = {
    "traces": "/opentelemetry.proto.collector.trace.v1.TraceService/Export",
    "metrics": "/opentelemetry.proto.collector.metrics.v1.MetricsService/Export",
    "logs": "/opentelemetry.proto.collector.logs.v1.LogsService/Export",
}
PATH = {"traces": "/v1/traces", "metrics": "/v1/metrics", "logs": "/v1/logs"}
REJECTED = {"traces": "rejected_spans", "metrics": "rejected_data_points", "logs": "rejected_log_records"}
ITEM = {"traces": "spans", "metrics": "metric_points", "logs": "log_records"}
FIXTURES = Path(__file__).parent / "fixtures"


def decode(signal: str, data: bytes):
    return REQUEST[signal].FromString(data)


def captures() -> list[tuple[str, str, bytes]]:
    """Real requests of instrumented services: name, signal, bytes."""
    found = []
    for path in sorted(FIXTURES.glob("*.pb")):
        signal = next(signal for signal in REQUEST if signal in path.stem)
        found.append((path.stem, signal, path.read_bytes()))
    return found


def items(signal: str, *requests) -> Counter:
    """Every span, data point and log record with all that it stands under, as a multiset.

    Batching may gather and divide requests, resources and scopes; it must not change anything seen here. Bytes are
    compared rather than messages, so that NaN equals itself and unknown fields count.
    """
    found = Counter()
    for request in requests:
        for resource in _groups(request):
            outer = (_bytes(resource.resource), resource.HasField("resource"), resource.schema_url)
            for scope in _groups(resource):
                inner = (_bytes(scope.scope), scope.HasField("scope"), scope.schema_url)
                for item in _leaves(signal, scope):
                    found[outer + inner + item] += 1
    return found


def count(signal: str, *requests) -> int:
    return sum(items(signal, *requests).values())


def _groups(message):
    for name in ("resource_spans", "resource_metrics", "resource_logs", "scope_spans", "scope_metrics", "scope_logs"):
        if name in message.DESCRIPTOR.fields_by_name:
            return getattr(message, name)
    raise TypeError(message.DESCRIPTOR.name)


def _leaves(signal: str, scope):
    if signal == "traces":
        for span in scope.spans:
            yield (_bytes(span),)
    elif signal == "logs":
        for record in scope.log_records:
            yield (_bytes(record),)
    else:
        for metric in scope.metrics:
            kind = metric.WhichOneof("data")
            bare = type(metric)()
            bare.CopyFrom(metric)
            if kind:
                del getattr(bare, kind).data_points[:]
            points = getattr(metric, kind).data_points if kind else []
            for point in points:
                yield (_bytes(bare), kind, _bytes(point))


def _bytes(message) -> bytes:
    return message.SerializeToString(deterministic=True)


# OTLP-JSON: the protobuf JSON mapping, except that ids are hexadecimal and enums are integers.

_IDS = {"traceId", "spanId", "parentSpanId"}


def to_json(message) -> dict:
    return _with_ids(
        json_format.MessageToDict(message, use_integers_for_enums=True),
        lambda text: base64.b64decode(text).hex(),
    )


def from_json(signal: str, text: str | bytes | dict):
    value = text if isinstance(text, dict) else json.loads(text)
    return json_format.ParseDict(_with_ids(value, _hex_to_base64), REQUEST[signal]())


def _hex_to_base64(text: str) -> str:
    return base64.b64encode(bytes.fromhex(text)).decode()


def _with_ids(value, convert):
    if isinstance(value, dict):
        return {
            key: convert(inner) if key in _IDS and isinstance(inner, str) else _with_ids(inner, convert)
            for key, inner in value.items()
        }
    if isinstance(value, list):
        return [_with_ids(inner, convert) for inner in value]
    return value


# What the file exporter writes.

_SIGNAL_OF_KEY = {"resourceSpans": "traces", "resourceMetrics": "metrics", "resourceLogs": "logs"}


def read_json_lines(path: Path) -> dict[str, list]:
    """Requests by signal, from one OTLP-JSON object per line."""
    found = {signal: [] for signal in REQUEST}
    for line in path.read_text().split("\n")[:-1]:
        value = json.loads(line)
        signal = _SIGNAL_OF_KEY[next(iter(value))]
        found[signal].append(from_json(signal, value))
    return found


def read_frames(path: Path, zstd: bool = False) -> list[bytes]:
    """Messages behind 4-byte big-endian lengths."""
    data, frames, offset = path.read_bytes(), [], 0
    while offset < len(data):
        (length,) = struct.unpack_from(">I", data, offset)
        frame = data[offset + 4 : offset + 4 + length]
        assert len(frame) == length, f"frame at {offset} is cut short"
        frames.append(bytes(cramjam.zstd.decompress(frame)) if zstd else frame)
        offset += 4 + length
    return frames


# Building protobuf by hand, where the generated classes would not let us.


def varint(value: int) -> bytes:
    value &= (1 << 64) - 1
    out = bytearray()
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)
    return bytes(out)


def field(number: int, value: int | bytes | str) -> bytes:
    """A varint field for an integer, a length-delimited one for bytes and text."""
    if isinstance(value, int):
        return varint(number << 3) + varint(value)
    data = value.encode() if isinstance(value, str) else value
    return varint(number << 3 | 2) + varint(len(data)) + data


def fixed64(number: int, value: int) -> bytes:
    return varint(number << 3 | 1) + struct.pack("<Q", value)


def fixed32(number: int, value: int) -> bytes:
    return varint(number << 3 | 5) + struct.pack("<I", value)
