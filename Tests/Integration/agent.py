"""The prometheus receiver of the real binary in front of any exporters, without an OTLP receiver."""

from __future__ import annotations

import contextlib
from dataclasses import dataclass
from pathlib import Path

import yaml

from millrace import Millrace, free_port


class Agent(Millrace):
    """Scrapes what a Prometheus configuration says. `pipeline.scrape` can be changed and loaded again."""

    def __init__(self, folder: Path, scrape: dict, exporters: dict, extensions: dict | None = None,
                 receiver: dict | None = None):
        super().__init__(
            _Document(scrape, exporters, extensions or {}, receiver or {}, free_port(), free_port()), folder)

    def _is_listening(self) -> bool:
        assert self.process.poll() is None, f"millrace ended with {self.process.returncode}"
        with contextlib.suppress(OSError):
            return self.health()[0] == 200
        return False


@dataclass
class _Document:
    scrape: dict
    exporters: dict
    extensions: dict
    receiver: dict
    metrics: int
    health: int

    def text(self) -> str:
        return yaml.safe_dump({
            "receivers": {"prometheus": {"config": self.scrape, **self.receiver}},
            "exporters": self.exporters,
            "extensions": {"health_check": {"endpoint": f"127.0.0.1:{self.health}"}, **self.extensions},
            "service": {
                "extensions": ["health_check", *self.extensions],
                "telemetry": {
                    "logs": {"encoding": "json"},
                    "metrics": {"readers": [
                        {"pull": {"exporter": {"prometheus": {"host": "127.0.0.1", "port": self.metrics}}}}]},
                },
                "pipelines": {"metrics": {"receivers": ["prometheus"], "exporters": list(self.exporters)}},
            },
        }, sort_keys=False)
