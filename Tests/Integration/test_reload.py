"""Going over to another configuration under load: nothing acknowledged is lost, and what did not change is not touched."""

import contextlib
import json
import os
import signal
import socket
import threading
import time
from collections import Counter

import pytest

import otlp
import payloads
from backends import HTTPBackend
from client import GRPCClient, post, request
from millrace import free_port, until
from test_faults import Load

INSECURE = {"insecure": True}
BATCH = {"batch": {"timeout": "20ms", "send_batch_size": 200}}


def exporter(backend: HTTPBackend, **settings) -> dict:
    retry = {"initial_interval": "50ms", "max_interval": "200ms"}
    return {"endpoint": backend.endpoint, "tls": INSECURE, "retry_on_failure": retry, **settings}


def events(millrace, message: str) -> list[dict]:
    return [record for record in millrace.log_records if record["msg"].startswith(message)]


def rewrite(millrace):
    """Writes the configuration as editors do: a new file, renamed over the old one."""
    fresh = millrace.config.with_suffix(".new")
    fresh.write_text(millrace.pipeline.text())
    fresh.rename(millrace.config)


def reload(millrace) -> dict:
    """Writes the configuration, sends SIGHUP, and returns what the log says of the reload."""
    before = len(events(millrace, "configuration reloaded"))
    rewrite(millrace)
    millrace.process.send_signal(signal.SIGHUP)
    until(lambda: len(events(millrace, "configuration reloaded")) > before, what="the reload")
    return events(millrace, "configuration reloaded")[-1]


def arrived_at(*backends) -> Counter:
    return sum((Counter(payloads.span_names(*backend.messages("traces"))) for backend in backends), Counter())


def assert_account(load: Load, sheet, *backends):
    arrived = arrived_at(*backends)
    assert not load.accepted - arrived, "an acknowledged item did not arrive"
    assert max(arrived.values()) == 1, "an item arrived twice"
    assert sheet.items("traces", "delivered") == arrived.total()
    assert sheet.items("traces", "dropped") == 0 and sheet.is_balanced()


@pytest.mark.parametrize("batch", [{}, BATCH], ids=["plain", "batched"])
def test_an_exporter_is_exchanged_under_load(start, http_backend, batch):
    with HTTPBackend() as second:
        millrace = start({"otlp_http": exporter(http_backend)}, batch, signals=("traces",))
        load = Load(millrace)
        until(lambda: sum(load.accepted.values()) > 1000, what="some load")
        for backend in (second, http_backend, second):
            millrace.pipeline.exporters = {"otlp_http": exporter(backend)}
            said = reload(millrace)
            assert said["replaced_names"] == "exporter otlp_http"
            count = arrived_at(backend).total()
            until(lambda: arrived_at(backend).total() > count + 500, what="load at the next backend")
        load.stop()
        sheet = millrace.stop()
        assert not load.refused and not load.unknown, "a kept receiver refused, or closed a connection"
        assert_account(load, sheet, http_backend, second)


def test_every_part_changes_under_load(start, http_backend):
    """Processors come and go, exporters are added and removed, the receiver gets other settings and other ports."""
    with HTTPBackend() as second:
        millrace = start({"otlp_http": exporter(http_backend)}, BATCH, signals=("traces",))
        pipeline = millrace.pipeline
        load = Load(millrace)
        until(lambda: sum(load.accepted.values()) > 1000, what="some load")

        pipeline.processors = {}
        assert reload(millrace)["removed_names"] == "processor batch of traces"
        pipeline.processors = {"batch": {"timeout": "10ms"}}
        assert reload(millrace)["added_names"] == "processor batch of traces"
        pipeline.exporters["otlp_http/second"] = exporter(second)
        assert reload(millrace)["added_names"] == "exporter otlp_http/second"
        until(lambda: second.requests, what="the second backend")
        del pipeline.exporters["otlp_http/second"]
        assert reload(millrace)["removed_names"] == "exporter otlp_http/second"
        load.stop()
        assert not load.refused and not load.unknown, "a kept receiver refused, or closed a connection"

        load_with_restarts = Load(millrace)
        until(lambda: sum(load_with_restarts.accepted.values()) > 1000, what="some load")
        pipeline.grpc_settings = {"max_recv_msg_size_mib": 3}
        assert reload(millrace)["replaced_names"] == "receiver otlp"
        time.sleep(0.2)
        load_with_restarts.stop()
        pipeline.grpc, pipeline.http = free_port(), free_port()
        assert reload(millrace)["replaced_names"] == "receiver otlp"
        last = Load(millrace)
        until(lambda: sum(last.accepted.values()) > 500, what="load on the new ports")
        last.stop()
        sheet = millrace.stop()
        first = Counter(payloads.span_names(*http_backend.messages("traces")))
        for sent in (load, load_with_restarts, last):
            assert not sent.accepted - first, "an acknowledged item did not arrive"
        copies = sheet.items("traces", "copied")
        assert copies == arrived_at(second).total() > 0
        assert sheet.items("traces", "delivered") == first.total() + copies
        assert sheet.items("traces", "dropped") == 0 and sheet.is_balanced()


def test_connections_of_a_kept_receiver_survive(start, http_backend):
    millrace = start({"otlp_http": exporter(http_backend)}, signals=("traces",))
    with GRPCClient(millrace.grpc) as client:
        client.send("traces", payloads.spans(0, 1).SerializeToString())
        with socket.create_connection(("127.0.0.1", millrace.pipeline.http)) as idle:
            for number in range(1, 6):
                millrace.pipeline.exporters = {"otlp_http": exporter(http_backend, timeout=f"{number}s")}
                reload(millrace)
                client.send("traces", payloads.spans(number, 1).SerializeToString())
            idle.sendall(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
            assert idle.recv(100).startswith(b"HTTP/1.1 4"), "the connection from before is not served"
    millrace.stop()
    assert sorted(payloads.span_names(*http_backend.messages("traces"))) == list(range(6))


def test_what_a_dead_backend_left_goes_to_its_successor(start, http_backend):
    with HTTPBackend() as dead:
        dead.stop()
        millrace = start({"otlp_http": exporter(dead, sending_queue={"num_consumers": 2})}, signals=("traces",))
        for number in range(50):
            assert post(millrace.http, "traces", payloads.spans(number, 1).SerializeToString()).status == 200
        millrace.pipeline.exporters = {"otlp_http": exporter(http_backend)}
        reload(millrace)
        until(lambda: http_backend.count("traces") == 50, what="what was waiting")
        sheet = millrace.stop()
        assert sheet.items("traces", "delivered") == 50 and sheet.is_balanced()


def test_a_file_is_continued(start, tmp_path):
    """Two exporters never write to one file, and the second does not begin it anew."""
    path = tmp_path / "out.jsonl"
    millrace = start({"file": {"path": str(path)}}, signals=("traces",))
    load = Load(millrace)
    for number in range(1, 6):
        count = load.accepted.total()
        until(lambda: load.accepted.total() > count + 200, what="some load")
        millrace.pipeline.exporters = {"file": {"path": str(path), "flush_interval": f"{number}s"}}
        assert reload(millrace)["replaced_names"] == "exporter file"
    load.stop()
    assert millrace.stop().is_balanced()
    assert not load.refused and not load.unknown
    assert Counter(payloads.span_names(*otlp.read_json_lines(path)["traces"])) == load.accepted


def test_durable_queues_change_hands_under_load(start, http_backend, tmp_path):
    """The exporter of a queue on disk is replaced, then the storage under it, then the queue moves to memory and back."""
    extension = {"file_storage": {"directory": str(tmp_path / "storage"), "create_directory": True}}
    durable = {"sending_queue": {"storage": "file_storage"}}
    millrace = start({"otlp_http": exporter(http_backend, **durable)}, signals=("traces",), extensions=extension)
    pipeline = millrace.pipeline
    load = Load(millrace)

    def change(**settings) -> dict:
        count = load.accepted.total()
        until(lambda: load.accepted.total() > count + 500, what="some load")
        pipeline.exporters = {"otlp_http": exporter(http_backend, **settings)}
        return reload(millrace)

    assert change(timeout="7s", **durable)["replaced_names"] == "exporter otlp_http"
    extension["file_storage"]["timeout"] = "3s"
    assert change(timeout="7s", **durable)["replaced_names"] == "exporter otlp_http, extension file_storage"
    assert change(timeout="7s")["replaced_names"] == "exporter otlp_http"
    assert change(timeout="8s", **durable)["replaced_names"] == "exporter otlp_http"
    count = load.accepted.total()
    until(lambda: load.accepted.total() > count + 500, what="some load")
    load.stop()
    until(lambda: not load.accepted - arrived_at(http_backend), what="what was acknowledged")
    sheet = millrace.stop()
    assert not load.refused and not load.unknown
    assert max(arrived_at(http_backend).values()) == 1, "an item arrived twice"
    assert sheet.items("traces", "dropped") == 0 and sheet.is_balanced()


def test_a_wrong_configuration_changes_nothing(start, http_backend):
    millrace = start({"otlp_http": exporter(http_backend)}, signals=("traces",))
    good = millrace.config.read_text()
    millrace.config.write_text(good.replace("insecure:", "insecur:"))
    line = 1 + next(n for n, text in enumerate(millrace.config.read_text().splitlines()) if "insecur:" in text)
    millrace.process.send_signal(signal.SIGHUP)
    until(lambda: events(millrace, "the configuration is wrong"), what="the error")
    found = until(lambda: events(millrace, 'unknown key "insecur"'), what="the mistake")
    assert found[0]["at"].startswith(f"{millrace.config}:{line}:") and found[0]["level"] == "error"
    assert millrace.metrics().sum("millrace_config_last_reload_successful") == 0
    assert post(millrace.http, "traces", payloads.spans(0, 3).SerializeToString()).status == 200
    millrace.config.write_text(good)
    millrace.process.send_signal(signal.SIGHUP)
    until(lambda: events(millrace, "configuration reloaded, no component changed"), what="the second reload")
    assert millrace.metrics().sum("millrace_config_last_reload_successful") == 1
    assert millrace.metrics().sum("millrace_config_reloads", outcome="invalid") == 1
    assert millrace.stop().is_balanced()
    assert http_backend.count("traces") == 3


def test_a_receiver_that_cannot_start_leaves_the_old_one(start, http_backend):
    millrace = start({"otlp_http": exporter(http_backend)}, signals=("traces",))
    grpc, http = millrace.pipeline.grpc, millrace.pipeline.http
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        millrace.pipeline.http = taken.getsockname()[1]
        rewrite(millrace)
        millrace.process.send_signal(signal.SIGHUP)
        error = until(lambda: events(millrace, "the configuration was not reloaded"), what="the error")[0]
        assert "receiver otlp" in error["error"] and f"{millrace.config}:" in error["error"]
    millrace.pipeline.grpc, millrace.pipeline.http = grpc, http
    until(lambda: post(millrace.http, "traces", payloads.spans(0, 3).SerializeToString()).status == 200)
    assert millrace.stop().is_balanced()
    assert http_backend.count("traces") == 3


def test_nobody_is_refused_while_a_receiver_is_replaced(start, http_backend):
    """A successor goes on with the listening socket: at every moment there is somebody to connect to."""
    millrace = start({"otlp_http": exporter(http_backend)}, signals=("traces",))
    ports = (millrace.pipeline.grpc, millrace.pipeline.http)
    over = threading.Event()
    refused, connected = [], Counter()

    def connect(port: int):
        while not over.is_set():
            try:
                socket.create_connection(("127.0.0.1", port), timeout=10).close()
                connected[port] += 1
            except OSError as error:
                refused.append(error)

    threads = [threading.Thread(target=connect, args=(port,)) for port in ports]
    for thread in threads:
        thread.start()
    for size in range(20):
        millrace.pipeline.http_settings = {"max_request_body_size": 1_000_000 + size}
        millrace.pipeline.grpc_settings = {"max_recv_msg_size_mib": 4 + size}
        assert "receiver otlp" in reload(millrace)["replaced_names"]
    over.set()
    for thread in threads:
        thread.join()
    assert min(connected[port] for port in ports) > 100 and not refused, refused[:3]
    assert post(millrace.http, "traces", payloads.spans(0, 3).SerializeToString()).status == 200
    assert millrace.stop().is_balanced()


def test_watch_notices_editors_links_and_included_files(start, http_backend, tmp_path):
    """A file that is written in place, one renamed over it, and the links of a Kubernetes ConfigMap."""
    secret = tmp_path / "secret"
    secret.write_text("one\n")
    headers = {"headers": {"x-secret": f"${{file:{secret}}}"}}
    millrace = start({"otlp_http": exporter(http_backend, **headers)}, signals=("traces",), arguments=("--watch",))

    def reloads_by(change) -> dict:
        before = len(events(millrace, "configuration reloaded"))
        change()
        until(lambda: len(events(millrace, "configuration reloaded")) > before, what="the reload")
        return events(millrace, "configuration reloaded")[-1]

    assert reloads_by(lambda: secret.write_text("two\n"))["replaced_names"] == "exporter otlp_http"
    millrace.pipeline.exporters = {"otlp_http": exporter(http_backend, timeout="7s", **headers)}
    assert reloads_by(lambda: rewrite(millrace))["replaced_names"] == "exporter otlp_http"
    for version in ("..1", "..2"):
        folder = millrace.folder / version
        folder.mkdir()
        (folder / "config.yaml").write_text(millrace.pipeline.text().replace("7s", f"{version[-1]}1s"))
    data = millrace.folder / "..data"
    data.symlink_to("..1")

    def link():
        (millrace.folder / "link").symlink_to("..data/config.yaml")
        (millrace.folder / "link").rename(millrace.config)

    def swap():
        (millrace.folder / "..next").symlink_to("..2")
        (millrace.folder / "..next").rename(data)

    assert reloads_by(link)["replaced_names"] == "exporter otlp_http"
    assert reloads_by(swap)["replaced_names"] == "exporter otlp_http"
    assert post(millrace.http, "traces", payloads.spans(0, 1).SerializeToString()).status == 200
    assert millrace.stop().is_balanced()
    assert http_backend.requests[0].headers["x-secret"] == "two"


def test_reload_over_the_admin_address(start, http_backend):
    port = free_port()
    millrace = start({"otlp_http": exporter(http_backend)}, signals=("traces",),
                     service={"admin": {"endpoint": f"127.0.0.1:{port}"}})
    base = f"http://127.0.0.1:{port}"
    assert request(base, "/-/reload", method="GET").status == 405
    assert request(base, "/").status == 404
    assert request(base, "/-/reload", headers={"Origin": "http://evil.example"}).status == 403
    answer = request(base, "/-/reload")
    assert answer.status == 200
    said = json.loads(answer.body)
    assert "receiver otlp" in said["kept"] and said["replaced"] == said["added"] == said["removed"] == []
    millrace.pipeline.exporters = {"otlp_http": exporter(http_backend, timeout="9s")}
    rewrite(millrace)
    assert json.loads(request(base, "/-/reload").body)["replaced"] == ["exporter otlp_http"]
    good = millrace.config.read_text()
    millrace.config.write_text(good.replace("insecure:", "insecur:"))
    answer = request(base, "/-/reload")
    assert answer.status == 400 and b'did you mean "insecure"?' in answer.body
    # The address itself moves, and the request that asked for it is answered.
    millrace.config.write_text(good.replace(f"127.0.0.1:{port}", f"127.0.0.1:{(moved := free_port())}"))
    answer = request(base, "/-/reload")
    assert answer.status == 200 and json.loads(answer.body)["replaced"] == ["extension admin"]
    assert request(f"http://127.0.0.1:{moved}", "/-/reload").status == 200
    assert millrace.stop().is_balanced()


def test_own_log_metrics_and_health_follow_the_configuration(start, http_backend):
    millrace = start({"otlp_http": exporter(http_backend)}, signals=("traces",))
    old = millrace.pipeline.metrics
    millrace.pipeline.metrics = free_port()
    millrace.pipeline.log_level = "error"
    rewrite(millrace)
    millrace.process.send_signal(signal.SIGHUP)
    until(lambda: _listens(millrace.pipeline.metrics) and not _listens(old), what="the new metrics address")
    assert millrace.metrics().sum("millrace_config_last_reload_successful") == 1
    lines = len(millrace.log_records)
    millrace.process.send_signal(signal.SIGHUP)
    until(lambda: millrace.metrics().sum("millrace_config_reloads", outcome="success") == 2)
    assert len(millrace.log_records) == lines, "something below the level was logged"
    # The same port with another setting: the old server makes room for the new one.
    millrace.pipeline.health_settings = {"path": "/health"}
    millrace.pipeline.log_level = "info"
    rewrite(millrace)
    millrace.process.send_signal(signal.SIGHUP)
    until(lambda: _health(millrace) == 404, what="the new health check")
    assert millrace.stop().is_balanced()


def _health(millrace) -> int | None:
    """The health check's status; None when its server was replaced while the request was on its way."""
    with contextlib.suppress(ConnectionError):
        return millrace.health()[0]


def _listens(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port), timeout=1).close()
        return True
    except OSError:
        return False


@pytest.mark.parametrize("count", [int(os.environ.get("RELOADS", "100"))])
def test_many_reloads_leave_nothing_behind(start, http_backend, count):
    port = free_port()
    millrace = start({"otlp_http": exporter(http_backend)}, BATCH, signals=("traces",),
                     service={"admin": {"endpoint": f"127.0.0.1:{port}"}})
    base = f"http://127.0.0.1:{port}"

    def held():
        process = f"/proc/{millrace.process.pid}"
        return len(os.listdir(f"{process}/fd")), len(os.listdir(f"{process}/task")), len(millrace.metrics().series)

    def reloads(numbers):
        for number in numbers:
            millrace.pipeline.exporters = {"otlp_http": exporter(http_backend, timeout=f"{1000 + number}s")}
            if number % 3 == 0:
                millrace.pipeline.exporters["otlp_http/other"] = exporter(http_backend)
            millrace.pipeline.processors = {"batch": {"timeout": f"{number % 7 + 1}ms"}}
            if number % 10 == 0:
                millrace.pipeline.http_settings = {"idle_timeout": f"{number + 60}s"}
            rewrite(millrace)
            assert request(base, "/-/reload").status == 200

    load = Load(millrace, senders=2)
    reloads(range(1, 32))
    load.stop()
    before, memory = held(), millrace.memory()
    load = Load(millrace, senders=2)
    reloads(range(32, 32 + count))
    load.stop()
    until(lambda: millrace.metrics().sum("millrace_ledger_in_flight") == 0, what="everything to drain")
    after = held()
    assert after[0] <= before[0] + 10 and after[1] <= before[1] + 4 and after[2] <= before[2] + 4, (before, after)
    assert millrace.memory() < memory + (24 << 20)
    sheet = millrace.stop()
    assert not load.accepted - arrived_at(http_backend), "an acknowledged item did not arrive"
    assert sheet.items("traces", "dropped") == 0 and sheet.is_balanced()
