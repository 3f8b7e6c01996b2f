"""Memory stays within what is configured, whatever comes in and however long the backend is away."""

from __future__ import annotations

import contextlib
import http.client
import os
import socket
import threading
import time
from collections import Counter

import pytest

import otlp
import payloads
from client import PROTO, GRPCClient, post
from millrace import free_port, until
from test_delivery import INSECURE

MEBIBYTE = 1 << 20
DOWN = float(os.environ.get("MEMORY_OUTAGE_SECONDS", "5"))
SLACK = 30 * MEBIBYTE


class Load:
    """Threads that post a body again and again, as clients that do not give up do."""

    def __init__(self, millrace, body: bytes, threads: int = 4, headers: dict | None = None, pause: float = 0.0):
        self.answers = Counter()
        self.refusals = []
        self._stop = threading.Event()
        self._lock = threading.Lock()
        self._port, self._body, self._pause = millrace.pipeline.http, body, pause
        self._headers = {"Content-Type": PROTO, **(headers or {})}
        self._threads = [threading.Thread(target=self._run) for _ in range(threads)]

    def _run(self):
        connection = http.client.HTTPConnection("127.0.0.1", self._port, timeout=30)
        while not self._stop.is_set():
            try:
                connection.request("POST", otlp.PATH["traces"], self._body, self._headers)
                reply = connection.getresponse()
                reply.read()
                status, retry = reply.status, reply.getheader("Retry-After")
            except OSError:
                connection.close()
                status, retry = 0, None
            with self._lock:
                self.answers[status] += 1
                if status not in (0, 200):
                    self.refusals.append(retry)
            if status != 200 or self._pause:
                self._stop.wait(self._pause or 0.02)
        connection.close()

    def __enter__(self):
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_):
        self._stop.set()
        for thread in self._threads:
            thread.join()


def readings(millrace, seconds: float, every: float = 0.25) -> list[int]:
    """Resident memory for a while."""
    end, found = time.monotonic() + seconds, []
    while time.monotonic() < end:
        found.append(millrace.memory())
        time.sleep(every)
    return found


def down(**queue) -> dict:
    return {"otlp_http": {
        "endpoint": f"http://127.0.0.1:{free_port()}", "tls": INSECURE, "sending_queue": queue,
        "retry_on_failure": {"initial_interval": "200ms", "max_interval": "1s", "max_elapsed_time": "0s"}}}


BODIES = {
    # name: spans per request, bytes of padding per span
    "small": (20, 0), "usual": (500, 200), "large": (4000, 800), "one-span": (1, 1_100_000),
}


@pytest.mark.parametrize(("body", "batch"), [
    ("small", False), ("large", False), ("one-span", False), ("usual", True), ("large", True)])
def test_a_full_memory_queue_holds_no_more_than_it_says(start, body, batch):
    limit = 64 * MEBIBYTE
    millrace = start(
        down(sizer="bytes", queue_size=limit), {"batch": {}} if batch else {}, signals=("traces",),
        arguments=("--shutdown-timeout", "1"))
    count, padding = BODIES[body]
    request = payloads.spans(0, count, padding=padding).SerializeToString()
    idle = millrace.memory()
    with Load(millrace, request) as load:
        until(lambda: set(load.answers) - {0, 200}, timeout=120, what="a refusal")
        time.sleep(1)
        held = readings(millrace, DOWN)
    assert load.answers[503] > 0 and set(load.answers) <= {0, 200, 503}, load.answers
    assert all(int(retry) >= 1 for retry in load.refusals)
    size = millrace.metrics().sum("otelcol_exporter_queue_size")
    print(f"\n{body} {'batch' if batch else 'plain'}: queue {size / MEBIBYTE:.1f} MiB, resident "
          f"{held[0] / MEBIBYTE:.1f} … {held[-1] / MEBIBYTE:.1f}, most {max(held) / MEBIBYTE:.1f} MiB, "
          f"high water {millrace.memory('VmHWM') / MEBIBYTE:.1f}, {dict(load.answers)}")
    # A request, or a batch of 4 MB, may find no room where the last one did.
    assert limit >= size >= limit - max(len(request), 4 * MEBIBYTE) - MEBIBYTE
    # What the clients are just sending, and what stands in and before `batch`, have bounds of their own.
    around = 4 * len(request) + (8 * MEBIBYTE if batch else 0)
    assert max(held) <= idle + limit + around + SLACK
    third = len(held) // 3
    assert max(held[-third:]) <= max(held[:third]) + 8 * MEBIBYTE, "it grows while it lasts"
    assert millrace.stop().is_balanced()


def test_the_default_queue_is_bounded_in_bytes(start):
    """1000 requests could be any number of bytes: the default queue ends at 256 MiB as well."""
    millrace = start(down(), {"batch": {}}, signals=("traces",), arguments=("--shutdown-timeout", "1"))
    request = payloads.spans(0, 2000, padding=500).SerializeToString()
    with Load(millrace, request) as load:
        until(lambda: load.answers[503], timeout=180, what="a refusal")
        time.sleep(2)
        held = readings(millrace, DOWN)
    print(f"\ndefault: {held[0] / MEBIBYTE:.1f} … {held[-1] / MEBIBYTE:.1f}, high water "
          f"{millrace.memory('VmHWM') / MEBIBYTE:.1f} MiB, {dict(load.answers)}")
    assert max(held) <= 256 * MEBIBYTE + SLACK
    third = len(held) // 3
    assert max(held[-third:]) <= max(held[:third]) + 8 * MEBIBYTE, "it grows while it lasts"
    assert millrace.stop().is_balanced()


def test_a_memory_limiter_refuses_before_reading_and_recovers(start, http_backend):
    http_backend.stop()
    millrace = start(
        {"otlp_http": {
            "endpoint": http_backend.endpoint, "tls": INSECURE, "sending_queue": {"queue_size": 100_000},
            "retry_on_failure": {"initial_interval": "100ms", "max_interval": "300ms", "max_elapsed_time": "0s"}}},
        {"memory_limiter": {"check_interval": "100ms", "limit_mib": 120, "spike_limit_mib": 20}},
        signals=("traces",))
    body = payloads.spans(0, 500, padding=500).SerializeToString()
    with Load(millrace, body) as load:
        until(lambda: load.answers[503], timeout=60, what="a refusal")
        time.sleep(1)
        accepted = load.answers[200]
        held = readings(millrace, 5)
        # A gate that is closed from the head on: the body of a large request is never read.
        gate = millrace.metrics()
        with socket.create_connection(("127.0.0.1", millrace.pipeline.http), timeout=10) as raw:
            raw.sendall(
                f"POST {otlp.PATH['traces']} HTTP/1.1\r\nHost: a\r\nContent-Type: {PROTO}\r\n"
                "Content-Length: 20000000\r\n\r\n".encode())
            answer = raw.recv(65536)
        assert answer.startswith(b"HTTP/1.1 503") and b"Retry-After: 1\r\n" in answer, answer
        with GRPCClient(millrace.grpc) as client:
            failure = client.failure("traces", body)
        assert failure.code.name == "UNAVAILABLE" and failure.retry_after == 1, failure.message
        assert "memory_limiter" in failure.message
    assert max(held) <= 120 * MEBIBYTE
    assert gate.sum("millrace_memory_limiter_refusing") == 1
    assert gate.sum("millrace_server_refusals", reason="gate") > 0
    assert all(int(retry) >= 1 for retry in load.refusals)
    http_backend.start()
    until(lambda: post(millrace.http, "traces", body).status == 200, timeout=60, what="the limiter to open",
          every=0.5)
    until(lambda: millrace.metrics().sum("millrace_memory_limiter_refusing") == 0, what="the gauge to fall")
    until(lambda: millrace.metrics().sum("otelcol_exporter_queue_size") == 0, timeout=60, what="the queue to drain")
    logs = [record.get("msg", record.get("message", "")) for record in millrace.log_records]
    changes = [text for text in logs if "memory use is" in text]
    assert any("above" in text for text in changes) and any("below" in text for text in changes), logs
    assert len(changes) < 60, "it says so at changes only"
    sheet = millrace.stop()
    assert sheet.is_balanced() and sheet.items("traces", "dropped") == 0
    assert sheet.items("traces", "delivered") >= accepted * 500


def test_many_large_bodies_over_two_receivers_stay_within_the_bound_of_the_process(tmp_path, start):
    """Half of each body is sent, over more connections than the bound has room for."""
    limit = 64 * MEBIBYTE
    millrace = start(
        {"nop": {}}, signals=("traces",), second_receiver=True, service={"memory": {"request_limit": "64MiB"}})
    idle = millrace.memory()
    ports = [millrace.pipeline.http, millrace.pipeline.second_http]
    half = os.urandom(8 * MEBIBYTE)
    head = (f"POST {otlp.PATH['traces']} HTTP/1.1\r\nHost: a\r\nContent-Type: {PROTO}\r\n"
            f"Content-Length: {2 * len(half)}\r\n\r\n").encode()
    sockets, refused = [], 0
    try:
        for number in range(24):
            peer = socket.create_connection(("127.0.0.1", ports[number % 2]), timeout=10)
            sockets.append(peer)
            with contextlib.suppress(OSError):
                peer.sendall(head + half)
        time.sleep(1)
        metrics = millrace.metrics()
        held = metrics.sum("millrace_request_bytes")
        for peer in sockets:
            peer.setblocking(False)
            with contextlib.suppress(OSError):
                refused += peer.recv(64).startswith(b"HTTP/1.1 503")
        print(f"\nheld {held / MEBIBYTE:.1f} MiB, refused {refused}, resident {millrace.memory() / MEBIBYTE:.1f}, "
              f"idle {idle / MEBIBYTE:.1f}, most {millrace.memory('VmHWM') / MEBIBYTE:.1f}")
        assert metrics.sum("millrace_request_limit_bytes") == limit
        assert 0 < held <= limit
        assert refused >= 10
        assert millrace.memory("VmHWM") <= idle + limit + SLACK
        assert post(millrace.http, "traces", payloads.spans(0, 1).SerializeToString()).status in (200, 503)
    finally:
        for peer in sockets:
            peer.close()
    until(lambda: millrace.metrics().sum("millrace_request_bytes") == 0, what="the bytes to be given back")
    assert post(millrace.http, "traces", payloads.spans(0, 1).SerializeToString()).status == 200
    assert millrace.stop().is_balanced()
