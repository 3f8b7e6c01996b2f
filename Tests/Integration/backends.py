"""OTLP servers that record what they are sent and answer as told."""

from __future__ import annotations

import threading
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import grpc
from google.protobuf import any_pb2
from google.rpc import error_details_pb2, status_pb2

import otlp
from client import JSON, PROTO, decoded
from millrace import free_port

_SIGNAL_OF_PATH = {path: signal for signal, path in otlp.PATH.items()}


@dataclass
class Received:
    signal: str
    body: bytes  # decompressed, as sent otherwise
    headers: dict[str, str]
    path: str
    at: float  # monotonic seconds

    def message(self):
        if self.headers.get("content-type") == JSON:
            return otlp.from_json(self.signal, self.body)
        return otlp.decode(self.signal, self.body)


@dataclass
class Reply:
    """An HTTP answer."""

    status: int = 200
    body: bytes = b""
    headers: tuple = ()
    content_type: str = PROTO


class Recorder:
    """What both kinds of server share: the record, and `answer(received)` to be replaced by tests."""

    def __init__(self, port: int | None = None):
        self.port = port or free_port()
        self.requests: list[Received] = []
        self.lock = threading.Lock()
        self.answer = lambda received: None
        self.server = None
        self.start()

    def record(self, received: Received):
        with self.lock:
            self.requests.append(received)

    def messages(self, signal: str) -> list:
        with self.lock:
            requests = list(self.requests)
        return [received.message() for received in requests if received.signal == signal]

    def items(self, signal: str):
        return otlp.items(signal, *self.messages(signal))

    def count(self, signal: str) -> int:
        return otlp.count(signal, *self.messages(signal))

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stop()


class HTTPBackend(Recorder):
    """`answer(received)` returns a `Reply`, or None for an empty 200. A refused request is not recorded."""

    @property
    def endpoint(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def start(self):
        backend = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self):
                body = self.read_body()
                headers = {key.lower(): value for key, value in self.headers.items()}
                body = decoded(headers.get("content-encoding"), body)
                signal = _SIGNAL_OF_PATH.get(self.path, self.path.rsplit("/", 1)[-1])
                received = Received(signal, body, headers, self.path, time.monotonic())
                reply = backend.answer(received) or Reply(content_type=headers.get("content-type", PROTO))
                if reply.status == 200:
                    backend.record(received)
                content = reply.body or (b"{}" if reply.content_type == JSON and reply.status == 200 else b"")
                self.send_response(reply.status)
                for key, value in reply.headers:
                    self.send_header(key, value)
                self.send_header("Content-Type", reply.content_type)
                self.send_header("Content-Length", str(len(content)))
                self.end_headers()
                self.wfile.write(content)

            def read_body(self) -> bytes:
                if "chunked" not in self.headers.get("Transfer-Encoding", ""):
                    return self.rfile.read(int(self.headers.get("Content-Length", 0)))
                body = b""
                while size := int(self.rfile.readline().split(b";")[0], 16):
                    body += self.rfile.read(size)
                    self.rfile.readline()
                self.rfile.readline()
                return body

            def log_message(self, *_):
                pass

        class Server(ThreadingHTTPServer):
            daemon_threads = True
            request_queue_size = 128

            def process_request(self, request, address):
                with backend.lock:
                    backend.connections.append(request)
                super().process_request(request, address)

            def handle_error(self, *_):
                pass

        self.connections = []
        self.server = Server(("127.0.0.1", self.port), Handler)
        threading.Thread(target=self.server.serve_forever, args=(0.05,), daemon=True).start()

    def stop(self):
        if not self.server:
            return
        self.server.shutdown()
        self.server.server_close()
        self.server = None
        for connection in self.connections:
            try:
                connection.shutdown(2)
            except OSError:
                pass


class GRPCBackend(Recorder):
    """`answer(received)` returns response bytes, None for an empty response, or raises `Refusal`."""

    credentials: grpc.ServerCredentials | None = None

    @property
    def endpoint(self) -> str:
        return f"127.0.0.1:{self.port}"

    def start(self):
        self.server = grpc.server(
            ThreadPoolExecutor(16),
            options=[("grpc.max_receive_message_length", -1), ("grpc.so_reuseport", 0)],
        )
        for signal, method in otlp.METHOD.items():
            service, name = method.strip("/").split("/")
            handler = grpc.unary_unary_rpc_method_handler(self._handler(signal, method))
            self.server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler(service, {name: handler}),))
        address = f"127.0.0.1:{self.port}"
        bound = (
            self.server.add_secure_port(address, self.credentials) if self.credentials
            else self.server.add_insecure_port(address)
        )
        assert bound == self.port
        self.server.start()

    def _handler(self, signal: str, method: str):
        def handle(body: bytes, context) -> bytes:
            headers = {key: value for key, value in context.invocation_metadata()}
            received = Received(signal, body, headers, method, time.monotonic())
            try:
                reply = self.answer(received) or b""
            except Refusal as refusal:
                refusal.abort(context)
            self.record(received)
            return reply

        return handle

    def stop(self):
        if self.server:
            self.server.stop(0).wait()
            self.server = None


class Refusal(Exception):
    """A gRPC error answer, with RetryInfo when `retry_after` seconds are given."""

    def __init__(self, code: grpc.StatusCode, message: str = "refused by the test", retry_after: float | None = None):
        super().__init__(message)
        self.code, self.message, self.retry_after = code, message, retry_after

    def abort(self, context):
        if self.retry_after is not None:
            info = error_details_pb2.RetryInfo()
            info.retry_delay.FromNanoseconds(int(self.retry_after * 1e9))
            detail = any_pb2.Any()
            detail.Pack(info)
            status = status_pb2.Status(code=self.code.value[0], message=self.message, details=[detail])
            context.set_trailing_metadata((("grpc-status-details-bin", status.SerializeToString()),))
        context.abort(self.code, self.message)
