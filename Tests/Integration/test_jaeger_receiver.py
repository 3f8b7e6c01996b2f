"""OpenTelemetry's real Jaeger exporters feed the `jaeger` receiver, and hostile clients try it."""

import socket
import struct

import grpc
import pytest

import client
import otlp
from jaeger import METHOD, PostSpansRequest, export, thrift_batch
from millrace import free_port, until

KINDS = {"INTERNAL": 1, "SERVER": 2, "CLIENT": 3, "PRODUCER": 4, "CONSUMER": 5}
STATUS = {"UNSET": 0, "OK": 1, "ERROR": 2}


@pytest.fixture
def jaeger(start, grpc_backend):
    """A Millrace with all protocols of Jaeger's in front of an OTLP backend."""
    ports = {name: free_port() for name in ("grpc", "thrift_http", "thrift_compact", "thrift_binary")}
    protocols = {name: {"endpoint": f"127.0.0.1:{port}"} for name, port in ports.items()}
    millrace = start(
        {"otlp_grpc": {"endpoint": grpc_backend.endpoint, "tls": {"insecure": True}}}, signals=("traces",),
        receivers={"jaeger": {"protocols": protocols}})
    millrace.ports = ports
    return millrace


def received(backend) -> dict:
    """Spans by id, each with its resource and scope."""
    return {
        span.span_id.hex(): (span, group.resource, scope.scope)
        for message in backend.messages("traces") for group in message.resource_spans
        for scope in group.scope_spans for span in scope.spans
    }


def attributes(entries) -> dict:
    found = {entry.key: getattr(entry.value, entry.value.WhichOneof("value")) for entry in entries}
    assert len(found) == len(entries), f"keys that occur twice: {[entry.key for entry in entries]}"
    return found


def expect(sent: dict, found, precision: int):
    """Times may have lost what a format has no digits for."""
    span, resource, scope = found
    assert span.trace_id.hex() == sent["trace"] and span.parent_span_id.hex() == sent["parent"]
    assert span.name == sent["name"] and span.kind == KINDS[sent["kind"]]
    assert abs(span.start_time_unix_nano - sent["start"]) < precision
    assert abs(span.end_time_unix_nano - sent["end"]) < 2 * precision
    assert span.status.code == STATUS[sent["status"]] and span.status.message == sent["description"]
    own = attributes(span.attributes)
    assert own.items() >= sent["attributes"].items()
    assert attributes(resource.attributes)["service.name"] == "shop"
    assert (scope.name, scope.version) == ("lib", "1.2")
    assert [[link.trace_id.hex(), link.span_id.hex()] for link in span.links] == sent["links"]
    assert len(span.events) == len(sent["events"])


@pytest.mark.parametrize("kind,protocol,url,precision", [
    ("jaeger-grpc", "grpc", "127.0.0.1:{port}", 1000),
    ("jaeger-thrift-http", "thrift_http", "http://127.0.0.1:{port}/api/traces?format=jaeger.thrift", 1000),
    ("jaeger-thrift-compact", "thrift_compact", "127.0.0.1:{port}", 1000),
    ("jaeger-thrift-binary", "thrift_binary", "127.0.0.1:{port}", 1000),
])
def test_a_real_exporter_is_understood(jaeger, grpc_backend, kind, protocol, url, precision):
    sent = export(kind, url.format(port=jaeger.ports[protocol]))
    until(lambda: len(received(grpc_backend)) == len(sent), what="all spans")
    found = received(grpc_backend)
    for span in sent:
        expect(span, found[span["span"]], precision)
    metrics = jaeger.metrics()
    assert metrics.sum("otelcol_receiver_accepted_spans", receiver="jaeger", transport=protocol) == len(sent)
    assert jaeger.stop().is_balanced()


def call(jaeger, body: bytes, method: str = METHOD):
    with grpc.insecure_channel(f"127.0.0.1:{jaeger.ports['grpc']}") as channel:
        return channel.unary_unary(method)(body, timeout=10)


def post(jaeger, body: bytes, content_type: str = "application/x-thrift", path: str = "/api/traces"):
    return client.request(
        f"http://127.0.0.1:{jaeger.ports['thrift_http']}", path, body, content_type=content_type)


def one_span(**fields) -> bytes:
    message = PostSpansRequest()
    message.batch.process.service_name = "shop"
    span = message.batch.spans.add(trace_id=b"\1" * 16, span_id=b"\2" * 8, operation_name="a")
    for name, value in fields.items():
        setattr(span, name, value)
    return message.SerializeToString()


def test_what_is_malformed_is_told_and_counted(jaeger, grpc_backend):
    for body in (b"\xff", b"\x0a\x05\x0a", b"\x0a\xff\xff\xff\xff\x0f", one_span()[:-3]):
        with pytest.raises(grpc.RpcError) as failure:
            call(jaeger, body)
        assert failure.value.code() == grpc.StatusCode.INVALID_ARGUMENT, failure.value
        assert "byte" in failure.value.details()
    with pytest.raises(grpc.RpcError) as failure:
        call(jaeger, b"", method="/jaeger.api_v2.SamplingManager/GetSamplingStrategy")
    assert failure.value.code() == grpc.StatusCode.UNIMPLEMENTED
    bodies = [
        b"", b"\x0c", b"\x0c\x00\x01\x0b\x00\x01\x7f\xff\xff\xff",
        # A list of two thousand million spans.
        b"\x0c\x00\x01\x0b\x00\x01\x00\x00\x00\x01a\x00\x0f\x00\x02\x0c\x7f\xff\xff\xff",
        # Structures within structures.
        b"\x0c\x00\x09" * 5000, b"\x0f\x00\x09\x0f\x00\x00\x00\x01" * 5000, b"{}",
    ]
    for body in bodies:
        answer = post(jaeger, body)
        assert answer.status == 400 and answer.body, (body[:20], answer)
    metrics = jaeger.metrics()
    name = "millrace_receiver_malformed_requests"
    assert metrics.sum(name, receiver="jaeger", transport="grpc") == 4
    assert metrics.sum(name, receiver="jaeger", transport="thrift_http") == len(bodies)
    call(jaeger, one_span())
    until(lambda: len(received(grpc_backend)) == 1, what="the span that is right")
    assert jaeger.stop().is_balanced()


def test_spans_without_ids_are_left_out_and_counted(jaeger, grpc_backend):
    message = PostSpansRequest.FromString(one_span())
    for trace_id, span_id in ((b"", b"\3" * 8), (b"\0" * 16, b"\3" * 8), (b"\1" * 16, b""), (b"\1" * 5, b"\3" * 8)):
        message.batch.spans.add(trace_id=trace_id, span_id=span_id, operation_name="b")
    call(jaeger, message.SerializeToString())
    until(lambda: len(received(grpc_backend)) == 1, what="the span that is right")
    metrics = jaeger.metrics()
    name = "millrace_receiver_rejected_spans"
    assert metrics.sum(name, receiver="jaeger", transport="grpc", reason="invalid_trace_id") == 3
    assert metrics.sum(name, receiver="jaeger", transport="grpc", reason="invalid_span_id") == 1
    with pytest.raises(grpc.RpcError) as failure:
        call(jaeger, one_span(span_id=b""))
    assert failure.value.code() == grpc.StatusCode.INVALID_ARGUMENT
    assert "invalid_span_id" in failure.value.details()
    assert jaeger.stop().is_balanced()


def test_old_trace_ids_of_eight_bytes_are_taken(jaeger, grpc_backend):
    call(jaeger, one_span(trace_id=b"\x07" * 8))
    until(lambda: len(received(grpc_backend)) == 1, what="the span")
    [(span, _, _)] = received(grpc_backend).values()
    assert span.trace_id == b"\0" * 8 + b"\x07" * 8


def test_requests_at_the_wrong_door_are_explained(jaeger):
    assert post(jaeger, b"", path="/api/v2/spans").status == 404
    answer = post(jaeger, b"{}", content_type="application/json")
    assert answer.status == 415 and b"application/x-thrift" in answer.body


def test_bad_datagrams_harm_nobody(jaeger, grpc_backend):
    target = ("127.0.0.1", jaeger.ports["thrift_compact"])
    bad = [b"", b"\x82\x21\x01\x09emitBatch", b"\x82\x21\x01\x07unknown\x00", b"\x80\x01\x00\x01", bytes(60_000)]
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
        for datagram in bad:
            sender.sendto(datagram, target)
        sender.sendto(bytes(65_100), target)
    sent = export("jaeger-thrift-compact", f"127.0.0.1:{target[1]}")
    until(lambda: len(received(grpc_backend)) == len(sent), what="all spans")
    malformed = jaeger.metrics().sum(
        "millrace_receiver_malformed_requests", receiver="jaeger", transport="thrift_compact")
    assert malformed == len(bad) + 1
    assert jaeger.stop().is_balanced()


def test_what_jaeger_thrift_sends_is_read_by_pypis_module_and_by_the_receiver(start, http_backend, tmp_path):
    import test_jaeger_exporter as exporter

    millrace = start(
        {"jaeger_thrift": {
            "endpoint": f"{http_backend.endpoint}/api/traces", "sending_queue": {"enabled": False}}},
        signals=("traces",))
    span = exporter.span(1, kind=3, trace_state="a=1", flags=257)
    span.parent_span_id = b"\xff" * 8
    span.attributes.add(key="count").value.int_value = -3
    span.attributes.add(key="flag").value.bool_value = True
    span.attributes.add(key="ratio").value.double_value = 0.5
    span.attributes.add(key="raw").value.bytes_value = b"\xff\0"
    span.status.code, span.status.message = 2, "it broke"
    event = span.events.add(time_unix_nano=1_700_000_001_000_000_002, name="exception")
    event.attributes.add(key="why").value.string_value = "because"
    span.links.add(trace_id=b"\x80" * 16, span_id=b"\x81" * 8)
    exporter.send(millrace, exporter.request(({"service.name": "shop", "host.name": "h"}, [span])))
    [request] = http_backend.requests
    assert request.headers["content-type"] == "application/x-thrift" and request.path == "/api/traces"
    batch = thrift_batch(request.body)
    assert (batch["service"], batch["process"]) == ("shop", {"host.name": "h"})
    assert batch["spans"] == [{
        "trace": "00" * 15 + "01", "span": "00" * 7 + "01", "parent": "ff" * 8, "name": "span 1", "flags": 1,
        "start": 1_700_000_000_123_456, "duration": 2_000_000,
        "tags": {
            "otel.scope.name": "lib", "otel.scope.version": "1.2", "count": -3, "flag": True, "ratio": 0.5,
            "raw": "ff00", "span.kind": "client", "otel.status_code": "ERROR", "error": True,
            "otel.status_description": "it broke", "w3c.tracestate": "a=1",
        },
        "logs": [[1_700_000_001_000_000, {"event": "exception", "why": "because"}]],
        "references": [[0, "00" * 15 + "01", "ff" * 8], [1, "80" * 16, "81" * 8]],
    }]
    assert millrace.stop().is_balanced()
