"""prometheus-client on both ends: what it exposes is scraped, exposed again, and read by its parsers sample by sample."""

from __future__ import annotations

import threading
import urllib.request
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import prometheus_client
import pytest
from prometheus_client import CollectorRegistry, Counter, Enum, Gauge, Histogram, Info, Summary
from prometheus_client.core import (
    GaugeHistogramMetricFamily, GaugeMetricFamily, SummaryMetricFamily, UnknownMetricFamily)
from prometheus_client.openmetrics import exposition as open_metrics
from prometheus_client.openmetrics.parser import text_string_to_metric_families as parse_open_metrics
from prometheus_client.parser import text_string_to_metric_families as parse_text

from agent import Agent
from millrace import free_port, until

AWKWARD = ['a "quoted" one', "back\\slash", "two\nlines", "\\n is no line", "é 漢字 🎈", "", "{},=# ", " space "]
NUMBERS = {
    "nan": float("nan"), "inf": float("inf"), "-inf": float("-inf"), "-0": -0.0, "tiny": 5e-324,
    "large": 1.7976931348623157e308,
    "tenth": 0.1, "third": 1 / 3, "2^53+2": 9007199254740994.0, "negative": -1e-7,
}


class Families:
    """What the classes of the client cannot make."""

    def collect(self):
        quantiles = SummaryMetricFamily("quantiles", "With quantiles.", labels=["path"])
        for path in ("/a", "/b"):
            quantiles.add_metric([path], 12, 3.5)
            for quantile, value in (("0.0", 0.5), ("0.99", 2.0), ("1.0", float("nan"))):
                quantiles.add_sample("quantiles", {"path": path, "quantile": quantile}, value)
        yield quantiles
        yield UnknownMetricFamily("unheard", "Of no type.", value=3)
        yield GaugeHistogramMetricFamily(
            "waiting", "How long they wait.", buckets=[("1.0", 2), ("+Inf", 3)], gsum_value=4.5)
        yield GaugeMetricFamily("no_help", "", value=1)


def registry() -> CollectorRegistry:
    made = CollectorRegistry()
    counter = Counter("jobs", 'Help with "quotes", a back\\slash\nand two lines, and é.', ["kind"], registry=made)
    # No quotation mark in an exemplar: the client's own parser does not find the end of the labels then.
    for number, kind in enumerate(AWKWARD):
        counter.labels(kind).inc(number + 0.5, exemplar={"trace_id": f"{number + 1:032x}", "user": "é\\\n"})
    Counter("sent", "Bytes.", unit="bytes", registry=made).inc(1e15)
    gauge = Gauge("number", "Numbers.", ["is"], registry=made)
    for name, value in NUMBERS.items():
        gauge.labels(name).set(value)
    Gauge("temperature", "Degrees.", unit="celsius", registry=made).set(-3)
    histogram = Histogram(
        "latency", "Seconds.", ["path"], unit="seconds", buckets=(0.005, 0.1, 1, 10), registry=made)
    for path in ("/", "/\"x\""):
        for value in (0.003, 0.05, 0.5, 5, 50):
            histogram.labels(path).observe(value, exemplar={"span": str(value)})
    summary = Summary("size", "Sizes.", ["of"], registry=made)
    summary.labels("x").observe(2.5)
    Info("build", "What it is.", registry=made).info({"version": "1.2", "branch": 'a"b'})
    state = Enum("state", "Where it is.", ["of"], states=["on", "off", "somewhere else"], registry=made)
    state.labels("x").state("off")
    Counter("untouched", "Zero.", registry=made)
    made.register(Families())
    return made


class Exposing:
    """Serves one text."""

    def __init__(self, body: bytes, content_type: str):
        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self):
                self.send_response(200)
                self.send_header("Content-Type", content_type)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_):
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.address = f"127.0.0.1:{self.server.server_port}"

    def __enter__(self):
        threading.Thread(target=self.server.serve_forever, args=(0.02,), daemon=True).start()
        return self

    def __exit__(self, *_):
        self.server.shutdown()
        self.server.server_close()


FORMATS = {
    "text": (prometheus_client.generate_latest, "text/plain; version=0.0.4", parse_text),
    "openmetrics": (open_metrics.generate_latest, "application/openmetrics-text; version=1.0.0", parse_open_metrics),
}


class Copied:
    """The families that the parser reads from the original, and those that it reads from the copy."""

    def __init__(self, name: str, folder):
        encode, accept, parse = FORMATS[name]
        self.name = name
        body = encode(registry())
        self.original = {family.name: family for family in parse(body.decode())}
        with Exposing(body, accept + "; charset=utf-8") as exposing:
            copy = f"127.0.0.1:{free_port()}"
            agent = Agent(
                folder / "agent",
                {"scrape_configs": [{
                    "job_name": "client", "scrape_interval": "200ms", "scrape_timeout": "200ms",
                    "static_configs": [{"targets": [exposing.address]}]}]},
                {"prometheus": {"endpoint": copy, "enable_open_metrics": True}})
            try:
                call = urllib.request.Request(f"http://{copy}/metrics", headers={"Accept": accept})

                def read() -> str:
                    with urllib.request.urlopen(call, timeout=10) as reply:
                        return reply.read().decode()

                until(lambda: "\nup{" in read(), what="a scrape to be exposed")
                self.text = read()
                self.copy = {family.name: family for family in parse(self.text)}
                self.added = {
                    name: self.copy.pop(name) for name in list(self.copy) if name.startswith(("up", "scrape_", "target"))}
                self.identity = {"job": "client", "instance": exposing.address}
            finally:
                agent.kill()

    def samples(self, families: dict, identity: dict) -> dict:
        """Each sample by its name and labels, without job and instance.

        `le` and `quantile` are numbers, and an empty label is none.
        """
        found = {}
        for family in families.values():
            for sample in family.samples:
                labels = dict(sample.labels)
                for key, value in identity.items():
                    assert labels.pop(key) == value, sample
                key = sample.name, frozenset(
                    (key, float(value) if key in ("le", "quantile") else value) for key, value in labels.items() if value)
                assert key not in found, key
                found[key] = sample
        return found


@pytest.fixture(scope="module", params=FORMATS)
def copied(request, tmp_path_factory):
    return Copied(request.param, tmp_path_factory.mktemp("copied"))


def test_every_sample_is_the_same(copied):
    original, copy = copied.samples(copied.original, {}), copied.samples(copied.copy, copied.identity)
    assert len(original) >= 70
    assert set(copy) - set(original) == set()
    assert set(original) - set(copy) == set()
    for key, sample in original.items():
        if copied.name == "openmetrics" and key[0].endswith("_created"):
            # It became the start time of its series, and times of Prometheus are whole milliseconds.
            assert copy[key].value == pytest.approx(sample.value, abs=0.001, rel=0), key
        else:
            assert repr(float(copy[key].value)) == repr(float(sample.value)), key
        assert copy[key].timestamp is None, key


def test_every_exemplar_is_the_same(copied):
    def exemplars(samples):
        return {
            key: (sample.exemplar.labels, sample.exemplar.value,
                  pytest.approx(float(sample.exemplar.timestamp), abs=0.001, rel=0))
            for key, sample in samples.items() if sample.exemplar}

    original = exemplars(copied.samples(copied.original, {}))
    assert len(original) == (len(AWKWARD) + 2 * 5 if copied.name == "openmetrics" else 0)
    found = {
        key: (sample.exemplar.labels, sample.exemplar.value, float(sample.exemplar.timestamp))
        for key, sample in copied.samples(copied.copy, copied.identity).items() if sample.exemplar}
    assert found == original


def test_every_family_has_its_type_help_and_unit(copied):
    def said(families):
        return {name: (family.type, family.documentation, family.unit) for name, family in families.items()}

    original, copy = said(copied.original), said(copied.copy)
    help = original.pop("waiting")[1]
    if copied.name == "text":
        # The client calls a gauge histogram a histogram, but without sum and count no series of it can be one.
        assert copy.pop("waiting_bucket") == ("unknown", "", "")
    else:
        # OpenTelemetry has no gauge histograms: each part is a gauge of its own.
        assert [copy.pop(f"waiting_{part}") for part in ("bucket", "gcount", "gsum")] == [("unknown", help, "")] * 3
    different = {
        name: (original.get(name), copy.get(name))
        for name in original.keys() | copy.keys() if original.get(name) != copy.get(name)}
    assert different == {}
    assert len(original) > 10


def test_what_is_added_is_about_the_scrape_and_its_target(copied):
    target = "target" if copied.name == "openmetrics" else "target_info"
    assert set(copied.added) == {
        "up", "scrape_duration_seconds", "scrape_samples_scraped", "scrape_samples_post_metric_relabeling",
        "scrape_series_added", target}
    assert copied.added["up"].samples[0].value == 1
    assert copied.added["scrape_samples_scraped"].samples[0].value == len(copied.samples(copied.original, {}))
    assert copied.added[target].samples[0].labels.keys() == {
        "job", "instance", "server_address", "server_port", "url_scheme"}
