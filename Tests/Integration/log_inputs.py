"""The receivers of log records in the real binary, in front of an OTLP backend, without an OTLP receiver."""

from __future__ import annotations

import contextlib
from dataclasses import dataclass, field
from pathlib import Path

import yaml

from backends import HTTPBackend
from millrace import Millrace, free_port

FAST = {"initial_interval": "50ms", "max_interval": "200ms"}


class LogInputs(Millrace):
    """Receives as told, and sends to `backend` without a queue: what the backend refuses, the receiver hears of."""

    def __init__(self, folder: Path, receivers: dict, backend: HTTPBackend, extensions: dict | None = None,
                 processors: dict | None = None, **delivery):
        super().__init__(
            _Document(receivers, backend.endpoint, extensions or {}, processors or {}, delivery), folder)

    def _is_listening(self) -> bool:
        assert self.process.poll() is None, f"millrace ended with {self.process.returncode}"
        with contextlib.suppress(OSError):
            return self.health()[0] == 200
        return False


@dataclass
class _Document:
    receivers: dict
    endpoint: str
    extensions: dict
    processors: dict
    delivery: dict
    metrics: int = field(default_factory=free_port)
    health: int = field(default_factory=free_port)

    def text(self) -> str:
        exporter = {
            "endpoint": self.endpoint, "sending_queue": {"enabled": False}, "retry_on_failure": {"enabled": False},
            **self.delivery}
        return yaml.safe_dump({
            "receivers": self.receivers, "processors": self.processors, "exporters": {"otlp_http": exporter},
            "extensions": {"health_check": {"endpoint": f"127.0.0.1:{self.health}"}, **self.extensions},
            "service": {
                "extensions": ["health_check", *self.extensions],
                "telemetry": {
                    "logs": {"encoding": "json"},
                    "metrics": {"readers": [
                        {"pull": {"exporter": {"prometheus": {"host": "127.0.0.1", "port": self.metrics}}}}]},
                },
                "pipelines": {"logs": {
                    "receivers": list(self.receivers), "processors": list(self.processors),
                    "exporters": ["otlp_http"]}},
            },
        }, sort_keys=False)


@dataclass
class Record:
    body: object
    attributes: dict
    resource: dict
    severity: str
    time: int


def value(any_value):
    kind = any_value.WhichOneof("value")
    match kind:
        case "array_value":
            return [value(each) for each in any_value.array_value.values]
        case "kvlist_value":
            return {each.key: value(each.value) for each in any_value.kvlist_value.values}
        case None:
            return None
    return getattr(any_value, kind)


def records(backend) -> list[Record]:
    """All that the backend has taken, in the order it came."""
    return [
        Record(value(record.body), {each.key: value(each.value) for each in record.attributes},
               {each.key: value(each.value) for each in resource.resource.attributes}, record.severity_text,
               record.time_unix_nano)
        for request in backend.messages("logs") for resource in request.resource_logs
        for scope in resource.scope_logs for record in scope.log_records
    ]
