"""How targets are asked, and what becomes of their answers: over HTTP and TLS, through proxies, with all kinds of secrets."""

from __future__ import annotations

import base64
import json
import math
import select
import signal
import socket
import socketserver
import ssl
import struct
import threading
import time

import pytest
from opentelemetry.proto.metrics.v1 import metrics_pb2

from agent import Agent
from backends import HTTPBackend
from millrace import until
from remote_write import SampleSink
from scrape_targets import Targets, reply
from test_reload import reload, rewrite
from test_tls import Certificates

INTERVAL = "300ms"


@pytest.fixture
def targets():
    with Targets() as targets:
        yield targets


@pytest.fixture
def sink():
    with SampleSink() as sink:
        yield sink


@pytest.fixture
def scrape(tmp_path, sink):
    """`scrape(job, …)`: a running agent that writes to the sink."""
    running = []

    def _scrape(*jobs, exporters=None, receiver=None, **settings) -> Agent:
        agent = Agent(tmp_path / f"agent-{len(running)}", document(*jobs, **settings), exporters or {
            "prometheus_remote_write": {
                "endpoint": sink.url, "tls": {"insecure": True}, "target_info": {"enabled": False}}}, receiver=receiver)
        running.append(agent)
        return agent

    yield _scrape
    for agent in running:
        agent.kill()


@pytest.fixture(scope="module")
def certificates(tmp_path_factory):
    return Certificates(tmp_path_factory.mktemp("certificates"))


def document(*jobs, **settings) -> dict:
    return {"global": {"scrape_interval": INTERVAL, "scrape_timeout": INTERVAL, **settings},
            "scrape_configs": list(jobs)}


def seen(sink, name: str, **labels):
    until(lambda: sink.values(name, **labels), what=f"{name} {labels}")


def is_up(sink, job: str) -> bool:
    until(lambda: sink.values("up", job=job), what=f"a scrape of {job}")
    return sink.values("up", job=job)[-1] == 1


def error_of(agent, job: str) -> str:
    return next(record["error"] for record in agent.log_records if record.get("job") == job)


def test_redirects_are_followed_or_not(targets, sink, scrape):
    targets["/followed"] = targets["/not"] = reply(status=302, Location="/there")
    targets["/there"] = "here 1\n"
    agent = scrape(targets.job("followed"), targets.job("not", follow_redirects=False))
    seen(sink, "here", job="followed")
    assert not is_up(sink, "not") and "302" in error_of(agent, "not")
    assert not sink.series("here", job="not")


def guarded(expected):
    """Answers those who know the secret, which `expected()` tells."""
    def answer(request):
        if request.headers["Authorization"] == expected():
            return reply("secret 1\n")(request)
        return reply(status=401)(request)

    return answer


def test_credentials_are_sent_and_read_again(targets, sink, scrape, tmp_path):
    token, password = tmp_path / "token", tmp_path / "password"
    token.write_text("first\n")
    password.write_text("pass:word")
    accepted = "Bearer first"
    targets["/basic"] = guarded(lambda: "Basic " + base64.b64encode(b"user:pass:word").decode())
    targets["/typed"] = guarded(lambda: "Token abc")
    targets["/rotated"] = guarded(lambda: accepted)
    targets["/wrong"] = guarded(lambda: "Basic ?")
    agent = scrape(
        targets.job("basic", basic_auth={"username": "user", "password_file": str(password)}),
        targets.job("typed", authorization={"type": "Token", "credentials": "abc"}),
        targets.job("rotated", authorization={"credentials_file": str(token)}),
        targets.job("wrong", basic_auth={"username": "user", "password": "guess"}),
    )
    for job in ("basic", "typed", "rotated"):
        seen(sink, "secret", job=job)
    assert not is_up(sink, "wrong") and "401" in error_of(agent, "wrong")
    accepted = "Bearer second"
    until(lambda: sink.values("up", job="rotated")[-1] == 0, what="the old token to be refused")
    fresh = tmp_path / "token.new"
    fresh.write_text("second\n")
    fresh.rename(token)
    until(lambda: sink.values("up", job="rotated")[-1] == 1, what="the new token")
    assert "guess" not in agent.logs and "second" not in agent.logs


def test_tls_in_all_its_ways(sink, scrape, certificates):
    def context(name: str = "server", asks_for_client: bool = False) -> ssl.SSLContext:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificates[f"{name}.pem"], certificates[f"{name}.key"])
        if asks_for_client:
            context.verify_mode = ssl.CERT_REQUIRED
            context.load_verify_locations(certificates["ca.pem"])
        return context

    ca = {"ca_file": certificates["ca.pem"]}
    with (Targets(tls=context()) as plain, Targets(tls=context(asks_for_client=True)) as strict,
          Targets(tls=context("elsewhere")) as elsewhere):
        for targets in (plain, strict, elsewhere):
            for name in ("ca", "other-ca", "unverified", "name", "no-name", "client", "no-client", "stranger"):
                targets[f"/{name}"] = "a 1\n"
        agent = scrape(
            plain.job("ca", scheme="https", tls_config=ca),
            plain.job("other-ca", scheme="https", tls_config={"ca_file": certificates["other.pem"]}),
            plain.job("unverified", scheme="https", tls_config={"insecure_skip_verify": True}),
            elsewhere.job("name", scheme="https", tls_config={**ca, "server_name": "elsewhere.test"}),
            elsewhere.job("no-name", scheme="https", tls_config=ca),
            strict.job("client", scheme="https", tls_config={**ca, **certificates.pair("client")}),
            strict.job("no-client", scheme="https", tls_config=ca),
            strict.job("stranger", scheme="https", tls_config={**ca, **certificates.pair("stranger")}),
            scrape_interval="1s", scrape_timeout="1s",
        )
        for job in ("ca", "unverified", "name", "client"):
            seen(sink, "a", job=job)
        for job in ("other-ca", "no-name", "no-client", "stranger"):
            assert not is_up(sink, job) and not sink.series("a", job=job)
        for job in ("other-ca", "no-name"):
            assert "certificate" in error_of(agent, job)
        assert [value for _, value in sink.samples("a", job="ca")][0] == 1
        assert sink.series("a", job="ca")[0][0]["instance"] == plain.address


class Tunnel(socketserver.ThreadingTCPServer):
    """An HTTP proxy that knows CONNECT; `asked` holds its requests' heads."""

    daemon_threads = True
    allow_reuse_address = True

    def __init__(self):
        asked = self.asked = []

        class Handler(socketserver.BaseRequestHandler):
            def handle(self):
                head = b""
                while b"\r\n\r\n" not in head:
                    head += self.request.recv(4096)
                asked.append(head.decode())
                host, _, port = head.split()[1].decode().rpartition(":")
                with socket.create_connection((host, int(port))) as other:
                    self.request.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
                    pair = {self.request: other, other: self.request}
                    while True:
                        for ready in select.select(list(pair), [], [])[0]:
                            if not (data := ready.recv(65536)):
                                return
                            pair[ready].sendall(data)

        super().__init__(("127.0.0.1", 0), Handler)

    def handle_error(self, *_):
        """An end of the tunnel was cut."""


def test_a_proxy_is_tunnelled_through(targets, sink, scrape):
    targets["/proxied"] = targets["/spared"] = "a 1\n"
    with Tunnel() as proxy:
        threading.Thread(target=proxy.serve_forever, args=(0.02,), daemon=True).start()
        url = f"http://me:secret@127.0.0.1:{proxy.server_address[1]}"
        scrape(targets.job("proxied", proxy_url=url), targets.job("spared", proxy_url=url, no_proxy="127.0.0.0/8"))
        for job in ("proxied", "spared"):
            seen(sink, "a", job=job)
        proxy.shutdown()
    assert all(head.startswith(f"CONNECT {targets.address} ") for head in proxy.asked)
    # One tunnel serves all scrapes; the job that spares the proxy has made none.
    assert len(proxy.asked) == 1
    assert f"basic {base64.b64encode(b'me:secret').decode()}".lower() in proxy.asked[0].lower()


def test_the_request_is_what_the_configuration_says(targets, sink, scrape):
    targets["/asked"] = "a 1\n"
    scrape(targets.job("asked", params={"collect[]": ["cpu", "a b&c"], "x": ["ä"]}, enable_compression=False,
                       scrape_protocols=["OpenMetricsText1.0.0", "PrometheusText0.0.4"],
                       http_headers={"X-Tenant": {"values": ["blue"]}}))
    seen(sink, "a", job="asked")
    path, headers = targets.requests["/asked"][0]
    query = path.partition("?")[2]
    assert sorted(query.split("&")) == ["collect%5B%5D=a+b%26c", "collect%5B%5D=cpu", "x=%C3%A4"]
    assert headers["Accept"].startswith("application/openmetrics-text;version=1.0.0") and "text/plain" in headers["Accept"]
    assert "protobuf" not in headers["Accept"]
    assert headers["Accept-Encoding"] == "identity" and headers["X-Tenant"] == "blue"
    assert headers["X-Prometheus-Scrape-Timeout-Seconds"] == "0.3"
    assert headers["User-Agent"].lower().startswith("millrace")


def test_labels_of_samples_and_of_targets(targets, sink, scrape):
    targets["/honored"] = targets["/renamed"] = 'a{job="own",instance="x",zone="here"} 1\n'
    groups = [{"targets": [targets.address], "labels": {"zone": "there"}}]
    scrape({**targets.job("honored", honor_labels=True), "static_configs": groups},
           {**targets.job("renamed"), "static_configs": groups})
    seen(sink, "a", job="own", instance="x", zone="here")
    seen(sink, "a", job="renamed", instance=targets.address, zone="there", exported_job="own",
         exported_instance="x", exported_zone="here")
    seen(sink, "up", job="honored", instance=targets.address, zone="there")


def test_timestamps_are_taken_or_not(targets, sink, scrape):
    given = int(time.time() * 1000) - 5000
    targets["/taken"] = targets["/own"] = targets["/tracked"] = f"a 1 {given}\n"
    scrape(targets.job("taken"), targets.job("own", honor_timestamps=False),
           targets.job("tracked", track_timestamps_staleness=True))
    for job in ("taken", "own", "tracked"):
        seen(sink, "a", job=job)
    assert {time for time, _ in sink.samples("a", job="taken")} == {given}
    ups = {time for time, _ in sink.samples("up", job="own")}
    assert {time for time, _ in sink.samples("a", job="own")} <= ups
    for job in ("taken", "own", "tracked"):
        targets[f"/{job}"] = "b 1\n"
    for job in ("own", "tracked"):
        until(lambda: sink.is_stale("a", job=job), what=f"the end of a in {job}")
    seen(sink, "b", job="taken")
    # A series that has timestamps of its own ends without a marker.
    assert not sink.is_stale("a", job="taken")


def test_samples_are_dropped_and_renamed(targets, sink, scrape):
    targets["/relabeled"] = 'keep_me{id="7"} 1\ndebug_a 2\ndebug_b 3\n'
    scrape(targets.job("relabeled", metric_relabel_configs=[
        {"source_labels": ["__name__"], "regex": "debug_.*", "action": "drop"},
        {"source_labels": ["__name__"], "regex": "keep_(.*)", "target_label": "__name__", "replacement": "kept_$$1"},
        {"source_labels": ["id"], "regex": "(.*)", "target_label": "number", "replacement": "n$${1}"},
        {"regex": "id", "action": "labeldrop"},
    ]))
    seen(sink, "kept_me", job="relabeled", number="n7")
    labels, _ = sink.series("kept_me")[0]
    assert labels.keys() == {"__name__", "job", "instance", "number"}
    for name in ("keep_me", "debug_a", "debug_b"):
        assert not sink.series(name)
    assert sink.values("scrape_samples_scraped", job="relabeled")[0] == 3
    assert sink.values("scrape_samples_post_metric_relabeling", job="relabeled")[0] == 1


def field(number: int, value) -> bytes:
    """One field of a protobuf message: a float is a double, bytes and text have a length."""
    if isinstance(value, float):
        return bytes((number << 3 | 1,)) + struct.pack("<d", value)
    if isinstance(value, int):
        return bytes((number << 3,)) + varint(value)
    data = value.encode() if isinstance(value, str) else value
    return bytes((number << 3 | 2,)) + varint(len(data)) + data


def varint(value: int) -> bytes:
    out = b""
    while value > 0x7F:
        out += bytes((value & 0x7F | 0x80,))
        value >>= 7
    return out + bytes((value,))


def zigzag(value: int) -> int:
    return value * 2 if value >= 0 else -value * 2 - 1


def native_histogram() -> bytes:
    """`io.prometheus.client.MetricFamily` with its length: two observations in (1, 2], one in (2, 4], one of zero."""
    span = field(1, zigzag(1)) + field(2, 2)
    histogram = (field(1, 4) + field(2, 6.5) + field(5, zigzag(0)) + field(6, 1e-9) + field(7, 1) + field(12, span)
                 + field(13, varint(zigzag(2)) + varint(zigzag(-1))))
    label = field(1, "code") + field(2, "200")
    family = (field(1, "latency_seconds") + field(2, "Latency.") + field(3, 4)
              + field(4, field(1, label) + field(7, histogram)))
    return varint(len(family)) + family


def test_native_histograms_are_asked_for_and_read(targets, scrape):
    kind = "application/vnd.google.protobuf; proto=io.prometheus.client.MetricFamily; encoding=delimited"
    targets["/native"] = reply(native_histogram(), kind)
    with HTTPBackend() as backend:
        scrape(targets.job("native", scrape_native_histograms=True, scrape_protocols=[
            "PrometheusProto", "OpenMetricsText1.0.0", "PrometheusText0.0.4"]), exporters={
                "otlp_http": {"endpoint": backend.endpoint, "tls": {"insecure": True}}})
        found = until(lambda: [
            metric for request in backend.messages("metrics") for resource in request.resource_metrics
            for scope in resource.scope_metrics for metric in scope.metrics if metric.name == "latency_seconds"],
            what="the histogram")
    assert targets.requests["/native"][0][1]["Accept"].startswith("application/vnd.google.protobuf;")
    assert found[0].WhichOneof("data") == "exponential_histogram" and found[0].description == "Latency."
    histogram = found[0].exponential_histogram
    assert histogram.aggregation_temporality == metrics_pb2.AGGREGATION_TEMPORALITY_CUMULATIVE
    point = histogram.data_points[0]
    assert (point.count, point.sum, point.scale, point.zero_count) == (4, 6.5, 0, 1)
    assert (point.positive.offset, list(point.positive.bucket_counts)) == (0, [2, 1])
    assert {pair.key: pair.value.string_value for pair in point.attributes} == {"code": "200"}


def test_targets_of_files_come_and_go(targets, sink, scrape, tmp_path):
    targets["/found"] = "a 1\n"
    port = targets.server.server_port
    path = tmp_path / "targets.json"

    def write(*hosts: str):
        fresh = tmp_path / "targets.new"
        fresh.write_text(json.dumps([{"targets": [f"{host}:{port}" for host in hosts], "labels": {"from": "file"}}]))
        fresh.rename(path)

    write("127.0.0.1")
    agent = scrape({"job_name": "found", "metrics_path": "/found", "file_sd_configs": [{"files": [str(path)]}]})
    first, second = ({"job": "found", "from": "file", "instance": f"{host}:{port}"} for host in ("127.0.0.1", "localhost"))
    seen(sink, "a", **first)
    write("127.0.0.1", "localhost")
    seen(sink, "a", **second)
    write("localhost")
    for name in ("a", "up", "scrape_duration_seconds"):
        until(lambda: sink.is_stale(name, **first), what=f"the end of {name}")
    path.write_text("[{")
    until(lambda: any("targets.json" in record.get("file", "") for record in agent.log_records), what="the complaint")
    before = len(sink.values("a", **second))
    until(lambda: len(sink.values("a", **second)) > before + 2, what="the target to be scraped as before")
    assert not any(map(math.isnan, sink.values("a", **second)))


@pytest.mark.parametrize("scrapes", [True, False])
def test_the_last_scrape_is_at_shutdown_if_wanted(targets, sink, scrape, scrapes):
    targets["/last"] = "a 1\n"
    agent = scrape(targets.job("last"), receiver={"scrape_on_shutdown": scrapes, "initial_scrape_offset": "10ms"},
                   scrape_interval="1h", scrape_timeout="10s")
    seen(sink, "a", job="last")
    targets["/last"] = "a 2\n"
    assert agent.stop().is_balanced()
    values = sink.values("a", job="last")
    assert values[:-1] == ([1, 2] if scrapes else [1]) and math.isnan(values[-1])


def test_a_reload_that_changes_one_job_leaves_the_others_without_a_gap(targets, sink, scrape, tmp_path):
    jobs = ("changed", "same", "found")
    for job in jobs:
        targets[f"/{job}"] = "a 1\nb 1\n"
    path = tmp_path / "targets.json"
    path.write_text(json.dumps([{"targets": [targets.address]}]))
    same = [targets.job("same"), {"job_name": "found", "metrics_path": "/found", "file_sd_configs": [
        {"files": [str(path)]}]}]
    agent = scrape(targets.job("changed"), *same)
    for job in jobs:
        seen(sink, "a", job=job)
    for _ in range(2):
        # The first reload drops a series, the second takes it back.
        rules = [] if sink.is_stale("b", job="changed") else [
            {"source_labels": ["__name__"], "regex": "b", "action": "drop"}]
        agent.pipeline.scrape = document(targets.job("changed", metric_relabel_configs=rules), *same)
        assert reload(agent)["replaced_names"] == "receiver prometheus"
        before = {job: len(sink.values("a", job=job)) for job in jobs}
        until(lambda: all(len(sink.values("a", job=job)) > before[job] + 2 for job in jobs), what="more scrapes")
        if rules:
            assert sink.is_stale("b", job="changed")
    for job in ("same", "found"):
        for name in ("a", "b", "up"):
            values = sink.values(name, job=job)
            assert set(values) == {1.0}, sink.samples(name, job=job)
        # Nothing is new to them: the series were known all the time.
        assert set(sink.values("scrape_series_added", job=job)[1:]) == {0.0}
    assert agent.metrics().sum("millrace_prometheus_targets", state="up") == 3
    # A vanishing series is still noticed by who took over.
    targets["/same"] = "a 1\n"
    until(lambda: sink.is_stale("b", job="same"), what="the end of b")
    agent.pipeline.scrape = document(targets.job("changed"))
    reload(agent)
    for job in ("same", "found"):
        for name in ("a", "up"):
            until(lambda: sink.is_stale(name, job=job), what=f"the end of {name} in {job}")
    assert agent.stop().is_balanced()
    until(lambda: sink.is_stale("a", job="changed"), what="the end of all")


def test_a_reload_that_fails_leaves_all_series_without_a_gap(targets, sink, scrape, tmp_path):
    targets["/same"] = "a 1\n"
    agent = scrape(targets.job("same"))
    seen(sink, "a", job="same")
    agent.pipeline.scrape = document(targets.job("same"), targets.job(
        "broken", authorization={"credentials_file": str(tmp_path / "missing")}))
    rewrite(agent)
    agent.process.send_signal(signal.SIGHUP)
    until(lambda: agent.metrics().sum("millrace_config_last_reload_successful") == 0, what="the refusal")
    before = len(sink.values("a", job="same"))
    until(lambda: len(sink.values("a", job="same")) > before + 2, what="more scrapes")
    assert set(sink.values("a", job="same")) == {1.0}
    assert agent.stop().is_balanced()
    assert sink.is_stale("a", job="same")
