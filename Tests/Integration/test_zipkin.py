"""OpenTelemetry's real Zipkin exporters feed the `zipkin` receiver; what the `zipkin` exporter sends is read by others."""

import json

import pytest

import client
import otlp
from jaeger import ENVIRONMENT, export
from millrace import free_port, until
from test_jaeger_exporter import request, send, span
from test_jaeger_receiver import KINDS, STATUS, attributes, received


@pytest.fixture
def zipkin(start, grpc_backend):
    """A Millrace with a `zipkin` receiver in front of an OTLP backend."""

    def _start(**settings):
        port = free_port()
        millrace = start(
            {"otlp_grpc": {"endpoint": grpc_backend.endpoint, "tls": {"insecure": True}}}, signals=("traces",),
            receivers={"zipkin": {"endpoint": f"127.0.0.1:{port}", **settings}})
        millrace.zipkin = f"http://127.0.0.1:{port}"
        return millrace

    return _start


def post(millrace, body, content_type="application/json", path="/api/v2/spans", **options):
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    return client.request(millrace.zipkin, path, content, content_type=content_type, **options)


@pytest.mark.parametrize("kind", ["zipkin-json", "zipkin-proto"])
@pytest.mark.parametrize("parses", [False, True])
def test_a_real_exporter_is_understood(zipkin, grpc_backend, kind, parses):
    millrace = zipkin(parse_string_tags=parses)
    sent = export(kind, f"{millrace.zipkin}/api/v2/spans")
    until(lambda: len(received(grpc_backend)) == len(sent), what="all spans")
    found = received(grpc_backend)
    for one in sent:
        span, resource, scope = found[one["span"]]
        assert span.trace_id.hex() == one["trace"] and span.parent_span_id.hex() == one["parent"]
        assert span.name == one["name"]
        # Zipkin has no word for what is internal.
        assert span.kind == (KINDS[one["kind"]] if one["kind"] != "INTERNAL" else 0)
        assert abs(span.start_time_unix_nano - one["start"]) < 1000
        assert abs(span.end_time_unix_nano - one["end"]) < 2000
        assert span.status.code == STATUS[one["status"]] and span.status.message == one["description"]
        assert attributes(resource.attributes) == {"service.name": "shop", "host.name": "h1"}
        assert (scope.name, scope.version) == ("lib", "1.2")
        own = attributes(span.attributes)
        for key, value in one["attributes"].items():
            text = str(value).lower() if isinstance(value, bool) else str(value)
            assert own[key] == (value if parses else text)
        assert len(span.events) == len(one["events"])
    assert millrace.stop().is_balanced()


def test_the_example_of_zipkins_documentation(zipkin, grpc_backend):
    millrace = zipkin()
    answer = post(millrace, [{
        "traceId": "5982fe77008310cc80f1da5e10147517", "name": "get", "id": "bd7a977555f6b982",
        "parentId": "ebf33e1a81dc6f71", "kind": "CLIENT", "timestamp": 1458702548467000, "duration": 386000,
        "localEndpoint": {"serviceName": "zipkin-query", "ipv4": "192.168.1.2", "port": 9411},
        "remoteEndpoint": {"serviceName": "spanstore", "ipv6": "2001:db8::1", "port": 3306},
        "annotations": [{"timestamp": 1458702548467000, "value": "cs"}],
        "tags": {"sql.query": "select \"a\"\n", "error": "timeout"}, "debug": True, "shared": False, "unknown": [{}],
    }])
    assert answer.status == 202 and answer.body == b""
    until(lambda: received(grpc_backend), what="the span")
    [(span, resource, _)] = received(grpc_backend).values()
    assert span.trace_id.hex() == "5982fe77008310cc80f1da5e10147517" and span.parent_span_id.hex() == "ebf33e1a81dc6f71"
    assert (span.name, span.kind) == ("get", 3)
    assert span.start_time_unix_nano == 1458702548467000_000
    assert span.end_time_unix_nano == 1458702548853000_000
    assert attributes(resource.attributes) == {"service.name": "zipkin-query"}
    assert attributes(span.attributes) == {
        "sql.query": "select \"a\"\n", "error": "timeout", "net.host.ip": "192.168.1.2", "net.host.port": 9411,
        "peer.service": "spanstore", "net.peer.ip": "2001:db8::1", "net.peer.port": 3306,
    }
    assert (span.status.code, span.status.message) == (2, "timeout")
    assert [(event.name, event.time_unix_nano) for event in span.events] == [("cs", 1458702548467000_000)]
    millrace.stop()


def test_what_is_malformed_is_told_and_counted(zipkin, grpc_backend):
    millrace = zipkin()
    bodies = [
        b"", b"{}", b"[", b'[{"id":}]', b'[{"id":1}]', b'[{"timestamp":-1}]', b'[{"timestamp":1.5}]', b'["a"]',
        b'[{"tags":[]}]', b"[]x", b'[{"x":' + b"[" * 10_000, b'[{"tags":{"a":"\xff"}}]', b'[{"name":"\\x"}]',
    ]
    for body in bodies:
        answer = post(millrace, body)
        assert answer.status == 400 and b"malformed Zipkin JSON" in answer.body, (body[:20], answer)
    for body in (b"\x0a\x05\x0a", b"\xff", b"\x0a\xff\xff\xff\xff\x0f"):
        answer = post(millrace, body, content_type="application/x-protobuf")
        assert answer.status == 400 and b"byte" in answer.body, answer
    count = millrace.metrics().sum("millrace_receiver_malformed_requests", receiver="zipkin", transport="http")
    assert count == len(bodies) + 3
    assert post(millrace, []).status == 202
    assert post(millrace, [], path="/api/v1/spans").status == 404
    assert post(millrace, b"", method="GET").status == 405
    assert post(millrace, b"", content_type="application/x-thrift").status == 415
    assert millrace.stop().is_balanced()


def test_spans_without_ids_are_left_out_and_counted(zipkin, grpc_backend):
    millrace = zipkin()
    right = {"traceId": "1", "id": "2", "name": "a"}
    wrong = [{"traceId": "xyz", "id": "2"}, {"id": "2"}, {"traceId": "1", "id": "0"}, {"traceId": "1" * 33, "id": "1"}]
    assert post(millrace, [right, *wrong]).status == 202
    until(lambda: len(received(grpc_backend)) == 1, what="the span that is right")
    metrics = millrace.metrics()
    name = "millrace_receiver_rejected_spans"
    assert metrics.sum(name, receiver="zipkin", reason="invalid_trace_id") == 3
    assert metrics.sum(name, receiver="zipkin", reason="invalid_span_id") == 1
    answer = post(millrace, wrong[:1])
    assert answer.status == 400 and b"invalid_trace_id" in answer.body
    assert millrace.stop().is_balanced()


def full_span():
    one = span(1, kind=3, trace_state="a=1")
    one.parent_span_id = b"\xff" * 8
    one.attributes.add(key="count").value.int_value = -3
    one.attributes.add(key="text").value.string_value = "zwölf \"⛵\"\n"
    one.attributes.add(key="peer.service").value.string_value = "db"
    one.attributes.add(key="net.peer.ip").value.string_value = "10.0.0.1"
    one.attributes.add(key="net.peer.port").value.int_value = 5432
    one.status.code, one.status.message = 2, "it broke"
    one.events.add(time_unix_nano=1_700_000_001_000_000_002, name="plain")
    event = one.events.add(time_unix_nano=1_700_000_002_000_000_000, name="exception", dropped_attributes_count=1)
    event.attributes.add(key="why").value.string_value = "because"
    return one


EXPECTED_TAGS = {
    "host.name": "h", "otel.scope.name": "lib", "otel.scope.version": "1.2", "count": "-3", "text": "zwölf \"⛵\"\n",
    "otel.status_code": "ERROR", "error": "true", "otel.status_description": "it broke", "w3c.tracestate": "a=1",
}


def settings(backend, **more):
    return {"zipkin": {"endpoint": f"{backend.endpoint}/api/v2/spans", "sending_queue": {"enabled": False}, **more}}


def test_every_field_has_its_place_in_json(start, http_backend):
    millrace = start(settings(http_backend), signals=("traces",))
    send(millrace, request(({"service.name": "shop", "host.name": "h"}, [full_span(), span(2)]), ({}, [span(3)])))
    [sent] = http_backend.requests
    assert sent.headers["content-type"] == "application/json" and sent.path == "/api/v2/spans"
    first, second, third = json.loads(sent.body)
    assert first == {
        "traceId": "00" * 15 + "01", "id": "00" * 7 + "01", "parentId": "ff" * 8, "name": "span 1", "kind": "CLIENT",
        "timestamp": 1_700_000_000_123_456, "duration": 2_000_000, "localEndpoint": {"serviceName": "shop"},
        "remoteEndpoint": {"serviceName": "db", "ipv4": "10.0.0.1", "port": 5432},
        "annotations": [
            {"timestamp": 1_700_000_001_000_000, "value": "plain"},
            {"timestamp": 1_700_000_002_000_000, "value": 'exception|{"why":"because"}|1'},
        ],
        "tags": EXPECTED_TAGS,
    }
    assert "parentId" not in second and "kind" not in second and "annotations" not in second
    assert third["localEndpoint"] == {"serviceName": "<missing service name>"}
    assert millrace.stop().is_balanced()


def zipkin_messages():
    """Messages from the descriptor that OpenTelemetry's exporter for protobuf carries."""
    import ast
    from google.protobuf import descriptor_pb2, descriptor_pool, message_factory

    path = next(ENVIRONMENT.glob("lib/python3*/site-packages/opentelemetry/exporter/zipkin/proto/http/v2/gen/zipkin_pb2.py"))
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Constant) and isinstance(node.value, bytes) and b"zipkin.proto3" in node.value:
            file = descriptor_pb2.FileDescriptorProto.FromString(node.value)
            pool = descriptor_pool.DescriptorPool()
            pool.AddSerializedFile(file.SerializeToString())
            return message_factory.GetMessageClass(pool.FindMessageTypeByName("zipkin.proto3.ListOfSpans"))
    raise AssertionError("no descriptor found")


def test_every_field_has_its_place_in_protobuf(start, http_backend):
    millrace = start(settings(http_backend, format="proto", default_service_name="nobody"), signals=("traces",))
    send(millrace, request(({"service.name": "shop", "host.name": "h"}, [full_span()]), ({}, [span(3)])))
    [sent] = http_backend.requests
    assert sent.headers["content-type"] == "application/x-protobuf"
    first, second = zipkin_messages().FromString(sent.body).spans
    assert (first.trace_id, first.id, first.parent_id) == (b"\0" * 15 + b"\1", b"\0" * 7 + b"\1", b"\xff" * 8)
    assert (first.name, first.kind, first.timestamp, first.duration) == ("span 1", 1, 1_700_000_000_123_456, 2_000_000)
    assert first.local_endpoint.service_name == "shop"
    remote = first.remote_endpoint
    assert (remote.service_name, remote.ipv4, remote.port) == ("db", b"\x0a\0\0\1", 5432)
    assert [(one.timestamp, one.value) for one in first.annotations] == [
        (1_700_000_001_000_000, "plain"), (1_700_000_002_000_000, 'exception|{"why":"because"}|1'),
    ]
    assert dict(first.tags) == EXPECTED_TAGS
    assert second.local_endpoint.service_name == "nobody"
    assert millrace.stop().is_balanced()


@pytest.mark.parametrize("format", ["json", "proto"])
@pytest.mark.parametrize("body", [body for _, signal, body in otlp.captures() if signal == "traces"])
def test_real_spans_go_through_zipkin_and_back(start, zipkin, grpc_backend, format, body):
    behind = zipkin(parse_string_tags=True)
    front = start(
        {"zipkin": {"endpoint": f"{behind.zipkin}/api/v2/spans", "format": format}}, signals=("traces",))
    message = otlp.decode("traces", body)
    send(front, message)
    sent = [one for group in message.resource_spans for scope in group.scope_spans for one in scope.spans]
    until(lambda: len(received(grpc_backend)) == len(sent), what="all spans")
    found = received(grpc_backend)
    for one in sent:
        other = found[one.span_id.hex()][0]
        assert (other.trace_id, other.parent_span_id, other.name, other.kind) == (
            one.trace_id, one.parent_span_id, one.name, one.kind)
        assert other.status == one.status and len(other.events) == len(one.events)
    assert front.stop().is_balanced() and behind.stop().is_balanced()
