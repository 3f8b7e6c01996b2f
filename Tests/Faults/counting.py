"""Backends that count every item they acknowledge, and behave as badly as they are told to."""

from __future__ import annotations

import socket
import socketserver
import threading
import time
import zlib
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass

import grpc

import sequence
from backends import GRPCBackend, Refusal
from millrace import free_port


@dataclass
class Mood:
    """What happens to one request. Only a whole 200 counts as acknowledged."""

    status: int = 200
    retry_after: str | None = None
    delay: float = 0.0
    cut: str | None = None  # "before" or "within" the answer: the connection is closed


class Counted:
    """The numbers that were acknowledged, in order, and how often each."""

    def __init__(self):
        self.lock = threading.Lock()
        self.arrived: Counter[int] = Counter()
        self.log: list[list[int]] = []  # one entry per acknowledged request
        self.rejected: set[int] = set()  # answered with a status that forbids a retry
        self.attempts = 0
        self.mood: Callable[[int], Mood] = lambda attempt: Mood()

    def next_mood(self) -> Mood:
        with self.lock:
            self.attempts += 1
            attempt = self.attempts
        return self.mood(attempt)

    def acknowledge(self, numbers: list[int]):
        with self.lock:
            self.arrived.update(numbers)
            self.log.append(numbers)

    def reject(self, numbers: list[int]):
        with self.lock:
            self.rejected.update(numbers)

    @property
    def requests(self) -> int:
        with self.lock:
            return len(self.log)

    @property
    def distinct(self) -> int:
        with self.lock:
            return len(self.arrived)

    def missing(self, wanted: set[int]) -> set[int]:
        with self.lock:
            return wanted - self.arrived.keys()

    def __enter__(self):
        self.start()
        return self

    def __exit__(self, *_):
        self.stop()


class HTTPCounter(Counted):
    """An OTLP/HTTP server that can be stopped and started again on its port."""

    def __init__(self):
        super().__init__()
        self.port = free_port()
        self.server = None

    @property
    def endpoint(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def start(self):
        counter = self

        class Handler(socketserver.StreamRequestHandler):
            disable_nagle_algorithm = True

            def handle(self):
                while (request := self._read()) is not None:
                    mood = counter.next_mood()
                    if mood.delay:
                        time.sleep(mood.delay)
                    numbers = sequence.numbers(request)
                    if mood.cut:
                        if mood.cut == "within":
                            self.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Type: application/x-protobuf\r\nContent-Le")
                        return
                    if mood.status == 200:
                        counter.acknowledge(numbers)
                    elif mood.status == 400:
                        counter.reject(numbers)
                    header = f"Retry-After: {mood.retry_after}\r\n" if mood.retry_after else ""
                    self.wfile.write(
                        f"HTTP/1.1 {mood.status} Said\r\nContent-Type: application/x-protobuf\r\n{header}"
                        "Content-Length: 0\r\n\r\n".encode())

            def _read(self) -> bytes | None:
                if not self.rfile.readline():
                    return None
                headers = {}
                while (line := self.rfile.readline().strip()):
                    key, _, value = line.partition(b":")
                    headers[key.lower()] = value.strip()
                if b"chunked" in headers.get(b"transfer-encoding", b""):
                    body = b""
                    while size := int(self.rfile.readline().split(b";")[0], 16):
                        body += self.rfile.read(size)
                        self.rfile.readline()
                    self.rfile.readline()
                else:
                    length = int(headers.get(b"content-length", 0))
                    body = self.rfile.read(length)
                    if len(body) < length:
                        return None
                return zlib.decompress(body, 47) if b"gzip" in headers.get(b"content-encoding", b"") else body

        class Server(socketserver.ThreadingTCPServer):
            daemon_threads, allow_reuse_address, request_queue_size = True, True, 128

            def process_request(self, request, address):
                counter.connections.append(request)
                super().process_request(request, address)

            def handle_error(self, *_):
                pass

        self.connections: list[socket.socket] = []
        self.server = Server(("127.0.0.1", self.port), Handler)
        threading.Thread(target=self.server.serve_forever, args=(0.02,), daemon=True).start()

    def stop(self):
        if not self.server:
            return
        self.server.shutdown()
        self.server.server_close()
        self.server = None
        for connection in self.connections:
            try:
                connection.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass


class GRPCCounter(Counted, GRPCBackend):
    """An OTLP/gRPC server that can be stopped and started again on its port."""

    def __init__(self):
        Counted.__init__(self)
        self.port = free_port()
        self.server = None
        self.answer = self._answer

    def _answer(self, received):
        mood = self.next_mood()
        if mood.delay:
            time.sleep(mood.delay)
        if mood.status != 200:
            if mood.status == 400:
                self.reject(sequence.numbers(received.body))
            code = {400: grpc.StatusCode.INVALID_ARGUMENT, 429: grpc.StatusCode.RESOURCE_EXHAUSTED}.get(
                mood.status, grpc.StatusCode.UNAVAILABLE)
            raise Refusal(code, retry_after=float(mood.retry_after) if mood.retry_after else None)
        return None

    def record(self, received):
        self.acknowledge(sequence.numbers(received.body))
