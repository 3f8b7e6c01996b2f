"""What comes in goes out unchanged: over both OTLP protocols, into files, and through every compression."""

import json

import grpc
import pytest

import otlp
import payloads
from client import ENCODERS, JSON, GRPCClient, post
from millrace import SIGNALS, until

INSECURE = {"insecure": True}
BATCH = {"batch": {"timeout": "50ms"}}


def send_all(millrace, bodies: dict[str, list[bytes]]):
    """Half of each signal's requests over gRPC, half over HTTP; all must be accepted."""
    with GRPCClient(millrace.grpc) as client:
        for signal, requests in bodies.items():
            for number, body in enumerate(requests):
                if number % 2 == 0:
                    assert client.send(signal, body) == b""
                else:
                    answer = post(millrace.http, signal, body)
                    assert (answer.status, answer.response(signal)) == (200, otlp.RESPONSE[signal]())


def hard_bodies() -> dict[str, list[bytes]]:
    return {signal: [make().SerializeToString()] * 2 for signal, make in payloads.HARD.items()}


def expected(bodies: dict[str, list[bytes]]):
    return {signal: otlp.items(signal, *(otlp.decode(signal, body) for body in requests))
            for signal, requests in bodies.items()}


def assert_same(found, wanted):
    """Multisets of items are equal; shows a few that are not."""
    missing, surplus = wanted - found, found - wanted
    assert not missing and not surplus, (
        f"{missing.total()} missing, {surplus.total()} surplus\n"
        f"missing: {str(list(missing)[:1])[-1500:]}\nsurplus: {str(list(surplus)[:1])[-1500:]}")


def test_json_lines_hold_every_field(start, tmp_path):
    path = tmp_path / "out.jsonl"
    millrace = start({"file": {"path": str(path)}}, BATCH)
    bodies = hard_bodies()
    send_all(millrace, bodies)
    millrace.stop()
    written = otlp.read_json_lines(path)
    for signal, wanted in expected(bodies).items():
        assert_same(otlp.items(signal, *written[signal]), wanted)


@pytest.mark.parametrize("signal", SIGNALS)
def test_length_prefixed_protobuf_holds_every_field(start, tmp_path, signal):
    path = tmp_path / "out.pb"
    millrace = start({"file": {"path": str(path), "format": "proto"}}, BATCH, signals=(signal,))
    bodies = {signal: hard_bodies()[signal]}
    send_all(millrace, bodies)
    millrace.stop()
    written = [otlp.decode(signal, frame) for frame in otlp.read_frames(path)]
    assert_same(otlp.items(signal, *written), expected(bodies)[signal])


def test_compressed_frames_are_json_messages(start, tmp_path):
    path = tmp_path / "out.zst"
    millrace = start({"file": {"path": str(path), "compression": "zstd"}}, signals=("logs",))
    bodies = {"logs": hard_bodies()["logs"]}
    send_all(millrace, bodies)
    millrace.stop()
    written = [otlp.from_json("logs", frame) for frame in otlp.read_frames(path, zstd=True)]
    assert_same(otlp.items("logs", *written), expected(bodies)["logs"])


def test_appending_keeps_what_earlier_runs_wrote(start, tmp_path):
    path = tmp_path / "new" / "folder" / "out.jsonl"
    exporter = {"file": {"path": str(path), "append": True, "create_directory": True}}
    for first in (0, 10):
        millrace = start(exporter, signals=("traces",))
        send_all(millrace, {"traces": [payloads.spans(first, 10).SerializeToString()]})
        millrace.stop()
    assert payloads.span_names(*otlp.read_json_lines(path)["traces"]) == list(range(20))


def test_rotation_loses_nothing(start, tmp_path):
    millrace = start({"file": {
        "path": str(tmp_path / "out.jsonl"), "rotation": {"max_megabytes": 1, "max_backups": 10}}}, signals=("traces",))
    bodies = [payloads.spans(n * 100, 100, padding=2000).SerializeToString() for n in range(20)]
    send_all(millrace, {"traces": bodies})
    millrace.stop()
    files = sorted(tmp_path.glob("out*.jsonl"))
    assert len(files) > 3 and all(path.stat().st_size <= 1 << 20 for path in files)
    written = [message for path in files for message in otlp.read_json_lines(path)["traces"]]
    assert sorted(payloads.span_names(*written)) == list(range(2000))


def test_one_file_per_resource_attribute(start, tmp_path):
    exporter = {"file": {
        "path": str(tmp_path / "by-*.jsonl"),
        "group_by": {"enabled": True, "resource_attribute": "service.name"},
    }}
    millrace = start(exporter, signals=("traces",))
    send_all(millrace, {"traces": [payloads.spans(n * 10, 10, service=f"s{n % 2}").SerializeToString() for n in range(4)]})
    millrace.stop()
    for parity in (0, 1):
        written = otlp.read_json_lines(tmp_path / f"by-s{parity}.jsonl")["traces"]
        assert sorted(payloads.span_names(*written)) == [n * 10 + i for n in (parity, parity + 2) for i in range(10)]


@pytest.mark.parametrize("compression", ["gzip", "zstd", "snappy", "none"])
def test_otlp_http_delivers_every_field(start, http_backend, compression):
    exporter = {"otlp_http": {"endpoint": http_backend.endpoint, "compression": compression, "tls": INSECURE}}
    millrace = start(exporter, BATCH)
    bodies = hard_bodies()
    send_all(millrace, bodies)
    sheet = millrace.stop()
    for signal, wanted in expected(bodies).items():
        assert_same(http_backend.items(signal), wanted)
        assert sheet.items(signal, "delivered") == wanted.total()
    encodings = {received.headers.get("content-encoding", "none") for received in http_backend.requests}
    assert encodings == {compression}
    assert sheet.is_balanced()


def test_otlp_http_speaks_json(start, http_backend):
    exporter = {"otlp_http": {"endpoint": http_backend.endpoint, "encoding": "json", "tls": INSECURE}}
    millrace = start(exporter, BATCH)
    bodies = hard_bodies()
    send_all(millrace, bodies)
    millrace.stop()
    assert {received.headers["content-type"] for received in http_backend.requests} == {JSON}
    for signal, wanted in expected(bodies).items():
        assert_same(http_backend.items(signal), wanted)


def test_otlp_http_uses_endpoints_per_signal_and_headers(start, http_backend):
    exporter = {"otlp_http": {
        "endpoint": http_backend.endpoint + "/base",
        "traces_endpoint": http_backend.endpoint + "/other/traces",
        "headers": {"X-Scope": "tenant 7"}, "tls": INSECURE,
    }}
    millrace = start(exporter, signals=("traces", "logs"))
    send_all(millrace, {signal: hard_bodies()[signal] for signal in ("traces", "logs")})
    millrace.stop()
    assert {received.path for received in http_backend.requests} == {"/other/traces", "/base/v1/logs"}
    assert {received.headers["x-scope"] for received in http_backend.requests} == {"tenant 7"}


@pytest.mark.parametrize("compression", ["gzip", "none"])
def test_otlp_grpc_delivers_every_field(start, grpc_backend, compression):
    exporter = {"otlp_grpc": {
        "endpoint": grpc_backend.endpoint, "compression": compression, "tls": INSECURE,
        "headers": {"x-scope": "tenant 7"},
    }}
    millrace = start(exporter, BATCH)
    bodies = hard_bodies()
    send_all(millrace, bodies)
    sheet = millrace.stop()
    for signal, wanted in expected(bodies).items():
        assert_same(grpc_backend.items(signal), wanted)
        assert sheet.items(signal, "delivered") == wanted.total()
    assert {received.headers["x-scope"] for received in grpc_backend.requests} == {"tenant 7"}
    assert sheet.is_balanced()


@pytest.mark.parametrize("compression", ["zstd", "snappy"])
def test_two_in_a_row_speak_compressed_grpc(start, tmp_path, compression):
    """grpcio knows neither zstd nor snappy, so a second millrace is the server."""
    path = tmp_path / "out.jsonl"
    second = start({"file": {"path": str(path)}})
    first = start({"otlp_grpc": {"endpoint": second.grpc, "compression": compression, "tls": INSECURE}}, BATCH)
    bodies = hard_bodies()
    send_all(first, bodies)
    first.stop()
    second.stop()
    written = otlp.read_json_lines(path)
    for signal, wanted in expected(bodies).items():
        assert_same(otlp.items(signal, *written[signal]), wanted)


@pytest.mark.parametrize("signal", SIGNALS)
def test_bytes_pass_through_as_they_came(start, http_backend, grpc_backend, signal):
    """Nothing on the way edits, so the very bytes arrive: field order, unknown fields and all."""
    bodies = [body for _, own, body in otlp.captures() if own == signal]
    bodies += [payloads.HARD[signal]().SerializeToString(), payloads.with_unknown_fields(signal)]
    millrace = start({
        "otlp_http": {"endpoint": http_backend.endpoint, "tls": INSECURE},
        "otlp_grpc": {"endpoint": grpc_backend.endpoint, "tls": INSECURE},
    }, signals=(signal,))
    send_all(millrace, {signal: bodies})
    millrace.stop()
    for backend in (http_backend, grpc_backend):
        assert sorted(received.body for received in backend.requests) == sorted(bodies)


@pytest.mark.parametrize("signal", SIGNALS)
def test_unknown_fields_survive_batching(start, http_backend, signal):
    body = payloads.with_unknown_fields(signal)
    assert otlp.decode(signal, body).SerializeToString().count(b"text of a later version") >= 5, "the peer keeps them"
    millrace = start({"otlp_http": {"endpoint": http_backend.endpoint, "tls": INSECURE}}, BATCH, signals=(signal,))
    send_all(millrace, {signal: [body] * 6})
    millrace.stop()
    wanted = otlp.items(signal, *[otlp.decode(signal, body)] * 6)
    assert_same(http_backend.items(signal), wanted)


def test_batches_are_bounded_and_divided(start, http_backend):
    millrace = start(
        {"otlp_http": {"endpoint": http_backend.endpoint, "tls": INSECURE}},
        {"batch": {"timeout": "10s", "send_batch_size": 100, "send_batch_max_size": 150}}, signals=("traces",))
    send_all(millrace, {"traces": [payloads.spans(n * 70, 70).SerializeToString() for n in range(20)]})
    until(lambda: http_backend.count("traces") >= 1300, what="full batches, long before the timeout")
    millrace.stop()
    sizes = [otlp.count("traces", message) for message in http_backend.messages("traces")]
    assert sum(sizes) == 1400 and max(sizes) <= 150
    assert all(size >= 100 for size in sizes[:-1]), sizes
    assert_same(http_backend.items("traces"), otlp.items("traces", *(payloads.spans(n * 70, 70) for n in range(20))))


def test_a_queue_may_gather_and_divide(start, http_backend):
    """`sending_queue.batch`, which is to replace the batch processor in Collector configurations."""
    millrace = start({"otlp_http": {"endpoint": http_backend.endpoint, "tls": INSECURE, "sending_queue": {
        "num_consumers": 1, "batch": {"flush_timeout": "10s", "min_size": 100, "max_size": 150}}}}, signals=("traces",))
    send_all(millrace, {"traces": [payloads.spans(n * 70, 70).SerializeToString() for n in range(20)]})
    until(lambda: http_backend.count("traces") >= 1200, what="full requests, long before the timeout")
    sheet = millrace.stop()
    sizes = [otlp.count("traces", message) for message in http_backend.messages("traces")]
    assert sum(sizes) == 1400 and max(sizes) <= 150 and len(sizes) < 20, sizes
    assert sheet.items("traces", "delivered") == 1400 and sheet.is_balanced()


def test_batches_are_kept_apart_by_metadata(start, http_backend):
    millrace = start(
        {"otlp_http": {"endpoint": http_backend.endpoint, "tls": INSECURE}},
        {"batch": {"timeout": "200ms", "metadata_keys": ["X-Tenant"]}}, signals=("traces",),
        http_settings={"include_metadata": True}, grpc_settings={"include_metadata": True})
    with GRPCClient(millrace.grpc) as client:
        for number in range(12):
            body, tenant = payloads.spans(number, 1).SerializeToString(), f"tenant-{number % 3}"
            if number % 2:
                client.send("traces", body, metadata=(("x-tenant", tenant),))
            else:
                assert post(millrace.http, "traces", body, headers={"X-Tenant": tenant}).status == 200
    millrace.stop()
    batches = [payloads.span_names(message) for message in http_backend.messages("traces")]
    assert sorted(number for batch in batches for number in batch) == list(range(12))
    assert all(len({number % 3 for number in batch}) == 1 for batch in batches)


@pytest.mark.parametrize("encoding", list(ENCODERS))
def test_request_bodies_may_be_compressed(start, http_backend, encoding):
    if encoding == "x-snappy-framed":
        settings = {"compression_algorithms": ["x-snappy-framed", "gzip"]}
    else:
        settings = {}
    millrace = start({"otlp_http": {"endpoint": http_backend.endpoint, "tls": INSECURE}}, http_settings=settings)
    body = payloads.logs().SerializeToString()
    assert post(millrace.http, "logs", body, encoding=encoding).status == 200
    as_json = otlp.to_json(payloads.logs())
    assert post(millrace.http, "logs", json.dumps(as_json).encode(), encoding=encoding, content_type=JSON).status == 200
    millrace.stop()
    assert_same(http_backend.items("logs"), otlp.items("logs", payloads.logs(), payloads.logs()))


def test_grpc_messages_may_be_gzipped(start, http_backend):
    millrace = start({"otlp_http": {"endpoint": http_backend.endpoint, "tls": INSECURE}})
    for compression in (grpc.Compression.Gzip, grpc.Compression.Deflate, grpc.Compression.NoCompression):
        with GRPCClient(millrace.grpc, compression) as client:
            client.send("traces", payloads.traces().SerializeToString())
    millrace.stop()
    assert_same(http_backend.items("traces"), otlp.items("traces", *[payloads.traces()] * 3))


@pytest.mark.parametrize("signal", SIGNALS)
def test_json_requests_become_the_same_protobuf(start, http_backend, signal):
    """An independent encoder writes the JSON; numbers may also be plain, unknown fields are ignored."""
    message = payloads.HARD[signal]()
    millrace = start({"otlp_http": {"endpoint": http_backend.endpoint, "tls": INSECURE}}, signals=(signal,))
    value = otlp.to_json(message)
    variants = [json.dumps(value), json.dumps(value, indent=3, ensure_ascii=False), json.dumps(loosened(value))]
    for text in variants:
        answer = post(millrace.http, signal, text.encode(), content_type=JSON)
        assert (answer.status, answer.content_type) == (200, JSON), answer
        assert answer.response(signal) == otlp.RESPONSE[signal]()
    millrace.stop()
    assert_same(http_backend.items(signal), otlp.items(signal, *[message] * 3))


def loosened(value):
    """The same content as another writer may put it: 64-bit numbers bare, ids in capitals, fields of the future."""
    if isinstance(value, list):
        return [loosened(inner) for inner in value]
    if not isinstance(value, dict):
        return value
    numbers = ("UnixNano", "Count", "asInt", "count", "intValue")
    result = {"fieldOfTheFuture": {"deep": [1, {"x": None}], "text": "\\\"}]"}} if "key" not in value else {}
    for key, inner in value.items():
        if key.endswith(numbers) and isinstance(inner, str):
            result[key] = int(inner)
        elif key in ("traceId", "spanId"):
            result[key] = inner.upper()
        else:
            result[key] = loosened(inner)
    return result


@pytest.mark.parametrize("name,signal,body", otlp.captures(), ids=[name for name, _, _ in otlp.captures()])
def test_real_payloads_round_trip(start, tmp_path, http_backend, name, signal, body):
    path = tmp_path / "out.jsonl"
    millrace = start(
        {"otlp_http": {"endpoint": http_backend.endpoint, "tls": INSECURE}, "file": {"path": str(path)}},
        signals=(signal,))
    assert post(millrace.http, signal, body, encoding="gzip").status == 200
    millrace.stop()
    assert [received.body for received in http_backend.requests] == [body]
    (line, rest) = path.read_text().split("\n")
    assert rest == ""
    assert json.loads(line) == otlp.to_json(otlp.decode(signal, body))
