"""Jaeger as independent implementations see it: messages from PyPI's descriptors, Thrift structures from PyPI's module.

Both come with OpenTelemetry's last Jaeger exporters, in an environment of their own (`.ci/install test`): their generated
code is too old for today's protobuf, so descriptors are read out of its text, and Thrift runs in that environment.
"""

from __future__ import annotations

import ast
import json
import subprocess
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import grpc
from google.protobuf import any_pb2, descriptor_pb2, descriptor_pool, duration_pb2, message_factory, struct_pb2, timestamp_pb2

from backends import Received, Recorder, Refusal
from millrace import REPOSITORY

ENVIRONMENT = REPOSITORY / ".build/venv-exporters"
PYTHON = ENVIRONMENT / "bin/python"
APPLICATIONS = Path(__file__).parent / "applications"
METHOD = "/jaeger.api_v2.CollectorService/PostSpans"


def _serialized_files() -> dict[str, descriptor_pb2.FileDescriptorProto]:
    """The descriptors that the generated modules hold as byte strings."""
    folder = next(ENVIRONMENT.glob("lib/python3*/site-packages/opentelemetry/exporter/jaeger/proto/grpc/gen"))
    files = {}
    for path in folder.rglob("*_pb2.py"):
        for call in ast.walk(ast.parse(path.read_text())):
            for keyword in call.keywords if isinstance(call, ast.Call) else ():
                if keyword.arg == "serialized_pb":
                    literal = keyword.value.args[0] if isinstance(keyword.value, ast.Call) else keyword.value
                    value = literal.value
                    content = value.encode("latin1") if isinstance(value, str) else value
                    file = descriptor_pb2.FileDescriptorProto.FromString(content)
                    files[file.name] = file
    for module in (any_pb2, duration_pb2, struct_pb2, timestamp_pb2, descriptor_pb2):
        file = descriptor_pb2.FileDescriptorProto.FromString(module.DESCRIPTOR.serialized_pb)
        files[file.name] = file
    return files


def _messages():
    files, pool, added = _serialized_files(), descriptor_pool.DescriptorPool(), set()

    def add(name: str):
        if name in added:
            return
        added.add(name)
        for dependency in files[name].dependency:
            add(dependency)
        pool.AddSerializedFile(files[name].SerializeToString())

    for name in list(files):
        add(name)

    def message(name: str):
        return message_factory.GetMessageClass(pool.FindMessageTypeByName(f"jaeger.api_v2.{name}"))

    return message("PostSpansRequest"), message("PostSpansResponse")


PostSpansRequest, PostSpansResponse = _messages()


class JaegerCollector(Recorder):
    """A server of `CollectorService`; `answer(received)` may raise `Refusal`. A refused request is not recorded."""

    @property
    def endpoint(self) -> str:
        return f"127.0.0.1:{self.port}"

    def start(self):
        self.server = grpc.server(ThreadPoolExecutor(16), options=[("grpc.so_reuseport", 0)])
        service, name = METHOD.strip("/").split("/")
        handler = grpc.unary_unary_rpc_method_handler(
            self._post_spans, response_serializer=PostSpansResponse.SerializeToString)
        self.server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler(service, {name: handler}),))
        assert self.server.add_insecure_port(self.endpoint) == self.port
        self.server.start()

    def _post_spans(self, body: bytes, context):
        headers = dict(context.invocation_metadata())
        received = Received("traces", body, headers, METHOD, time.monotonic())
        try:
            self.answer(received)
        except Refusal as refusal:
            refusal.abort(context)
        self.record(received)
        return PostSpansResponse()

    def stop(self):
        if self.server:
            self.server.stop(0).wait()
            self.server = None

    @property
    def batches(self) -> list:
        with self.lock:
            return [PostSpansRequest.FromString(received.body).batch for received in self.requests]

    @property
    def spans(self) -> list:
        return [span for batch in self.batches for span in batch.spans]


def tags(entries) -> dict:
    """Tags of the protobuf form as a dictionary."""
    field = {0: "v_str", 1: "v_bool", 2: "v_int64", 3: "v_float64", 4: "v_binary"}
    found = {entry.key: getattr(entry, field[entry.v_type]) for entry in entries}
    assert len(found) == len(entries), f"keys that occur twice: {[entry.key for entry in entries]}"
    return found


def thrift_batch(body: bytes) -> dict:
    """A Thrift batch as PyPI's module reads it."""
    answer = subprocess.run(
        [PYTHON, APPLICATIONS / "read_thrift.py"], input=body, capture_output=True, timeout=30)
    assert answer.returncode == 0, answer.stderr.decode()
    return json.loads(answer.stdout)


def export(kind: str, endpoint: str, **options):
    """Sends the spans of `applications/export_spans.py` with a real exporter; returns what it sent."""
    answer = subprocess.run(
        [PYTHON, "-W", "ignore", APPLICATIONS / "export_spans.py", kind, endpoint, json.dumps(options)],
        stdin=subprocess.DEVNULL, capture_output=True, timeout=60, text=True)
    assert answer.returncode == 0, answer.stderr
    return json.loads(answer.stdout)
