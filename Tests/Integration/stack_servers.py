"""The real servers of the stack: Prometheus, its exporters, PostgreSQL, Alertmanager and a FastAPI application.

Each is a `with` block: it starts on a free port, waits until it answers, and ends with the block.
"""

from __future__ import annotations

import contextlib
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import urllib.error
import urllib.parse
import urllib.request
from pathlib import Path

from millrace import free_port, until


class Server:
    """One process of somebody else's program, through several lives on the same port."""

    def __init__(self, folder: Path, name: str, command: list[str], port: int, ready: str, env: dict | None = None):
        self.folder, self.port, self.name, self.command, self.ready, self.env = folder, port, name, command, ready, env
        self.log = folder / f"{name}.log"
        self.start()

    def start(self):
        assert shutil.which(self.command[0]), f"there is no {self.command[0]}: run .ci/install test"
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                self.command, cwd=self.folder, env={**os.environ, **(self.env or {})}, stdin=subprocess.DEVNULL,
                stdout=log, stderr=log)
        try:
            until(lambda: self._answers(self.ready), timeout=60, what=f"{self.name} to answer {self.ready}")
        except AssertionError as error:
            self.kill()
            raise AssertionError(f"{error}\n{self.log.read_text(errors='replace')[-3000:]}") from None

    def _answers(self, path: str) -> bool:
        assert self.process.poll() is None, f"{self.name} ended with {self.process.returncode}"
        with contextlib.suppress(OSError):
            return self.get(path)[0] == 200
        return False

    @property
    def address(self) -> str:
        return f"127.0.0.1:{self.port}"

    def get(self, path: str) -> tuple[int, bytes]:
        with urllib.request.urlopen(f"http://{self.address}{path}", timeout=10) as reply:
            return reply.status, reply.read()

    def stop(self):
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            try:
                self.process.wait(20)
            except subprocess.TimeoutExpired:
                self.kill()

    def kill(self):
        """SIGKILL: what a power cut would leave."""
        self.process.kill()
        self.process.wait()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stop()


class Prometheus(Server):
    """Debian's Prometheus; takes remote write, keeps native histograms and exemplars."""

    def __init__(self, folder: Path, config: dict | None = None, name: str = "prometheus", port: int | None = None,
                 flags: tuple[str, ...] = ()):
        folder.mkdir(parents=True, exist_ok=True)
        port = port or free_port()
        path = folder / f"{name}.yml"
        path.write_text(json.dumps(config or {}))
        super().__init__(folder, name, [
            "prometheus", f"--config.file={path}", f"--storage.tsdb.path={folder / f'{name}-data'}",
            f"--web.listen-address=127.0.0.1:{port}", "--web.enable-remote-write-receiver", "--web.enable-lifecycle",
            "--enable-feature=exemplar-storage,native-histograms", *flags], port, "/-/ready")

    def api(self, path: str, **parameters):
        query = urllib.parse.urlencode(parameters, doseq=True)
        answer = json.loads(self.get(f"/api/v1/{path}?{query}")[1])
        assert answer["status"] == "success", answer
        return answer["data"]

    @property
    def write_url(self) -> str:
        return f"http://{self.address}/api/v1/write"

    def series(self, matcher: str = '{__name__=~".+"}', **window) -> list[dict]:
        """The labels of every series with samples in the window."""
        return self.api("series", **{"match[]": matcher}, **window)

    def samples(self, selector: str, at: float, seconds: int) -> dict[frozenset, list[tuple[float, float]]]:
        """The raw samples of each series in the `seconds` before `at`: (time, value)."""
        result = self.api("query", query=f"{selector}[{seconds}s]", time=at)["result"]
        return {
            frozenset(series["metric"].items()): [(time, float(value)) for time, value in series.get("values", [])]
            for series in result
        }

    def query(self, expression: str, at: float | None = None) -> list[dict]:
        return self.api("query", query=expression, **({"time": at} if at else {}))["result"]

    def values(self, expression: str, at: float | None = None) -> dict[str, float]:
        """The value of each series, by its name and labels as text."""
        return {text(found["metric"]): float(found["value"][1]) for found in self.query(expression, at)}

    def value(self, expression: str, at: float | None = None) -> list[tuple[dict, float]]:
        return [(series["metric"], float(series["value"][1])) for series in self.query(expression, at)]


def text(labels: dict[str, str]) -> str:
    """A series as queries write it."""
    rest = ",".join(f'{name}="{value}"' for name, value in sorted(labels.items()) if name != "__name__")
    return labels.get("__name__", "") + (f"{{{rest}}}" if rest else "")


class NodeExporter(Server):
    def __init__(self, folder: Path):
        port = free_port()
        super().__init__(folder, "node_exporter", [
            "prometheus-node-exporter", f"--web.listen-address=127.0.0.1:{port}"], port, "/metrics")


class Alertmanager(Server):
    def __init__(self, folder: Path):
        port = free_port()
        path = folder / "alertmanager.yml"
        path.write_text(json.dumps({"route": {"receiver": "nobody"}, "receivers": [{"name": "nobody"}]}))
        super().__init__(folder, "alertmanager", [
            "prometheus-alertmanager", f"--config.file={path}", f"--storage.path={folder / 'alertmanager-data'}",
            f"--web.listen-address=127.0.0.1:{port}", "--cluster.listen-address="], port, "/-/ready")


class PostgreSQL:
    """A PostgreSQL of its own; PostgreSQL refuses to run as root, so that root runs it as Debian's `postgres`."""

    PASSWORD = "demo"

    def __init__(self):
        self.port = free_port()
        self.folder = Path(tempfile.mkdtemp(prefix="millrace-postgres-", dir="/tmp"))
        self.bin = max(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda path: int(path.parent.name))
        secret = self.folder / "password"
        secret.write_text(self.PASSWORD)
        if os.geteuid() == 0:
            shutil.chown(self.folder, "postgres", "postgres")
            shutil.chown(secret, "postgres", "postgres")
        data = self.folder / "data"
        self._run("initdb", "-D", data, "-U", "postgres", "--auth=scram-sha-256", f"--pwfile={secret}")
        self._run("pg_ctl", "-D", data, "-l", self.folder / "log", "-w", "-o",
                  f"-p {self.port} -k {self.folder} -c listen_addresses=127.0.0.1 -c fsync=off", "start")

    def _run(self, program: str, *arguments):
        command = [str(self.bin / program), *map(str, arguments)]
        if os.geteuid() == 0:
            command = ["runuser", "-u", "postgres", "--", *command]
        result = subprocess.run(
            command, cwd="/tmp", stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        assert result.returncode == 0, result.stdout

    @property
    def source(self) -> str:
        return f"postgresql://postgres:{self.PASSWORD}@127.0.0.1:{self.port}/postgres?sslmode=disable"

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._run("pg_ctl", "-D", self.folder / "data", "-m", "immediate", "-w", "stop")
        shutil.rmtree(self.folder, ignore_errors=True)


class PostgresExporter(Server):
    def __init__(self, folder: Path, database: PostgreSQL):
        port = free_port()
        super().__init__(folder, "postgres_exporter", [
            "prometheus-postgres-exporter", f"--web.listen-address=127.0.0.1:{port}"], port, "/metrics",
            env={"DATA_SOURCE_NAME": database.source})


class Shop(Server):
    """A FastAPI application with starlette-prometheus."""

    def __init__(self, folder: Path, port: int | None = None):
        port = port or free_port()
        super().__init__(folder, "shop", [
            sys.executable, "-m", "uvicorn", "shop:app", "--app-dir", str(Path(__file__).parent / "applications"),
            "--host", "127.0.0.1", "--port", str(port), "--no-access-log"], port, "/metrics")

    def use(self, requests: int = 20):
        """Some of everything: successes, absent things, failures."""
        for number in range(requests):
            for path in ("/items", f"/items/{number}", "/fail"):
                with contextlib.suppress(urllib.error.HTTPError):
                    self.get(path)


class Demo(Server):
    """The service of applications/demo.py under `opentelemetry-instrument`, sending to an OTLP endpoint.

    What its SDK has sent is in `spans` too, as its console exporter tells it.
    """

    def __init__(self, folder: Path, database: PostgreSQL, otlp_endpoint: str, port: int):
        command = [str(Path(sys.executable).parent / "opentelemetry-instrument"), "uvicorn", "demo:app",
                   "--app-dir", str(Path(__file__).parent / "applications"), "--host", "127.0.0.1",
                   "--port", str(port), "--no-access-log"]
        super().__init__(folder, "demo", command, port, "/metrics", env={
            "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
            "DATABASE_URL": f"postgresql+psycopg://postgres:{database.PASSWORD}@127.0.0.1:{database.port}/postgres",
            "SELF_URL": f"http://127.0.0.1:{port}", "OTEL_SERVICE_NAME": "demo", "PYTHONUNBUFFERED": "1",
            "OTEL_EXPORTER_OTLP_ENDPOINT": otlp_endpoint, "OTEL_EXPORTER_OTLP_PROTOCOL": "grpc",
            "OTEL_TRACES_EXPORTER": "otlp,console", "OTEL_METRICS_EXPORTER": "otlp", "OTEL_LOGS_EXPORTER": "otlp",
            "OTEL_BSP_SCHEDULE_DELAY": "200", "OTEL_METRIC_EXPORT_INTERVAL": "1000", "OTEL_BLRP_SCHEDULE_DELAY": "200",
            "OTEL_PYTHON_LOGGING_AUTO_INSTRUMENTATION_ENABLED": "true",
            "OTEL_PYTHON_FASTAPI_EXCLUDED_URLS": "metrics",
            "OTEL_INSTRUMENTATION_HTTP_CAPTURE_HEADERS_SERVER_REQUEST": "authorization,cookie"})

    @property
    def spans(self) -> list[dict]:
        """Each span that ended, as JSON."""
        text, spans = self.log.read_text(errors="replace"), []
        decoder = json.JSONDecoder()
        for start in re.finditer(r"^\{$", text, re.M):
            with contextlib.suppress(ValueError):
                span, _ = decoder.raw_decode(text, start.start())
                if "context" in span:
                    spans.append(span)
        return spans
