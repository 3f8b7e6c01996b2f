"""Drives the real `millrace` binary: start it with a configuration, watch it, stop it, read its balance sheet."""

from __future__ import annotations

import contextlib
import itertools
import json
import os
import random
import re
import signal
import socket
import subprocess
import time
import urllib.request
from dataclasses import dataclass, field
from pathlib import Path

import yaml

REPOSITORY = Path(__file__).resolve().parents[2]
BINARY = Path(os.environ.get("MILLRACE_BIN", REPOSITORY / ".build/release/millrace")).resolve()
SIGNALS = ("traces", "metrics", "logs")


# Below the ports that the system gives to outgoing connections, and each only once: nobody else takes one in between.
_ports = itertools.cycle(random.sample(range(15_000, 32_000), 17_000))


def free_port() -> int:
    for port in _ports:
        with contextlib.suppress(OSError), socket.socket() as listener:
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            listener.bind(("127.0.0.1", port))
            return port


def until(condition, timeout: float = 20, what: str = "condition", every: float = 0.02):
    """Waits for `condition()` to be true and returns its value; fails loudly when it never is."""
    deadline = time.monotonic() + timeout
    while True:
        if value := condition():
            return value
        assert time.monotonic() < deadline, f"waited {timeout} s in vain for {what}"
        time.sleep(every)


def command(*arguments: str, env: dict | None = None, cwd: Path | None = None, timeout: float = 30):
    """Runs `millrace ARGUMENTS…` to its end."""
    return subprocess.run(
        [str(BINARY), *arguments], env={**os.environ, **(env or {})}, cwd=cwd, timeout=timeout,
        stdin=subprocess.DEVNULL, capture_output=True, text=True,
    )


@dataclass
class Pipeline:
    """A configuration with an OTLP receiver on free ports, one pipeline per signal through everything given."""

    exporters: dict
    processors: dict = field(default_factory=dict)
    signals: tuple = SIGNALS
    grpc_settings: dict = field(default_factory=dict)
    http_settings: dict = field(default_factory=dict)
    health_settings: dict = field(default_factory=dict)
    service: dict = field(default_factory=dict)
    log_level: str = "info"
    second_receiver: bool = False
    receivers: dict = field(default_factory=dict)
    extensions: dict = field(default_factory=dict)

    def __post_init__(self):
        self.grpc, self.http, self.metrics, self.health, self.second_http = (free_port() for _ in range(5))

    def document(self) -> dict:
        pipeline = {
            "receivers": ["otlp", *(["otlp/second"] if self.second_receiver else []), *self.receivers], "processors": list(self.processors), "exporters": list(self.exporters),
        }
        return {
            "receivers": {
                "otlp": {
                    "protocols": {
                        "grpc": {"endpoint": f"127.0.0.1:{self.grpc}", **self.grpc_settings},
                        "http": {"endpoint": f"127.0.0.1:{self.http}", **self.http_settings},
                    }
                },
                **({"otlp/second": {"protocols": {"http": {"endpoint": f"127.0.0.1:{self.second_http}"}}}}
                   if self.second_receiver else {}),
                **self.receivers,
            },
            "processors": self.processors,
            "exporters": self.exporters,
            "extensions": {
                "health_check": {"endpoint": f"127.0.0.1:{self.health}", **self.health_settings}, **self.extensions,
            },
            "service": {
                "extensions": ["health_check", *self.extensions],
                **self.service,
                "telemetry": {
                    "logs": {"encoding": "json", "level": self.log_level},
                    "metrics": {
                        "readers": [
                            {"pull": {"exporter": {"prometheus": {"host": "127.0.0.1", "port": self.metrics}}}}
                        ]
                    },
                },
                "pipelines": {signal: pipeline for signal in self.signals},
                **self.service,
            },
        }

    def text(self) -> str:
        return yaml.dump(self.document(), sort_keys=False, default_flow_style=False, Dumper=_PlainDumper)


class _PlainDumper(yaml.SafeDumper):
    def ignore_aliases(self, data):
        return True


class Millrace:
    """One running process. `logs` is everything it wrote; `pipeline` knows its ports."""

    #: A program that starts it, and its arguments; must become it (`exec`).
    LAUNCHER: tuple[str, ...] = ()

    def __init__(self, pipeline: Pipeline, folder: Path, env: dict | None = None, arguments: tuple = ()):
        self.pipeline = pipeline
        self.folder = folder
        folder.mkdir(parents=True, exist_ok=True)
        self.config = folder / "config.yaml"
        self.config.write_text(pipeline.text())
        self.output = (folder / "output.log").open("wb")
        self.is_terminated = False
        self.process = subprocess.Popen(
            [*self.LAUNCHER, str(BINARY), "run", str(self.config), *arguments], cwd=folder, env={**os.environ, **(env or {})},
            stdin=subprocess.DEVNULL, stdout=self.output, stderr=subprocess.STDOUT,
        )
        try:
            until(self._is_listening, what="millrace to listen")
        except AssertionError as error:
            self.kill()
            raise AssertionError(f"{error}\n{self.logs}") from None

    def _is_listening(self) -> bool:
        assert self.process.poll() is None, f"millrace ended with {self.process.returncode}"
        with contextlib.suppress(OSError):
            for port in (self.pipeline.grpc, self.pipeline.http):
                socket.create_connection(("127.0.0.1", port), timeout=1).close()
            return self.health()[0] == 200
        return False

    @property
    def grpc(self) -> str:
        return f"127.0.0.1:{self.pipeline.grpc}"

    @property
    def http(self) -> str:
        return f"http://127.0.0.1:{self.pipeline.http}"

    @property
    def logs(self) -> str:
        return (self.folder / "output.log").read_text(errors="replace")

    @property
    def log_records(self) -> list[dict]:
        """Its own log, one object per line (`service.telemetry.logs.encoding: json`)."""
        records = []
        for line in self.logs.splitlines():
            with contextlib.suppress(ValueError):
                record = json.loads(line)
                if isinstance(record, dict):
                    records.append(record)
        return records

    def health(self) -> tuple[int, str]:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.pipeline.health}/", timeout=5) as reply:
                return reply.status, reply.read().decode()
        except urllib.error.HTTPError as error:
            return error.code, error.read().decode()

    def metrics(self) -> Metrics:
        with urllib.request.urlopen(f"http://127.0.0.1:{self.pipeline.metrics}/metrics", timeout=5) as reply:
            return Metrics(reply.read().decode())

    def memory(self, field: str = "VmRSS") -> int:
        """Resident memory in bytes, now (`VmRSS`) or at most so far (`VmHWM`)."""
        status = Path(f"/proc/{self.process.pid}/status").read_text()
        return int(re.search(rf"^{field}:\s+(\d+) kB", status, re.M).group(1)) * 1024

    def terminate(self):
        """SIGTERM; a second one would end the drain."""
        self.is_terminated = True
        self.process.send_signal(signal.SIGTERM)

    def stop(self, timeout: float = 40) -> BalanceSheet:
        """SIGTERM, wait for the drain, and what it said about every item."""
        if not self.is_terminated and self.process.poll() is None:
            self.terminate()
        status = self.process.wait(timeout)
        self.output.close()
        assert status == 0, f"millrace ended with {status}\n{self.logs[-4000:]}"
        return BalanceSheet(self)

    def kill(self):
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait(10)
        self.output.close()


class Metrics:
    """A Prometheus text exposition, read just far enough."""

    LINE = re.compile(r"^([A-Za-z_:][\w:]*)(?:\{(.*)\})?\s+(\S+)$")
    LABEL = re.compile(r'(\w+)="((?:[^"\\]|\\.)*)"')

    def __init__(self, text: str):
        self.text = text
        self.series: list[tuple[str, dict, float]] = []
        for line in text.splitlines():
            if line and not line.startswith("#"):
                match = self.LINE.match(line)
                assert match, f"not a series: {line}"
                self.series.append((match[1], dict(self.LABEL.findall(match[2] or "")), float(match[3])))

    def sum(self, name: str, **labels) -> float:
        return sum(
            value for series, own, value in self.series
            if series == name and all(own.get(key) == wanted for key, wanted in labels.items())
        )

    @property
    def names(self) -> set[str]:
        return {name for name, _, _ in self.series}


class BalanceSheet:
    """What a stopped process said became of every item, per signal: `sheet.items("logs", "delivered")`."""

    def __init__(self, millrace: Millrace):
        self.signals: dict[str, dict[str, int]] = {}
        for record in millrace.log_records:
            fields = _flattened(record)
            if "balance" in str(fields.get("msg", fields.get("message", ""))).lower() and "signal" in fields:
                counts = {}
                for key, value in fields.items():
                    with contextlib.suppress(TypeError, ValueError):
                        counts[key] = int(value)
                self.signals[fields["signal"]] = counts

    def items(self, signal: str, state: str) -> int:
        """Items of a state, over all its reasons: `dropped` counts `dropped(queue_full)` too."""
        counts = self.signals.get(signal, {})
        return sum(
            value for key, value in counts.items() if re.fullmatch(rf"{state}([(./:].*)?", key)
        )

    def is_balanced(self) -> bool:
        return bool(self.signals) and all(counts.get("unaccounted") == 0 for counts in self.signals.values())


def _flattened(record: dict) -> dict:
    flat = {}
    for key, value in record.items():
        flat.update(_flattened(value) if isinstance(value, dict) else {key: value})
    return flat
