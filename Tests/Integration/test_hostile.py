"""Floods and hoarders against the real process: each is ended and counted, memory stays small, good traffic goes on."""

import contextlib
import socket
import struct
import threading
import time

import pytest

import payloads
from client import GRPCClient, post
from millrace import until

MEBIBYTE = 1 << 20
PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
GOAWAY = 7


def frame(kind: int, flags: int, stream: int, payload: bytes = b"") -> bytes:
    return struct.pack(">I", len(payload))[1:] + bytes((kind, flags)) + struct.pack(">I", stream) + payload


def literal(name: str, value: str) -> bytes:
    """One header as HPACK's literal without indexing, both texts shorter than 127 bytes."""
    return b"\0" + bytes((len(name),)) + name.encode() + bytes((len(value),)) + value.encode()


SETTINGS = frame(4, 0, 0)
SETTINGS_ACK = frame(4, 1, 0)
HEAD = b"".join(
    literal(*pair) for pair in (
        (":method", "POST"), (":scheme", "http"), (":authority", "a"),
        (":path", "/opentelemetry.proto.collector.trace.v1.TraceService/Export"),
        ("content-type", "application/grpc"), ("te", "trailers"),
    ))
BOMB = HEAD + b"\x40\x01b\x7f\xb9\x16" + b"a" * 3000 + b"\xbe" * 12_000

FLOODS = {
    "rapid reset": ("resets", b"".join(
        frame(1, 4, stream, HEAD) + frame(3, 0, stream, b"\0\0\0\x08") for stream in range(1, 8001, 2))),
    "ping": ("control_frames", frame(6, 0, 0, b"12345678") * 20_000),
    "settings": ("control_frames", frame(4, 0, 0, b"\0\4\0\0\x10\0") * 20_000),
    "window updates": ("control_frames", frame(8, 0, 0, b"\0\0\0\1") * 20_000),
    "empty data": ("control_frames", frame(1, 4, 1, HEAD) + frame(0, 0, 1) * 20_000),
    "small continuations": ("control_frames", frame(1, 0, 1, HEAD) + frame(9, 0, 1) * 20_000),
    "endless continuation": ("headers", frame(1, 0, 1, HEAD) + frame(9, 0, 1, bytes(16_384)) * 100),
    "header bomb": ("headers", frame(1, 4, 1, BOMB) * 50),
}


def open_http2(port: int) -> socket.socket:
    connection = socket.create_connection(("127.0.0.1", port), timeout=20)
    connection.sendall(PREFACE + SETTINGS + SETTINGS_ACK)
    return connection


def frames_until_closed(connection) -> list[int]:
    """The kinds of the frames that come until the server closes."""
    data = b""
    with contextlib.suppress(ConnectionError):
        while part := connection.recv(65536):
            data += part
    kinds = []
    while len(data) >= 9:
        kinds.append(data[3])
        data = data[9 + int.from_bytes(data[:3], "big"):]
    return kinds


def refusals(millrace, reason: str, transport: str = "grpc") -> float:
    return millrace.metrics().sum("millrace_server_refusals", transport=transport, reason=reason)


def assert_serves(millrace):
    good = payloads.traces().SerializeToString()
    with GRPCClient(millrace.grpc) as client:
        client.send("traces", good, timeout=15)
    assert post(millrace.http, "traces", good, timeout=15).status == 200


@pytest.mark.parametrize("name", FLOODS)
def test_floods_end_and_others_are_served(start, name):
    millrace = start({"nop": None})
    reason, flood = FLOODS[name]
    endings = []

    def attack():
        with contextlib.closing(open_http2(millrace.pipeline.grpc)) as connection:
            with contextlib.suppress(OSError):
                connection.sendall(flood)
            endings.append(GOAWAY in frames_until_closed(connection))

    attackers = [threading.Thread(target=attack) for _ in range(20)]
    for attacker in attackers:
        attacker.start()
    assert_serves(millrace)
    for attacker in attackers:
        attacker.join(30)
    assert endings == [True] * 20
    assert refusals(millrace, reason) == 20
    assert_serves(millrace)
    most = millrace.memory("VmHWM")
    assert most < 128 * MEBIBYTE, f"{most / MEBIBYTE:.0f} MiB"
    until(lambda: millrace.metrics().sum("millrace_server_connections", transport="grpc") == 0)
    assert millrace.stop().is_balanced()


def test_connections_over_the_limit(start):
    millrace = start({"nop": None}, grpc_settings={"limits": {"max_connections": 20}})
    with contextlib.ExitStack() as stack:
        kept = [stack.enter_context(open_http2(millrace.pipeline.grpc)) for _ in range(20)]
        until(lambda: millrace.metrics().sum("millrace_server_connections", transport="grpc") == 20)
        for _ in range(100):
            with contextlib.closing(socket.create_connection(("127.0.0.1", millrace.pipeline.grpc), 20)) as late:
                with contextlib.suppress(ConnectionError):
                    assert late.recv(100) == b""
        assert refusals(millrace, "connections") == 100
        for connection in kept:
            connection.settimeout(20)
            connection.sendall(frame(6, 0, 0, b"12345678"))
            assert connection.recv(1000)
    until(lambda: millrace.metrics().sum("millrace_server_connections", transport="grpc") == 0)
    assert_serves(millrace)
    assert sum("too many connections" in str(record) for record in millrace.log_records) == 1


def test_ten_thousand_idle_http2_connections(start):
    millrace = start({"nop": None})
    before = millrace.memory()
    with contextlib.ExitStack() as stack:
        for _ in range(9_900):
            stack.enter_context(open_http2(millrace.pipeline.grpc))
        until(lambda: millrace.metrics().sum("millrace_server_connections", transport="grpc") == 9_900)
        time.sleep(1)
        held = millrace.memory()
        print(f"{(held - before) / 9_900 / 1024:.1f} KiB per connection, {held / MEBIBYTE:.0f} MiB")
        assert held < 300 * MEBIBYTE
        assert_serves(millrace)


def test_answers_nobody_has_room_for(start):
    """A window of zero: the answers stay here, so the streams stay open, and soon there are no more."""
    millrace = start(
        {"nop": None}, grpc_settings={"limits": {"write_timeout": "1s"}, "max_concurrent_streams": 100})
    empty = bytes(5)
    with contextlib.closing(open_http2(millrace.pipeline.grpc)) as connection:
        connection.sendall(frame(4, 0, 0, b"\0\4\0\0\0\0"))
        for stream in range(1, 201, 2):
            connection.sendall(frame(1, 4, stream, HEAD) + frame(0, 1, stream, empty))
        assert GOAWAY in frames_until_closed(connection)
    assert refusals(millrace, "slow_reader") == 1
    assert_serves(millrace)
