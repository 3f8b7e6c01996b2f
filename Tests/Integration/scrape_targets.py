"""Targets that answer as a test says, well or badly."""

from __future__ import annotations

import socket
import struct
import threading
import time
from collections import defaultdict
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

TEXT = "text/plain; version=0.0.4; charset=utf-8"
OPEN_METRICS = "application/openmetrics-text; version=1.0.0; charset=utf-8"


def reply(body: bytes | str = b"", type: str | None = TEXT, status: int = 200, **headers):
    """An answer; `content_encoding="gzip"` and the like become header fields."""
    body = body.encode() if isinstance(body, str) else body

    def answer(request):
        request.send_response(status)
        if type is not None:
            request.send_header("Content-Type", type)
        for name, value in headers.items():
            request.send_header(name.replace("_", "-"), value)
        request.send_header("Content-Length", str(len(body)))
        request.end_headers()
        request.wfile.write(body)

    return answer


def endless(line: bytes):
    """A body that goes on until the other side has had enough."""
    def answer(request):
        request.send_response(200)
        request.send_header("Content-Type", TEXT)
        request.end_headers()
        request.close_connection = True
        block = line * (65536 // len(line))
        while True:
            request.wfile.write(block)

    return answer


def slow(seconds: float):
    """Half of an answer, and the rest too late."""
    def answer(request):
        request.send_response(200)
        request.send_header("Content-Type", TEXT)
        request.send_header("Content-Length", "4")
        request.end_headers()
        request.wfile.write(b"a ")
        request.server.closing.wait(seconds)
        request.wfile.write(b"1\n")

    return answer


def reset(request):
    """The connection breaks in the middle of the answer."""
    request.send_response(200)
    request.send_header("Content-Type", TEXT)
    request.send_header("Content-Length", "1000")
    request.end_headers()
    request.wfile.write(b"victim 1\n")
    request.wfile.flush()
    time.sleep(0.02)
    request.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    request.connection.close()
    request.close_connection = True


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128

    def handle_error(self, request, client_address):
        """The other side has hung up: that is what some tests are about."""


class Targets:
    """A server; every path is a target with an answer of its own. `requests[path]` are the headers it was asked with."""

    def __init__(self, tls=None):
        self.answers = {}
        self.requests = defaultdict(list)
        targets = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self):
                path = self.path.partition("?")[0]
                targets.requests[path].append((self.path, self.headers))
                targets.answers.get(path, reply(status=404))(self)

            def log_message(self, *_):
                pass

        self.server = _Server(("127.0.0.1", 0), Handler)
        self.server.closing = threading.Event()
        self.address = f"127.0.0.1:{self.server.server_port}"
        if tls:
            self.server.socket = tls.wrap_socket(self.server.socket, server_side=True, do_handshake_on_connect=False)

    def __setitem__(self, path: str, answer):
        """Takes an exposition's text, or a function that answers."""
        self.answers[path] = reply(answer) if isinstance(answer, (str, bytes)) else answer

    def job(self, name: str, **settings) -> dict:
        """A job that scrapes the path of its name."""
        return {"job_name": name, "metrics_path": f"/{name}",
                "static_configs": [{"targets": [self.address]}], **settings}

    def __enter__(self):
        threading.Thread(target=self.server.serve_forever, args=(0.02,), daemon=True).start()
        return self

    def __exit__(self, *_):
        self.server.closing.set()
        self.server.shutdown()
        self.server.server_close()
