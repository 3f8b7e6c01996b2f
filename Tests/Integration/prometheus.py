"""A real Prometheus that takes remote write, and what its API says about what it has."""

from __future__ import annotations

import contextlib
import json
import shutil
import signal
import subprocess
import urllib.error
import urllib.parse
import urllib.request
from pathlib import Path

import pytest

from millrace import free_port, until


class Prometheus:
    """One data directory on one port, through several lives."""

    def __init__(self, folder: Path):
        self.binary = shutil.which("prometheus")
        if not self.binary:
            pytest.fail("there is no prometheus: run .ci/install test")
        self.folder = folder
        self.port = free_port()
        folder.mkdir(parents=True)
        (folder / "prometheus.yml").write_text("global: {scrape_interval: 1h}\n")
        self.process = None
        self.start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def write_url(self) -> str:
        return f"{self.url}/api/v1/write"

    def start(self):
        with (self.folder / "prometheus.log").open("ab") as log:
            self.process = subprocess.Popen(
                [self.binary, f"--config.file={self.folder}/prometheus.yml", f"--storage.tsdb.path={self.folder}/data",
                 f"--web.listen-address=127.0.0.1:{self.port}", "--web.enable-remote-write-receiver",
                 "--enable-feature=exemplar-storage,native-histograms", "--log.level=warn"],
                stdin=subprocess.DEVNULL, stdout=log, stderr=subprocess.STDOUT)
        until(self.is_ready, timeout=60, what="Prometheus to be ready")

    def is_ready(self) -> bool:
        with contextlib.suppress(OSError):
            return urllib.request.urlopen(f"{self.url}/-/ready", timeout=5).status == 200
        return False

    def kill(self, how=signal.SIGKILL):
        if self.process and self.process.poll() is None:
            self.process.send_signal(how)
            self.process.wait(30)

    def api(self, path: str, **parameters):
        query = urllib.parse.urlencode(parameters, doseq=True)
        with urllib.request.urlopen(f"{self.url}/api/v1/{path}?{query}", timeout=30) as reply:
            return json.load(reply)["data"]

    def query(self, expression: str, at: float | None = None) -> list[dict]:
        return self.api("query", query=expression, **({"time": at} if at else {}))["result"]

    def values(self, expression: str, at: float | None = None) -> dict[str, float]:
        """The value of each series, by its name and labels as text."""
        return {text(found["metric"]): float(found["value"][1]) for found in self.query(expression, at)}


def text(labels: dict[str, str]) -> str:
    rest = ",".join(f'{name}="{value}"' for name, value in sorted(labels.items()) if name != "__name__")
    return labels.get("__name__", "") + (f"{{{rest}}}" if rest else "")
