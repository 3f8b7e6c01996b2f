"""Processors that change what is sent, in the real binary and in every protobuf field of what real SDKs send."""

from __future__ import annotations

import hashlib

import otlp
import payloads
from client import GRPCClient
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, KeyValue, KeyValueList
from opentelemetry.proto.logs.v1.logs_pb2 import LogRecord, ResourceLogs, ScopeLogs
from opentelemetry.proto.trace.v1.trace_pb2 import ResourceSpans, ScopeSpans, Span

CARD = "4111111111111111"


def text(key: str, value: str) -> KeyValue:
    return KeyValue(key=key, value=AnyValue(string_value=value))


def values(attributes) -> dict:
    return {a.key: a.value.string_value or a.value.int_value for a in attributes}


def test_no_secret_leaves_by_any_way(start, http_backend):
    """Cards are masked in attributes of every level and in bodies, passwords hashed out, and the rest is as it was."""
    redaction = {
        "allow_all_keys": True, "blocked_values": ["4[0-9]{12}(?:[0-9]{3})?"], "blocked_key_patterns": ["(?i)password"],
        "summary": "info", "hash_function": "sha3",
    }
    millrace = start({"otlp_http": {"endpoint": http_backend.endpoint}}, {"redaction": redaction})
    span = Span(trace_id=bytes(range(16)), span_id=bytes(range(8)), name="pay", attributes=[text("note", f"with {CARD}!")])
    span.events.add(name="e", attributes=[text("card", CARD), text("kept", "x")])
    traces = ExportTraceServiceRequest(resource_spans=[ResourceSpans(scope_spans=[ScopeSpans(spans=[span])])])
    traces.resource_spans[0].resource.attributes.append(text("DB_PASSWORD", "hunter2"))
    traces.resource_spans[0].scope_spans[0].scope.attributes.append(text("card", CARD))
    body = AnyValue(kvlist_value=KeyValueList(values=[text("password", "hunter2"), text("message", f"paid with {CARD}")]))
    logs = ExportLogsServiceRequest(resource_logs=[ResourceLogs(scope_logs=[ScopeLogs(log_records=[
        LogRecord(body=body), LogRecord(body=AnyValue(string_value=CARD)), LogRecord(body=AnyValue(string_value="fine"))])])])
    with GRPCClient(millrace.grpc) as client:
        client.send("traces", traces.SerializeToString())
        client.send("logs", logs.SerializeToString())
        client.send("metrics", payloads.metrics().SerializeToString())
    assert millrace.stop().is_balanced()
    sent = b"".join(request.body for request in http_backend.requests)
    assert CARD.encode() not in sent and b"hunter2" not in sent
    digest = hashlib.sha3_256(CARD.encode()).hexdigest()
    (message,) = http_backend.messages("traces")
    resource = message.resource_spans[0]
    assert values(resource.resource.attributes) == {
        "DB_PASSWORD": hashlib.sha3_256(b"hunter2").hexdigest(), "redaction.masked.count": 1}
    assert values(resource.scope_spans[0].scope.attributes)["card"] == digest
    (found,) = resource.scope_spans[0].spans
    assert values(found.attributes) == {"note": f"with {digest}!", "redaction.masked.count": 1}
    assert values(found.events[0].attributes) == {"card": digest, "kept": "x", "redaction.masked.count": 1}
    (message,) = http_backend.messages("logs")
    structured, plain, fine = message.resource_logs[0].scope_logs[0].log_records
    assert values(structured.body.kvlist_value.values)["message"] == f"paid with {digest}"
    assert values(structured.attributes) == {"redaction.body.masked.count": 2}
    assert plain.body.string_value == digest
    assert fine == LogRecord(body=AnyValue(string_value="fine"))
    # What has nothing to hide goes on as it came.
    assert http_backend.items("metrics") == otlp.items("metrics", payloads.metrics())


def test_names_of_spans(start, http_backend):
    """A route becomes the name, an id an attribute, and what is left out by `exclude` stays as it was."""
    millrace = start({"otlp_http": {"endpoint": http_backend.endpoint}}, {"span": {
        "name": {"to_attributes": {"rules": [r"^/orders/(?P<order_id>\d+)$"]}}, "status": {"code": "Ok"},
        "exclude": {"match_type": "strict", "span_names": ["health"]},
    }}, signals=("traces",))
    spans = [Span(trace_id=bytes(range(16)), span_id=bytes(range(8)), name=name) for name in ("/orders/17", "other", "health")]
    traces = ExportTraceServiceRequest(resource_spans=[ResourceSpans(scope_spans=[ScopeSpans(spans=spans)])])
    with GRPCClient(millrace.grpc) as client:
        client.send("traces", traces.SerializeToString())
    assert millrace.stop().is_balanced()
    (message,) = http_backend.messages("traces")
    order, other, health = message.resource_spans[0].scope_spans[0].spans
    assert (order.name, values(order.attributes), order.status.code) == ("/orders/{order_id}", {"order_id": "17"}, 1)
    assert (other.name, len(other.attributes), other.status.code) == ("other", 0, 1)
    assert health == spans[2]
