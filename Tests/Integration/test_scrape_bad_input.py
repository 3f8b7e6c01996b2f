"""Targets that answer badly: each fails alone, says why once, and takes nothing from the others.

All targets are good at first and go bad at the same moment, each in its own way, in front of one process.
"""

from __future__ import annotations

import contextlib
import gzip
import math
import time
from dataclasses import dataclass, field

import pytest

from agent import Agent
from millrace import until
from remote_write import SampleSink
from scrape_targets import OPEN_METRICS, TEXT, Targets, endless, reply, reset, slow

MEBIBYTE = 1 << 20
GOOD = "# TYPE victim gauge\nvictim 1\n"
INTERVAL = 1
SCRAPES = 3


@dataclass
class Case:
    """How a target goes bad, and what is to be seen of it."""

    answer: object
    #: The label of `millrace_prometheus_scrape_failures`; None where the scrape succeeds.
    reason: str | None = None
    #: Part of what the log says.
    text: str = ""
    settings: dict = field(default_factory=dict)
    #: Whether the series of before go on.
    keeps: bool = False
    #: The label of `millrace_prometheus_dropped_samples`.
    dropped: str | None = None
    #: Samples that are still to arrive.
    arrives: tuple = ()


def truncated(data: bytes) -> bytes:
    return data[:len(data) // 2]


def many_labels(count: int, length: int = 1) -> str:
    labels = ",".join(f'l{number}="{"v" * length}"' for number in range(count))
    return f"bomb{{{labels}}} 1\n"


LINES = "".join(f"other{{n=\"{number}\"}} {number}\n" for number in range(1000))
INVALID = "invalid_exposition"
CASES = {
    "bad-line": Case(reply(GOOD + "this is no sample\n" + "after 1\n"), INVALID, "line 3, column 6"),
    "bad-number": Case(reply(GOOD + "a 0x1g\n"), INVALID, "line 3"),
    "bad-timestamp": Case(reply("a 1 soon\n"), INVALID, "line 1"),
    "unclosed-quote": Case(reply('a{b="c} 1\n'), INVALID, "line 1"),
    "bad-escape": Case(reply('a{b="c\\q"'), INVALID, "line 1"),
    "invalid-utf8": Case(reply(b'a{b="\xff\xfe"} 1\n'), INVALID, "UTF-8"),
    "duplicate-label": Case(reply('a{b="1",b="2"} 1\n'), INVALID, "line 1"),
    "no-eof": Case(reply(GOOD, OPEN_METRICS), INVALID, "# EOF"),
    "after-eof": Case(reply(GOOD + "# EOF\na 1\n", OPEN_METRICS), INVALID, "EOF"),
    "empty-openmetrics": Case(reply("", OPEN_METRICS), INVALID, "# EOF"),
    "bad-protobuf": Case(
        reply(b"\xff\xff\xff\xff\x0f\x01", "application/vnd.google.protobuf; "
              "proto=io.prometheus.client.MetricFamily; encoding=delimited"), INVALID),
    "html": Case(reply("<html><body>Sign in</body></html>", "text/html"), INVALID, "line 1"),
    "other-type": Case(reply(GOOD, "application/json"), keeps=True),
    "no-type": Case(reply(GOOD, None), keeps=True),
    "fallback": Case(reply(GOOD + "# EOF\n", None), keeps=True,
                     settings={"fallback_scrape_protocol": "OpenMetricsText1.0.0"}),
    "fallback-misses": Case(reply(GOOD, "application/json"), INVALID, "# EOF",
                            settings={"fallback_scrape_protocol": "OpenMetricsText1.0.0"}),
    "empty": Case(reply("")),
    "truncated-gzip": Case(reply(truncated(gzip.compress(LINES.encode())), content_encoding="gzip"),
                           "encoding", "decompressed"),
    "not-gzip": Case(reply(GOOD, content_encoding="gzip"), "encoding", "decompressed"),
    "unasked-encoding": Case(reply(GOOD, content_encoding="compress"), "encoding", "nobody asked"),
    "gzip-bomb": Case(reply(gzip.compress(b"#" * (64 * MEBIBYTE)), content_encoding="gzip"),
                      "body_size_limit", "1048576 bytes", {"body_size_limit": "1MB"}),
    "endless": Case(endless(b"a 1\n"), "body_size_limit", "1048576 bytes", {"body_size_limit": "1MB"}),
    "slow": Case(slow(60), "timeout", settings={"scrape_timeout": "200ms"}),
    "reset": Case(reset, "interrupted"),
    "server-error": Case(reply("victim 1\n", status=500), "status", "500"),
    "no-content": Case(reply("", status=204), "status", "204"),
    "redirect-loop": Case(reply("", status=302, Location="/redirect-loop"), "invalid_answer", "Redirect"),
    "long-comment": Case(reply("# " + "x" * (10 * MEBIBYTE) + "\n" + GOOD), keeps=True),
    "long-garbage": Case(reply("x" * (10 * MEBIBYTE) + "\n" + GOOD), INVALID, "line 1"),
    "long-value": Case(reply('long{a="' + "x" * (10 * MEBIBYTE) + '"} 1\n' + GOOD), "label_limit",
                       settings={"label_value_length_limit": 1000}),
    "duplicate-series": Case(reply(GOOD + "victim 2\n"), keeps=True, dropped="duplicate"),
    "future": Case(reply(f"{GOOD}future 1 {int((time.time() + 86_400) * 1000)}\n"), keeps=True, dropped="future"),
    "many-labels": Case(reply(GOOD + many_labels(5000)), keeps=True, arrives=("bomb",)),
    "many-labels-limited": Case(reply(GOOD + many_labels(5000)), "label_limit", "label_limit",
                                {"label_limit": 30}),
    "large-labels": Case(reply(GOOD + many_labels(20, 100_000)), keeps=True, arrives=("bomb",)),
    "large-labels-limited": Case(reply(GOOD + many_labels(20, 100_000)), "label_limit", "label_value_length_limit",
                                 {"label_value_length_limit": 1000}),
    "long-label-name": Case(reply(GOOD + f'a{{{"n" * 1000}="1"}} 1\n'), "label_limit", "label_name_length_limit",
                            {"label_name_length_limit": 100}),
    "many-samples": Case(reply(LINES), "sample_limit", "sample_limit", {"sample_limit": 100}),
}


def job(targets: Targets, name: str, **settings) -> dict:
    return targets.job(name, **CASES[name].settings, **settings)


def exporter(sink: SampleSink) -> dict:
    return {"prometheus_remote_write": {
        "endpoint": sink.url, "tls": {"insecure": True}, "target_info": {"enabled": False}}}


@dataclass
class Seen:
    sink: SampleSink
    metrics: object
    log: list[dict]
    peak: int
    began: int


@pytest.fixture(scope="module")
def seen(tmp_path_factory):
    with contextlib.ExitStack() as stack:
        targets, sink = stack.enter_context(Targets()), stack.enter_context(SampleSink())
        targets["/healthy"] = "healthy 1\n"
        for name in CASES:
            targets[f"/{name}"] = GOOD
        agent = Agent(tmp_path_factory.mktemp("bad-input"), {
            "global": {"scrape_interval": f"{INTERVAL}s", "scrape_timeout": f"{INTERVAL}s"},
            "scrape_configs": [targets.job("healthy"), *(job(targets, name) for name in CASES)],
        }, exporter(sink))
        stack.callback(agent.kill)
        until(lambda: all(sink.values("victim", job=name) for name in CASES), what="every target to be up")
        began = int(time.time() * 1000)
        for name, case in CASES.items():
            targets[f"/{name}"] = case.answer

        def scrapes(name: str) -> int:
            return sum(time > began for time, _ in sink.samples("up", job=name))

        until(lambda: all(scrapes(name) > SCRAPES for name in [*CASES, "healthy"]),
              timeout=30, what="every target to be scraped")
        metrics, log, peak = agent.metrics(), agent.log_records, agent.memory("VmHWM")
        assert agent.stop().is_balanced()
        yield Seen(sink, metrics, log, peak, began)


@pytest.mark.parametrize("name", CASES)
def test_a_bad_target_is_down_where_prometheus_says_so(seen, name):
    case = CASES[name]
    # The scrape of the moment of change may have been either.
    values = [value for _, value in seen.sink.samples("up", job=name)][-3:-1]
    assert values == [0.0 if case.reason else 1.0] * 2, reports(seen, name)


def reports(seen, name: str) -> list[dict]:
    return [record for record in seen.log if record.get("job") == name]


@pytest.mark.parametrize("name", [name for name, case in CASES.items() if case.reason])
def test_the_reason_is_counted_and_told_once(seen, name):
    case = CASES[name]
    failures = {labels["reason"]: value for series, labels, value in seen.metrics.series
                if series == "millrace_prometheus_scrape_failures" and labels["job"] == name}
    assert failures.keys() == {case.reason} and failures[case.reason] >= SCRAPES - 1
    told = reports(seen, name)
    assert [record["msg"] for record in told] == ["a scrape failed"]
    assert case.text in told[0]["error"]
    assert len(told[0]["error"]) < 500


@pytest.mark.parametrize("name", [name for name, case in CASES.items() if not case.reason])
def test_what_is_no_failure_is_not_told(seen, name):
    assert reports(seen, name) == []
    assert seen.metrics.sum("millrace_prometheus_scrape_failures", job=name) == 0
    if dropped := CASES[name].dropped:
        assert seen.metrics.sum("millrace_prometheus_dropped_samples", job=name, reason=dropped) >= SCRAPES - 1
    else:
        assert seen.metrics.sum("millrace_prometheus_dropped_samples", job=name) == 0
    for series in CASES[name].arrives:
        assert seen.sink.series(series, job=name)


@pytest.mark.parametrize("name", CASES)
def test_the_series_of_a_failed_scrape_are_stale_at_once(seen, name):
    samples = seen.sink.samples("victim", job=name)
    markers = [time for time, value in samples if math.isnan(value)]
    assert len(markers) == 1
    # Its own end, or that of all series when the process ends.
    ups = [time for time, value in seen.sink.samples("up", job=name) if not math.isnan(value)]
    if CASES[name].keeps:
        assert markers[0] > ups[-1] and {value for _, value in samples[:-1]} == {1.0}
    else:
        assert markers[0] in ups and markers[0] < ups[-1] and samples[-1][0] == markers[0]


def test_nothing_of_a_failed_scrape_arrives(seen):
    for name in ("a", "after", "long", "other", "future"):
        assert seen.sink.series(name) == []


def test_a_healthy_target_is_scraped_in_every_interval(seen):
    samples = seen.sink.samples("healthy", job="healthy")[:-1]
    assert {value for _, value in samples} == {1.0}
    assert {value for _, value in seen.sink.samples("up", job="healthy")[:-1]} == {1.0}
    times = [time for time, _ in samples]
    assert all(after - before < 1800 * INTERVAL for before, after in zip(times, times[1:])), times


def test_memory_is_bounded(seen):
    assert seen.peak < 250 * MEBIBYTE


def test_what_no_limit_bounds_is_bounded_all_the_same(tmp_path):
    """Without a body_size_limit 256 MiB are read, as far as the time for the scrape lets them come."""
    with Targets() as targets, SampleSink() as sink:
        targets["/healthy"] = "healthy 1\n"
        targets["/endless"] = endless(b"a 1\n")
        targets["/bomb"] = reply(gzip.compress(b"#" * (300 * MEBIBYTE), 1), content_encoding="gzip")
        agent = Agent(tmp_path, {
            "global": {"scrape_interval": "1s", "scrape_timeout": "500ms"},
            "scrape_configs": [targets.job(name) for name in ("healthy", "endless", "bomb")]}, exporter(sink))
        try:
            until(lambda: all(len(sink.values("up", job=name)) > 2 for name in ("healthy", "endless", "bomb")),
                  what="every target to be scraped")
            assert set(sink.values("up", job="healthy")) == {1.0}
            assert set(sink.values("up", job="endless") + sink.values("up", job="bomb")) == {0.0}
            failures = agent.metrics()
            assert failures.sum("millrace_prometheus_scrape_failures", job="bomb", reason="body_size_limit") > 1
            assert sum(failures.sum("millrace_prometheus_scrape_failures", job="endless", reason=reason)
                       for reason in ("body_size_limit", "timeout")) > 1
            # Two bodies, each twice while it is moved to where it can grow.
            assert agent.memory("VmHWM") < 2 * 2 * 256 * MEBIBYTE
            assert agent.stop().is_balanced()
        finally:
            agent.kill()
