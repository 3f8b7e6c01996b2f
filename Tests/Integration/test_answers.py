"""What senders are told, as the OTLP specification has it: statuses, bodies, gRPC codes, partial success."""

import http.client
import json
import socket

import grpc
import pytest
from opentelemetry.proto.collector.trace.v1 import trace_service_pb2

import otlp
import payloads
from backends import Refusal, Reply
from client import ENCODERS, JSON, PROTO, GRPCClient, post, request
from millrace import SIGNALS, Millrace, Pipeline
from test_delivery import INSECURE

DIRECT = {"sending_queue": {"enabled": False}, "retry_on_failure": {"enabled": False}}


@pytest.fixture(scope="module")
def sink(tmp_path_factory):
    """One process for everything that does not depend on a backend; small limits so that they are easy to pass."""
    pipeline = Pipeline(
        {"nop": None}, http_settings={
            "max_request_body_size": 100_000,
            "cors": {"allowed_origins": ["https://*.example.com"], "allowed_headers": ["X-Extra"], "max_age": 600},
        }, grpc_settings={"max_recv_msg_size_mib": 1})
    millrace = Millrace(pipeline, tmp_path_factory.mktemp("sink"))
    yield millrace
    millrace.stop()


@pytest.mark.parametrize("signal", SIGNALS)
def test_success_is_an_empty_response_in_the_encoding_of_the_request(sink, signal):
    answer = post(sink.http, signal, payloads.HARD[signal]().SerializeToString())
    assert (answer.status, answer.content_type, answer.body) == (200, PROTO, b"")
    text = json.dumps(otlp.to_json(payloads.HARD[signal]()))
    answer = post(sink.http, signal, text.encode(), content_type="application/json; charset=utf-8")
    assert (answer.status, answer.content_type) == (200, JSON)
    assert answer.response(signal) == otlp.RESPONSE[signal]()
    with GRPCClient(sink.grpc) as client:
        assert client.send(signal, payloads.HARD[signal]().SerializeToString()) == b""


@pytest.mark.parametrize("signal", SIGNALS)
def test_an_empty_request_is_a_success(sink, signal):
    assert post(sink.http, signal, b"").status == 200
    assert post(sink.http, signal, b"{}", content_type=JSON).status == 200
    with GRPCClient(sink.grpc) as client:
        assert client.send(signal, b"") == b""


@pytest.mark.parametrize("body", [b"\xff\xff\xff", b"\x0a\x05abc", b"\x00", b"\x0b"])
def test_bytes_that_are_no_protobuf_get_400_with_a_status(sink, body):
    answer = post(sink.http, "traces", body)
    assert (answer.status, answer.content_type) == (400, PROTO)
    assert answer.error().code == 3 and answer.error().message
    with GRPCClient(sink.grpc) as client:
        failure = client.failure("traces", body)
        assert failure.code == grpc.StatusCode.INVALID_ARGUMENT and failure.message
        assert failure.retry_after is None


@pytest.mark.parametrize("text", [
    "", "{", "[]", "null", "7", '"x"', '{"resourceSpans": 5}', '{"resourceSpans": [5]}', '{"resourceSpans": [{}]} x',
    '{"resourceSpans": [{"scopeSpans": [{"spans": [{"traceId": "zz"}]}]}]}',
    '{"resourceSpans": [{"scopeSpans": [{"spans": [{"traceId": "abc"}]}]}]}',
    '{"resourceSpans": [{"scopeSpans": [{"spans": [{"startTimeUnixNano": "x"}]}]}]}',
    '{"resourceSpans": [{"scopeSpans": [{"spans": [{"startTimeUnixNano": "18446744073709551616"}]}]}]}',
    '{"resourceSpans": [{"scopeSpans": [{"spans": [{"name": 5}]}]}]}',
    '{"resourceSpans": [{"scopeSpans": [{"spans": [{"name": "a\nb"}]}]}]}',
    '{"resourceSpans": [{"resource": {"attributes": [{"key": "k", "value": {"bytesValue": "!"}}]}}]}',
    '{"resourceSpans": [{"resource": {"attributes": [{"key": "k", "value": {"intValue": "9223372036854775808"}}]}}]}',
    '{"resourceSpans": [{"unknown": [1, {"x": }]}]}', "{'resourceSpans': []}", '{"resourceSpans": [,]}',
])
def test_invalid_json_gets_400_with_a_json_status(sink, text):
    answer = post(sink.http, "traces", text.encode(), content_type=JSON)
    assert (answer.status, answer.content_type) == (400, JSON), answer
    assert json.loads(answer.body)["code"] == 3 and json.loads(answer.body)["message"]


def test_json_that_is_no_utf8_gets_400(sink):
    body = b'{"resourceSpans": [{"scopeSpans": [{"spans": [{"name": "\xff\xfe"}]}]}]}'
    assert post(sink.http, "traces", body, content_type=JSON).status == 400


def test_half_a_surrogate_pair_becomes_the_replacement_character(start, http_backend):
    """Protobuf text cannot hold it; most JSON decoders replace it, and so do we."""
    millrace = start({"otlp_http": {"endpoint": http_backend.endpoint, "tls": INSECURE}}, signals=("traces",))
    text = '{"resourceSpans": [{"scopeSpans": [{"spans": [{"name": "a\\ud800b\\ud83d\\ude80"}]}]}]}'
    assert post(millrace.http, "traces", text.encode(), content_type=JSON).status == 200
    millrace.stop()
    (message,) = http_backend.messages("traces")
    assert message.resource_spans[0].scope_spans[0].spans[0].name == "a\ufffdb🚀"


@pytest.mark.parametrize("path", ["/", "/v1", "/v1/trace", "/v1/traces/", "/v1/profiles", "/V1/TRACES", "/metrics"])
def test_unknown_paths_get_404(sink, path):
    assert request(sink.http, path).status == 404


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE", "PATCH", "HEAD"])
def test_other_methods_get_405(sink, method):
    answer = request(sink.http, "/v1/traces", method=method, content_type=None)
    assert answer.status == 405
    assert "POST" in answer.headers.get("allow", "POST")


@pytest.mark.parametrize("content_type", [None, "text/plain", "application/x-www-form-urlencoded", "application/xml", "x"])
def test_other_content_types_get_415(sink, content_type):
    assert post(sink.http, "traces", b"", content_type=content_type).status == 415


def test_unknown_content_encodings_are_refused(sink):
    answer = post(sink.http, "traces", b"", headers={"Content-Encoding": "br"})
    assert answer.status in (400, 415) and answer.error().message


@pytest.mark.parametrize("encoding", ["gzip", "zstd", "snappy", "deflate"])
def test_bodies_that_do_not_decompress_get_400(sink, encoding):
    answer = post(sink.http, "traces", b"this is not compressed at all", headers={"Content-Encoding": encoding})
    assert answer.status == 400 and answer.error().message
    whole = payloads.traces().SerializeToString()
    truncated = ENCODERS[encoding](whole)[:-20]
    assert post(sink.http, "traces", truncated, headers={"Content-Encoding": encoding}).status == 400


@pytest.mark.parametrize("encoding", [None, "gzip", "zstd", "snappy", "deflate"])
def test_bodies_over_the_limit_get_413(sink, encoding):
    over = payloads.spans(0, 10, padding=20_000).SerializeToString()
    answer = post(sink.http, "traces", over, encoding=encoding)
    assert answer.status == 413 and answer.error().message
    under = payloads.spans(0, 10, padding=8_000).SerializeToString()
    assert post(sink.http, "traces", under, encoding=encoding).status == 200


def test_grpc_messages_over_the_limit_are_refused(sink):
    over = payloads.spans(0, 10, padding=200_000).SerializeToString()
    for compression in (grpc.Compression.NoCompression, grpc.Compression.Gzip):
        with GRPCClient(sink.grpc, compression) as client:
            failure = client.failure("traces", over)
            assert failure.code == grpc.StatusCode.RESOURCE_EXHAUSTED and failure.retry_after is None
            assert client.send("traces", payloads.spans(0, 10).SerializeToString()) == b""


@pytest.mark.parametrize("method", [
    "/opentelemetry.proto.collector.trace.v1.TraceService/Import", "/some.Service/Export", "/x",
])
def test_unknown_grpc_methods_are_unimplemented(sink, method):
    with GRPCClient(sink.grpc) as client:
        assert client.failure("traces", b"", method=method).code == grpc.StatusCode.UNIMPLEMENTED


def test_one_connection_serves_many_requests(sink):
    host = sink.http.removeprefix("http://")
    connection = http.client.HTTPConnection(host, timeout=10)
    connection.connect()
    first = connection.sock.getsockname()
    for number in range(20):
        path = "/v1/traces" if number % 3 else "/nothing"
        answer = request(sink.http, path, payloads.spans(0, 5).SerializeToString(), connection=connection)
        assert answer.status == (200 if number % 3 else 404)
    assert connection.sock and connection.sock.getsockname() == first, "the connection was not kept"
    connection.close()


def test_pipelined_and_chunked_requests(sink):
    body = payloads.spans(0, 5).SerializeToString()
    head = b"POST /v1/traces HTTP/1.1\r\nHost: x\r\nContent-Type: application/x-protobuf\r\n"
    plain = head + b"Content-Length: %d\r\n\r\n" % len(body) + body
    chunked = head + b"Transfer-Encoding: chunked\r\n\r\n"
    for start in range(0, len(body), 50):
        part = body[start : start + 50]
        chunked += b"%x\r\n%b\r\n" % (len(part), part)
    chunked += b"0\r\n\r\n"
    with socket.create_connection(("127.0.0.1", sink.pipeline.http), timeout=10) as connection:
        connection.sendall(plain + chunked + plain + chunked[:40])
        connection.sendall(chunked[40:])
        answers = b""
        while answers.count(b"HTTP/1.1 ") < 4 or not answers.endswith(b"\r\n\r\n"):
            data = connection.recv(65536)
            assert data, answers
            answers += data
    assert answers.count(b"HTTP/1.1 200") == 4


def test_a_client_may_ask_before_it_sends(sink):
    body = payloads.spans(0, 5).SerializeToString()
    with socket.create_connection(("127.0.0.1", sink.pipeline.http), timeout=10) as connection:
        connection.sendall(
            b"POST /v1/traces HTTP/1.1\r\nHost: x\r\nContent-Type: application/x-protobuf\r\n"
            b"Expect: 100-continue\r\nContent-Length: %d\r\n\r\n" % len(body))
        assert connection.recv(65536).startswith(b"HTTP/1.1 100")
        connection.sendall(body)
        assert connection.recv(65536).startswith(b"HTTP/1.1 200")


def test_browsers_of_allowed_origins_may_send(sink):
    asked = {"Origin": "https://shop.example.com", "Access-Control-Request-Method": "POST",
             "Access-Control-Request-Headers": "content-type,x-extra"}
    answer = request(sink.http, "/v1/traces", method="OPTIONS", content_type=None, headers=asked)
    assert answer.status in (200, 204)
    assert answer.headers["access-control-allow-origin"] == "https://shop.example.com"
    assert "POST" in answer.headers["access-control-allow-methods"]
    assert "x-extra" in answer.headers["access-control-allow-headers"].lower()
    assert answer.headers["access-control-max-age"] == "600"
    answer = post(sink.http, "traces", b"", headers={"Origin": "https://shop.example.com"})
    assert answer.status == 200 and answer.headers["access-control-allow-origin"] == "https://shop.example.com"
    answer = request(sink.http, "/v1/traces", method="OPTIONS", content_type=None,
                     headers={**asked, "Origin": "https://evil.test"})
    assert "access-control-allow-origin" not in answer.headers


def test_custom_paths_and_only_one_protocol(start, tmp_path):
    millrace = start({"nop": None}, http_settings={"traces_url_path": "/custom/spans"})
    body = payloads.spans(0, 5).SerializeToString()
    assert request(millrace.http, "/custom/spans", body).status == 200
    assert request(millrace.http, "/v1/traces", body).status == 404
    assert request(millrace.http, "/v1/logs").status == 200


def test_a_signal_without_a_pipeline_is_not_served(start):
    millrace = start({"nop": None}, signals=("traces",))
    assert post(millrace.http, "traces", b"").status == 200
    assert post(millrace.http, "logs", b"").status == 404
    with GRPCClient(millrace.grpc) as client:
        assert client.failure("logs", b"").code == grpc.StatusCode.UNIMPLEMENTED


@pytest.mark.parametrize("signal", SIGNALS)
def test_partial_success_of_the_backend_reaches_the_sender(start, http_backend, grpc_backend, signal):
    message = otlp.RESPONSE[signal]()
    setattr(message.partial_success, otlp.REJECTED[signal], 3)
    message.partial_success.error_message = "three were too old"
    http_backend.answer = lambda received: http_backend.record(received) or Reply(body=message.SerializeToString())
    millrace = start({"otlp_http": {"endpoint": http_backend.endpoint, "tls": INSECURE, **DIRECT}}, signals=(signal,))
    body = payloads.HARD[signal]()
    for answer in (
        post(millrace.http, signal, body.SerializeToString()),
        post(millrace.http, signal, json.dumps(otlp.to_json(body)).encode(), content_type=JSON),
    ):
        assert answer.status == 200 and answer.response(signal) == message
    with GRPCClient(millrace.grpc) as client:
        assert client.send(signal, body.SerializeToString()) == message.SerializeToString()
    sheet = millrace.stop()
    total = 3 * otlp.count(signal, body)
    assert sheet.items(signal, "rejected") == 9
    assert sheet.items(signal, "delivered") == total - 9 and sheet.is_balanced()


def test_partial_success_over_grpc_reaches_the_sender(start, grpc_backend):
    message = trace_service_pb2.ExportTraceServiceResponse()
    message.partial_success.rejected_spans = 2
    message.partial_success.error_message = "two were too long"
    grpc_backend.answer = lambda received: message.SerializeToString()
    millrace = start({"otlp_grpc": {"endpoint": grpc_backend.endpoint, "tls": INSECURE, **DIRECT}}, signals=("traces",))
    answer = post(millrace.http, "traces", payloads.spans(0, 5).SerializeToString())
    assert answer.status == 200 and answer.response("traces") == message
    assert millrace.stop().items("traces", "rejected") == 2


def test_what_the_backend_will_never_take_is_the_senders_error(start, http_backend):
    http_backend.answer = lambda received: Reply(400)
    millrace = start({"otlp_http": {"endpoint": http_backend.endpoint, "tls": INSECURE, **DIRECT}}, signals=("traces",))
    body = payloads.spans(0, 5).SerializeToString()
    answer = post(millrace.http, "traces", body)
    assert answer.status == 400 and answer.error().code == 3
    with GRPCClient(millrace.grpc) as client:
        assert client.failure("traces", body).code == grpc.StatusCode.INVALID_ARGUMENT
    sheet = millrace.stop()
    assert sheet.items("traces", "rejected") == 10 and sheet.is_balanced()


@pytest.mark.parametrize("kind", ["http", "grpc"])
def test_what_the_backend_refuses_for_now_is_for_the_sender_to_retry(start, http_backend, grpc_backend, kind):
    backend = http_backend if kind == "http" else grpc_backend

    def answer(received):
        if kind == "http":
            return Reply(429, headers=(("Retry-After", "7"),))
        raise Refusal(grpc.StatusCode.UNAVAILABLE, retry_after=7)

    backend.answer = answer
    millrace = start({f"otlp_{kind}": {"endpoint": backend.endpoint, "tls": INSECURE, **DIRECT}}, signals=("traces",))
    body = payloads.spans(0, 5).SerializeToString()
    answer = post(millrace.http, "traces", body)
    assert answer.status in (429, 503) and answer.headers["retry-after"] == "7"
    assert answer.error().code in (8, 14)
    with GRPCClient(millrace.grpc) as client:
        failure = client.failure("traces", body)
        assert failure.code in (grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.RESOURCE_EXHAUSTED)
        assert failure.retry_after == 7
    sheet = millrace.stop()
    assert sheet.items("traces", "refused") == 10 and sheet.is_balanced()


def test_an_unreachable_backend_without_a_queue_is_for_the_sender_to_retry(start, http_backend):
    http_backend.stop()
    millrace = start({"otlp_http": {"endpoint": http_backend.endpoint, "tls": INSECURE, **DIRECT}}, signals=("traces",))
    answer = post(millrace.http, "traces", payloads.spans(0, 5).SerializeToString())
    assert answer.status == 503 and "retry-after" in answer.headers


def test_the_worst_branch_of_a_fan_out_is_the_answer(start, http_backend, grpc_backend):
    http_backend.answer = lambda received: Reply(503)
    millrace = start({
        "otlp_http": {"endpoint": http_backend.endpoint, "tls": INSECURE, **DIRECT},
        "otlp_grpc": {"endpoint": grpc_backend.endpoint, "tls": INSECURE, **DIRECT},
    }, signals=("traces",))
    assert post(millrace.http, "traces", payloads.spans(0, 5).SerializeToString()).status == 503
    assert grpc_backend.count("traces") == 5
    assert millrace.stop().is_balanced()


def test_unix_sockets(start, tmp_path):
    grpc_path, http_path = tmp_path / "g.sock", tmp_path / "h.sock"
    pipeline = Pipeline({"nop": None})
    document = pipeline.document()
    document["receivers"]["otlp/unix"] = {"protocols": {
        "grpc": {"endpoint": str(grpc_path), "transport": "unix"},
        "http": {"endpoint": str(http_path), "transport": "unix"},
    }}
    for one in document["service"]["pipelines"].values():
        one["receivers"] = ["otlp", "otlp/unix"]
    pipeline.document = lambda: document
    millrace = Millrace(pipeline, tmp_path / "millrace")
    try:
        with GRPCClient(f"unix:{grpc_path}") as client:
            assert client.send("traces", payloads.spans(0, 5).SerializeToString()) == b""
        with socket.socket(socket.AF_UNIX) as connection:
            connection.settimeout(10)
            connection.connect(str(http_path))
            connection.sendall(
                b"POST /v1/traces HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{}")
            assert connection.recv(65536).startswith(b"HTTP/1.1 200")
        sheet = millrace.stop()
        assert sheet.items("traces", "received") == 5
        assert not grpc_path.exists() and not http_path.exists(), "a socket file was left behind"
    finally:
        millrace.kill()
