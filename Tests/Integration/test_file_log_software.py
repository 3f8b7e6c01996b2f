"""pipelines/host-agent.yaml as it is, following the logs of real programs: nginx under logrotate, Python, PostgreSQL."""

from __future__ import annotations

import contextlib
import os
import re
import subprocess
from collections import Counter
from pathlib import Path

import pytest
import yaml

from backends import GRPCBackend
from log_inputs import value
from log_writers import Nginx, run_application
from millrace import BINARY, REPOSITORY, free_port, until
from stack_servers import PostgreSQL


class HostAgent:
    """`millrace run` of a file, with a backend that keeps every record."""

    def __init__(self, folder: Path, config: Path, backend: GRPCBackend, **environment: str):
        self.folder, self.config, self.environment = folder, config, {
            "COLLECTOR_ENDPOINT": backend.endpoint.removeprefix("http://"), "STATE_DIRECTORY": str(folder / "state"),
            "METRICS_PORT": str(free_port()), "COMPRESSION": "gzip", **environment}
        self.start()

    def start(self):
        self.output = (self.folder / "agent.log").open("ab")
        self.process = subprocess.Popen(
            [str(BINARY), "run", str(self.config)], cwd=self.folder, env={**os.environ, **self.environment},
            stdin=subprocess.DEVNULL, stdout=self.output, stderr=subprocess.STDOUT)

    def stop(self):
        self.process.terminate()
        status = self.process.wait(60)
        self.output.close()
        assert status == 0, (self.folder / "agent.log").read_text()[-4000:]

    def __enter__(self):
        return self

    def __exit__(self, *_):
        with contextlib.suppress(ProcessLookupError):
            self.process.kill()
        self.process.wait(10)


def records(backend, service: str) -> list:
    """(record, attributes) of a service."""
    found = []
    for request in backend.messages("logs"):
        for resource in request.resource_logs:
            attributes = {each.key: value(each.value) for each in resource.resource.attributes}
            if attributes.get("service.name") == service:
                assert "host.name" in attributes
                for scope in resource.scope_logs:
                    found += [
                        (record, {each.key: value(each.value) for each in record.attributes})
                        for record in scope.log_records]
    return found


@pytest.fixture
def places(tmp_path) -> dict[str, Path]:
    folders = {name: tmp_path / name for name in ("application", "python")}
    for folder in folders.values():
        folder.mkdir()
    return folders


@pytest.fixture
def agent(tmp_path, places, grpc_backend):
    (tmp_path / "nginx-agent").mkdir()
    with HostAgent(
        tmp_path, REPOSITORY / "pipelines/host-agent.yaml", grpc_backend, NGINX_LOGS=str(tmp_path / "nginx"),
        APPLICATION_LOGS=str(places["application"]), PYTHON_LOGS=str(places["python"])
    ) as running:
        yield running


def test_nginx_under_logrotate_loses_and_repeats_no_request(tmp_path, agent, grpc_backend):
    with Nginx(tmp_path) as nginx:
        number = 0
        for way in ("create", "copytruncate", "create", "create", "copytruncate", "create"):
            for _ in range(60):
                nginx.request(f"/request/{number}?q=%22x")
                number += 1
            nginx.rotate(way)
            if way == "copytruncate":
                agent.stop()
                agent.start()
        for _ in range(20):
            nginx.request(f"/request/{number}")
            number += 1
        nginx.request("/missing/page")
        assert any(name.endswith(".gz") for name in os.listdir(nginx.logs)), "logrotate has compressed nothing"

        def requests():
            paths = [attributes.get("url.path", "") for _, attributes in records(grpc_backend, "nginx")]
            return Counter(int(match[1]) for path in paths if (match := re.match(r"/request/(\d+)", path)))

        until(lambda: len(requests()) == number, 60, what=f"{number} requests in the access log", every=0.2)
        until(lambda: any("nowhere" in str(record.body.string_value) for record, _ in records(grpc_backend, "nginx")),
              60, what="the error log", every=0.2)
    agent.stop()
    assert all(count == 1 for count in requests().values())
    found = [(record, attributes) for record, attributes in records(grpc_backend, "nginx") if "url.path" in attributes]
    missing = [each for each in found if each[1]["url.path"] == "/missing/page"]
    assert missing[0][0].severity_number == 13 and missing[0][1]["http.response.status_code"] == "404"
    one = next(each for each in found if each[1]["url.path"].startswith("/request/7?"))
    assert one[0].severity_number == 9 and one[0].time_unix_nano % 1_000_000_000 == 0
    assert one[1]["http.request.method"] == "GET" and one[1]["client.address"] == "127.0.0.1"
    errors = [record for record, attributes in records(grpc_backend, "nginx") if "tid" in attributes]
    assert errors and all(record.severity_number == 17 and record.time_unix_nano for record in errors)


def test_a_python_application_keeps_tracebacks_whole(tmp_path, agent, places, grpc_backend):
    count = 70
    run_application(tmp_path, places["python"] / "app.log", places["application"] / "orders.json.log", count)
    expected = count + count // 5 + count // 7

    until(lambda: len(records(grpc_backend, "python")) >= expected and len(records(grpc_backend, "app")) >= count, 60,
          what="the records of the application", every=0.2)
    agent.stop()
    text = records(grpc_backend, "python")
    assert len(text) == expected
    failed = [(record, attributes) for record, attributes in text if record.severity_number == 17]
    assert len(failed) == count // 5
    for record, attributes in failed:
        order = int(re.fullmatch(r"order (\d+) failed", record.body.string_value)[1])
        stack = attributes["exception.stacktrace"]
        assert stack.startswith("Traceback (most recent call last):\n")
        assert stack.rstrip().endswith(f"ValueError: order {order} cannot be charged")
        assert record.time_unix_nano and attributes["logger"] == "shop.orders"
    assert sum(1 for record, _ in text if record.severity_number == 21) == count // 7

    structured = records(grpc_backend, "app")
    assert len(structured) == count
    for record, attributes in structured:
        number = attributes["order"]
        assert record.body.string_value == f"order {number} \u00e4 \U0001f600"
        assert record.severity_number == (13 if number % 2 else 9)
        assert record.trace_id == (number + 1).to_bytes(16) and record.span_id == (number + 1).to_bytes(8)
        assert record.time_unix_nano % 1_000_000_000 == 250_000_000
        assert attributes["amount"] == number / 4 and attributes["tags"] == ["a", {"b": None}]


def test_postgresql_statements_over_several_lines_stay_whole(tmp_path, grpc_backend):
    with PostgreSQL() as database:
        config = tmp_path / "postgres.yaml"
        config.write_text(yaml.safe_dump({
            "receivers": {"file_log": {
                "include": [str(database.folder / "log")], "start_at": "beginning",
                "multiline": {"line_start_pattern": r"^\d{4}-\d{2}-\d{2} \d{2}:\d{2}:\d{2}\.\d{3} "},
                "operators": [{
                    "type": "regex_parser",
                    "regex": r"^(?P<time>\S+ \S+) (?P<zone>\S+) \[(?P<pid>\d+)\] (?:\S+ )?(?P<level>[A-Z]+):\s+(?P<message>(?s:.*))$",
                    "timestamp": {"parse_from": "attributes.time", "layout": "%Y-%m-%d %H:%M:%S.%L"},
                    "severity": {"parse_from": "attributes.level", "mapping": {
                        "info": "LOG", "error": "ERROR", "fatal": "FATAL", "debug": "STATEMENT"}},
                }]}},
            "exporters": {"otlp_grpc": {"endpoint": grpc_backend.endpoint, "tls": {"insecure": True}}},
            "processors": {"resource": {"attributes": [
                {"key": "host.name", "action": "insert", "value": "db"},
                {"key": "service.name", "action": "insert", "value": "postgresql"}]}},
            "service": {"pipelines": {"logs": {
                "receivers": ["file_log"], "processors": ["resource"], "exporters": ["otlp_grpc"]}}}}))
        with HostAgent(tmp_path, config, grpc_backend) as agent:
            script = tmp_path / "statements.sql"
            script.write_text("".join(
                f"SELECT {number},\n\tcount(*)\n  FROM absent_{number}\n WHERE id = 'a\nb';\n" for number in range(30)))
            subprocess.run([str(database.bin / "psql"), database.source, "-f", str(script)], capture_output=True)

            def statements():
                return [record for record, attributes in records(grpc_backend, "postgresql")
                        if attributes.get("level") == "STATEMENT"]

            until(lambda: len(statements()) >= 29, 60, what="the statements", every=0.2)
            agent.stop()
    for record in statements()[:29]:
        assert re.search(r"SELECT \d+,\n\s*count\(\*\)\n\s+FROM absent_\d+\n\s+WHERE id = 'a\n\s*b'", record.body.string_value)
    errors = [record for record, _ in records(grpc_backend, "postgresql") if record.severity_number == 17]
    assert len(errors) == 30 and all(record.time_unix_nano for record in errors)
