"""Hostile and broken senders: each gets its answer, the process stays up and small, and good traffic goes on."""

import contextlib
import gzip
import random
import resource
import socket
import threading
import time

import grpc
import h2.config
import h2.connection
import h2.events
import pytest

import otlp
import payloads
from client import ENCODERS, JSON, PROTO, GRPCClient, post
from millrace import Millrace, Pipeline, until

MEBIBYTE = 1 << 20
MEMORY_LIMIT = 160 * MEBIBYTE


@pytest.fixture(scope="module")
def victim(tmp_path_factory):
    """One process takes all of it, one after the other, and must account for every good item at the end."""
    pipeline = Pipeline(
        {"nop": None}, {"batch": {"timeout": "20ms"}},
        http_settings={"read_header_timeout": "2s", "read_timeout": "3s", "idle_timeout": "60s"})
    millrace = Millrace(pipeline, tmp_path_factory.mktemp("victim"))
    yield millrace
    sheet = millrace.stop()
    assert sheet.is_balanced()
    assert sheet.items("traces", "leaked") == 0


@pytest.fixture(autouse=True)
def good_traffic_goes_on(victim):
    """Before, during and after each test, a well-behaved sender is served."""
    good = payloads.traces().SerializeToString()
    stop, served, failures = threading.Event(), [0], []

    def send():
        with GRPCClient(victim.grpc) as client:
            while not stop.is_set():
                try:
                    client.send("traces", good, timeout=15)
                    assert post(victim.http, "traces", good, timeout=15).status == 200
                    served[0] += 1
                except Exception as error:  # noqa: BLE001 - reported by the test's thread
                    failures.append(error)
                    return
                time.sleep(0.02)

    sender = threading.Thread(target=send, daemon=True)
    sender.start()
    until(lambda: served[0] or failures, what="the good sender")
    yield
    before = served[0]
    until(lambda: served[0] > before + 1 or failures, what="the good sender")
    stop.set()
    sender.join(30)
    assert not failures
    assert victim.process.poll() is None, victim.logs[-2000:]
    most = victim.memory("VmHWM")
    assert most < MEMORY_LIMIT, f"{most / MEBIBYTE:.0f} MiB"


@contextlib.contextmanager
def connected(victim, port: str = "http"):
    with socket.create_connection(("127.0.0.1", getattr(victim.pipeline, port)), timeout=15) as connection:
        yield connection


def read_until_closed(connection) -> bytes:
    data = b""
    with contextlib.suppress(ConnectionError):
        while part := connection.recv(65536):
            data += part
    return data


@pytest.mark.parametrize("port", ["http", "grpc"])
def test_random_bytes_on_the_socket(victim, port):
    noise = random.Random(1)
    for _ in range(200):
        with connected(victim, port) as connection, contextlib.suppress(OSError):
            connection.sendall(noise.randbytes(noise.randrange(1, 4000)))
            connection.shutdown(socket.SHUT_WR)
            answer = read_until_closed(connection)
            assert port == "grpc" or not answer or answer.startswith(b"HTTP/1.1 400"), answer[:100]


def test_random_bytes_in_bodies(victim):
    noise = random.Random(2)
    with GRPCClient(victim.grpc) as client:
        for number in range(300):
            signal = ("traces", "metrics", "logs")[number % 3]
            body = noise.randbytes(noise.randrange(1, 2000))
            content_type = (PROTO, JSON)[number % 2]
            assert post(victim.http, signal, body, content_type=content_type).status in (200, 400)
            with contextlib.suppress(grpc.RpcError):
                client.send(signal, body)
            encoding = list(ENCODERS)[number % 4]
            answer = post(victim.http, signal, body, headers={"Content-Encoding": encoding})
            assert answer.status in (200, 400, 413, 415)


@pytest.mark.parametrize("name,signal,body", otlp.captures()[:3], ids=[name for name, _, _ in otlp.captures()[:3]])
def test_truncated_protobuf(victim, name, signal, body):
    """The outer length says more than there is: always 400, and never counted as taken."""
    before = victim.metrics().sum("otelcol_receiver_accepted_" + otlp.ITEM[signal])
    with GRPCClient(victim.grpc) as client:
        for end in sorted({*range(1, 60), *range(60, len(body), max(1, len(body) // 100))}):
            assert post(victim.http, signal, body[:end]).status == 400, end
            assert client.failure(signal, body[:end]).code == grpc.StatusCode.INVALID_ARGUMENT, end
    if signal != "traces":
        assert victim.metrics().sum("otelcol_receiver_accepted_" + otlp.ITEM[signal]) == before


def test_damaged_protobuf(victim):
    """Single bytes changed anywhere: taken or refused, as an independent decoder may do either, but answered."""
    noise = random.Random(3)
    for name, signal, body in otlp.captures():
        for _ in range(60):
            damaged = bytearray(body)
            for _ in range(noise.randrange(1, 4)):
                damaged[noise.randrange(len(body))] = noise.randrange(256)
            assert post(victim.http, signal, bytes(damaged)).status in (200, 400)


@pytest.mark.parametrize("length", [b"\x7f", b"\xff\xff\xff\xff\x07", b"\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01",
                                    b"\xff" * 11, b"\x80" * 9])
@pytest.mark.parametrize("prefix", [b"\x0a", b"\x0a\x10\x0a", b"\x0a\x10\x12\x0e\x12"])
def test_wrong_lengths(victim, prefix, length):
    assert post(victim.http, "traces", prefix + length + b"x" * 5).status == 400


@pytest.mark.parametrize("depth", [10_000, 100_000])
def test_deeply_nested_values(victim, depth):
    body = payloads.log_with_body(payloads.nested_value(min(depth, 20_000)))
    answer = post(victim.http, "logs", body)
    assert answer.status == 400 and answer.error().message
    with GRPCClient(victim.grpc) as client:
        assert client.failure("logs", body).code == grpc.StatusCode.INVALID_ARGUMENT
    for opening, closing in (('{"arrayValue":{"values":[', "]}}"), ('{"kvlistValue":{"values":[{"value":', "}]}}")):
        text = ('{"resourceLogs":[{"scopeLogs":[{"logRecords":[{"body":' + opening * depth + "{}" + closing * depth
                + "}]}]}]}")
        assert post(victim.http, "logs", text.encode(), content_type=JSON).status == 400
    for opening, closing in (("[", "]"), ('{"a":', "}")):
        text = '{"unknown":' + opening * depth + "1" + closing * depth + "}"
        assert post(victim.http, "logs", text.encode(), content_type=JSON).status in (200, 400)


def test_moderately_nested_values_are_fine(victim):
    body = payloads.log_with_body(payloads.nested_value(30))
    assert post(victim.http, "logs", body).status == 200


@pytest.mark.parametrize("encoding", ["gzip", "zstd", "snappy", "deflate"])
def test_decompression_bombs(victim, encoding):
    bomb = ENCODERS[encoding](bytes(512 * MEBIBYTE) if encoding != "snappy" else bytes(100 * MEBIBYTE))
    for _ in range(3):
        answer = post(victim.http, "traces", bomb, headers={"Content-Encoding": encoding})
        assert answer.status == 413, answer


def test_a_grpc_bomb(victim):
    with GRPCClient(victim.grpc, grpc.Compression.Gzip) as client:
        failure = client.failure("traces", bytes(256 * MEBIBYTE))
        assert failure.code == grpc.StatusCode.RESOURCE_EXHAUSTED


@pytest.mark.parametrize("length", [b"10000000000", b"9223372036854775807", b"99999999999999999999999", b"-1", b"x"])
def test_huge_and_impossible_content_lengths(victim, length):
    with connected(victim) as connection:
        connection.sendall(
            b"POST /v1/traces HTTP/1.1\r\nHost: x\r\nContent-Type: application/x-protobuf\r\n"
            b"Content-Length: " + length + b"\r\n\r\n" + b"x" * 100)
        answer = connection.recv(65536)
        wanted = b"HTTP/1.1 413" if length.isdigit() and int(length) < 2**63 else b"HTTP/1.1 4"
        assert answer.startswith(wanted), answer


def test_a_huge_header(victim):
    with connected(victim) as connection, contextlib.suppress(ConnectionError):
        connection.sendall(b"POST /v1/traces HTTP/1.1\r\nHost: x\r\n")
        for _ in range(400):
            connection.sendall(b"X-Filler: " + b"x" * 50_000 + b"\r\n")
        answer = read_until_closed(connection)
        assert answer.startswith(b"HTTP/1.1 4"), answer[:100]


class RawGRPC:
    """An HTTP/2 client that sends whatever message bytes it is given, prefix included."""

    def __init__(self, victim):
        self.socket = socket.create_connection(("127.0.0.1", victim.pipeline.grpc), timeout=15)
        self.connection = h2.connection.H2Connection(h2.config.H2Configuration(header_encoding="utf-8"))
        self.connection.initiate_connection()
        self.flush()

    def flush(self):
        self.socket.sendall(self.connection.data_to_send())

    def open(self, headers: dict | None = None) -> int:
        stream = self.connection.get_next_available_stream_id()
        fields = {
            ":method": "POST", ":scheme": "http", ":path": otlp.METHOD["traces"], ":authority": "x",
            "content-type": "application/grpc", "te": "trailers", **(headers or {}),
        }
        self.connection.send_headers(stream, [(key, value) for key, value in fields.items() if value is not None])
        self.flush()
        return stream

    def send(self, stream: int, data: bytes, end: bool = True):
        for start in range(0, len(data), 16_000):
            self.connection.send_data(stream, data[start : start + 16_000])
        if end:
            self.connection.end_stream(stream)
        self.flush()

    def answer(self, stream: int) -> dict[str, str]:
        """All headers and trailers of the stream's answer; `reset` when it or the connection was cut off."""
        found = {}
        while True:
            try:
                data = self.socket.recv(65536)
            except ConnectionError:
                data = b""
            if not data:
                return {**found, "reset": "connection closed"}
            for event in self.connection.receive_data(data):
                if isinstance(event, (h2.events.ResponseReceived, h2.events.TrailersReceived)) \
                        and event.stream_id == stream:
                    found.update(dict(event.headers))
                if isinstance(event, h2.events.StreamReset) and event.stream_id == stream:
                    return {**found, "reset": str(event.error_code)}
                if isinstance(event, h2.events.ConnectionTerminated):
                    return {**found, "reset": "goaway"}
                if isinstance(event, h2.events.StreamEnded) and event.stream_id == stream:
                    return found
            self.flush()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.socket.close()


def test_huge_declared_grpc_length(victim):
    with RawGRPC(victim) as raw:
        stream = raw.open()
        raw.send(stream, b"\x00\xff\xff\xff\xff" + b"x" * 100, end=False)
        assert raw.answer(stream)["grpc-status"] == "8"  # RESOURCE_EXHAUSTED, without waiting for the rest


@pytest.mark.parametrize("message", [b"", b"\x00", b"\x00\x00\x00\x00", b"\x00\x00\x00\x00\x05abc", b"\x02\x00\x00\x00\x00",
                                     b"\x01\x00\x00\x00\x03abc"])
def test_broken_grpc_framing(victim, message):
    with RawGRPC(victim) as raw:
        stream = raw.open()
        raw.send(stream, message)
        answer = raw.answer(stream)
        assert answer.get("grpc-status", "0") != "0" or "reset" in answer, answer


@pytest.mark.parametrize("headers,wanted", [
    ({"content-type": "text/plain"}, (":status", "415")),
    ({"grpc-encoding": "br"}, ("grpc-status", "12")),
    ({":path": "/nothing"}, ("grpc-status", "12")),
])
def test_wrong_grpc_headers(victim, headers, wanted):
    with RawGRPC(victim) as raw:
        stream = raw.open(headers)
        raw.send(stream, b"\x01\x00\x00\x00\x00" if "grpc-encoding" in headers else b"\x00\x00\x00\x00\x00")
        key, value = wanted
        assert raw.answer(stream).get(key) == value


def test_a_grpc_get_is_no_call(victim):
    with RawGRPC(victim) as raw:
        stream = raw.open({":method": "GET"})
        raw.connection.end_stream(stream)
        raw.flush()
        answer = raw.answer(stream)
        assert answer.get(":status") == "405" or answer.get("grpc-status", "0") != "0" or "reset" in answer


def test_streams_opened_and_abandoned(victim):
    """Rapid reset: thousands of streams that are cancelled as soon as they are open."""
    for _ in range(5):
        with RawGRPC(victim) as raw, contextlib.suppress(OSError):
            for _ in range(2000):
                stream = raw.connection.get_next_available_stream_id()
                raw.connection.send_headers(stream, [
                    (":method", "POST"), (":scheme", "http"), (":path", otlp.METHOD["traces"]), (":authority", "x"),
                    ("content-type", "application/grpc")])
                raw.connection.reset_stream(stream)
            raw.flush()


def test_slow_senders_are_cut_off(victim):
    """One byte at a time, in the header and in the body: the timeouts end it, and others are served meanwhile."""
    head = b"POST /v1/traces HTTP/1.1\r\nHost: x\r\nContent-Type: application/x-protobuf\r\nContent-Length: 1000\r\n"
    with contextlib.ExitStack() as stack:
        slow = [stack.enter_context(connected(victim)) for _ in range(40)]
        for number, connection in enumerate(slow):
            connection.sendall(head[:20] if number % 2 else head + b"\r\n")
        closed, deadline = set(), time.monotonic() + 15
        while len(closed) < len(slow):
            assert time.monotonic() < deadline, f"{len(slow) - len(closed)} slow senders are still connected"
            for number, connection in enumerate(slow):
                if number in closed:
                    continue
                try:
                    connection.sendall(b"X" if number % 2 else b"\x00")
                    connection.settimeout(0.001)
                    if connection.recv(1000) == b"":
                        closed.add(number)
                except TimeoutError:
                    pass
                except OSError:
                    closed.add(number)
            time.sleep(0.1)


def test_clients_that_leave_in_the_middle(victim):
    body = payloads.spans(0, 500).SerializeToString()
    head = b"POST /v1/traces HTTP/1.1\r\nHost: x\r\nContent-Type: application/x-protobuf\r\nContent-Length: %d\r\n\r\n"
    for cut in range(0, len(body), len(body) // 50):
        with connected(victim) as connection:
            connection.sendall(head % len(body) + body[:cut])
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\x01\x00\x00\x00\x00\x00\x00\x00")
    for cut in range(0, 2000, 100):
        with RawGRPC(victim) as raw:
            stream = raw.open()
            raw.send(stream, (b"\x00" + len(body).to_bytes(4, "big") + body)[:cut], end=False)


def test_thousands_of_idle_connections(start):
    """Its own process, so that the others are held to the lower limit. Each connection may cost 20 KiB."""
    idle = start({"nop": None})
    count = min(10_000, resource.getrlimit(resource.RLIMIT_NOFILE)[0] - 500)
    with contextlib.ExitStack() as stack:
        for number in range(count):
            connection = socket.socket()
            stack.callback(connection.close)
            connection.settimeout(15)
            connection.connect(("127.0.0.1", idle.pipeline.grpc if number % 2 else idle.pipeline.http))
        good = payloads.traces().SerializeToString()
        for _ in range(20):
            assert post(idle.http, "traces", good).status == 200
            with GRPCClient(idle.grpc) as client:
                client.send("traces", good)
        most = 60 * MEBIBYTE + count * 20 * 1024
        assert idle.memory("VmHWM") < most, f"{idle.memory() / MEBIBYTE:.0f} MiB for {count} idle connections"
    assert idle.stop().is_balanced()


def test_a_body_that_is_gzip_twice(victim):
    body = gzip.compress(gzip.compress(payloads.traces().SerializeToString()))
    assert post(victim.http, "traces", body, headers={"Content-Encoding": "gzip"}).status == 400
    assert post(victim.http, "traces", body, headers={"Content-Encoding": "gzip, gzip"}).status in (200, 400, 415)


def test_the_wrong_protocol_on_each_port(victim):
    """HTTP/1.1 on the gRPC port and HTTP/2 on the HTTP port: answered or closed, never left hanging."""
    with connected(victim, "grpc") as connection:
        connection.sendall(b"POST /v1/traces HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n")
        read_until_closed(connection)
    with connected(victim, "http") as connection:
        connection.sendall(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n")
        assert not read_until_closed(connection).startswith(b"HTTP/1.1 200")
    with connected(victim, "http") as connection:
        connection.sendall(b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + bytes(100))  # TLS on a plain port
        read_until_closed(connection)
