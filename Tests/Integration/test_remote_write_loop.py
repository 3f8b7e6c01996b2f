"""From one Millrace to another over remote write: what comes out is what the first would have sent to Prometheus itself."""

from __future__ import annotations

import contextlib
import json
import time

import pytest

from millrace import Millrace, Pipeline, free_port
from remote_write import Request, RequestSink
from stack_servers import Prometheus
from test_remote_write import CUMULATIVE, add_point, new_request, send

VERSIONS = {"1.0": "prometheus.WriteRequest", "2.0": "io.prometheus.write.v2.Request"}
SECOND = 10**9
TRACE, SPAN = bytes(range(16)), bytes(range(8))


class Receiving(Pipeline):
    """Remote write into a file and on into Prometheus."""

    def __init__(self, path, prometheus: Prometheus):
        super().__init__(
            {"file": {"path": str(path)}, "prometheus_remote_write": to(prometheus.write_url, VERSIONS["1.0"])},
            signals=("metrics",))
        self.remote_write = free_port()

    def document(self):
        document = super().document()
        document["receivers"]["prometheus_remote_write"] = {"endpoint": f"127.0.0.1:{self.remote_write}"}
        document["service"]["pipelines"]["metrics"]["receivers"] = ["otlp", "prometheus_remote_write"]
        return document


def to(url: str, message: str) -> dict:
    return {"endpoint": url, "tls": {"insecure": True}, "protobuf_message": message, "send_metadata": True}


def round_of(number: int, at: int, start: int):
    """Every kind of point, at its `number`th report; `gone` ends with the last."""
    request, scope = new_request({
        "service.namespace": "shop", "service.name": "api", "service.instance.id": "i-1", "host.name": "h"})
    scope.scope.name, scope.scope.version = "meter", "1.2"

    def point(points, **attributes):
        added = add_point(points, at, **attributes)
        added.start_time_unix_nano = start
        return added

    gauge = scope.metrics.add(name="queue.size", unit="By", description='How much "waits"\nin \\bytes.')
    for value, name in ((2.5, "x"), (float("inf"), "é \"q\" \\ \n"), (-0.0, "zero")):
        point(gauge.gauge.data_points, **{"a.b": name}).as_double = value
    ratio = scope.metrics.add(name="fill", unit="1")
    point(ratio.gauge.data_points).as_double = 0.5 / (number + 1)
    counter = scope.metrics.add(name="requests", unit="{request}", description="Asked.")
    counter.sum.aggregation_temporality, counter.sum.is_monotonic = CUMULATIVE, True
    added = point(counter.sum.data_points, method="GET")
    added.as_int = 7 + number
    exemplar(added, at, 1)
    level = scope.metrics.add(name="level")
    level.sum.aggregation_temporality = CUMULATIVE
    point(level.sum.data_points).as_int = -number
    histogram = scope.metrics.add(name="latency", unit="s", description="How long.")
    histogram.histogram.aggregation_temporality = CUMULATIVE
    added = point(histogram.histogram.data_points)
    added.explicit_bounds.extend([0.1, 1]), added.bucket_counts.extend([1, 2 + number, 3])
    added.count, added.sum = 6 + number, 9.5
    exemplar(added, at, 0.3)
    native = scope.metrics.add(name="size", unit="By", description="How large.")
    native.exponential_histogram.aggregation_temporality = CUMULATIVE
    added = point(native.exponential_histogram.data_points)
    added.scale, added.count, added.sum, added.zero_count, added.zero_threshold = 2, 12 + number, 20, 1 + number, 1e-6
    added.positive.offset, added.negative.offset = -3, 1
    added.positive.bucket_counts.extend([2, 0, 0, 0, 0, 3, 1])
    added.negative.bucket_counts.extend([4, 1])
    exemplar(added, at, 2.5)
    summary = scope.metrics.add(name="age", unit="ms")
    added = point(summary.summary.data_points)
    added.count, added.sum = 2 + number, 5
    for quantile in (0, 0.5, 1):
        added.quantile_values.add(quantile=quantile, value=1.5 + quantile)
    gone = scope.metrics.add(name="gone")
    added = point(gone.gauge.data_points)
    added.as_int, added.flags = number, int(number == 2)
    return request


def exemplar(point, at: int, value: float):
    added = point.exemplars.add(time_unix_nano=at, as_double=value, trace_id=TRACE, span_id=SPAN)
    added.filtered_attributes.add(key="user").value.string_value = "u"


class Looped:
    """What both Prometheus hold, what the second Millrace wrote down, and the first one's own requests of 2.0."""

    def __init__(self, folder, stack, message: str):
        self.message = message
        enter = stack.enter_context
        self.direct, self.looped = (enter(Prometheus(folder / name, name=name)) for name in ("direct", "looped"))
        self.sink = enter(RequestSink())
        self.file = folder / "out.json"
        receiving = Receiving(self.file, self.looped)
        self.second = Millrace(receiving, folder / "second")
        stack.callback(self.second.kill)
        exporters = {
            "prometheus_remote_write/direct": to(self.direct.write_url, VERSIONS["1.0"]),
            "prometheus_remote_write/loop": to(f"http://127.0.0.1:{receiving.remote_write}/api/v1/write", message),
            "prometheus_remote_write/recorded": to(self.sink.url, VERSIONS["2.0"]),
        }
        first = Millrace(Pipeline(exporters, signals=("metrics",)), folder / "first")
        stack.callback(first.kill)
        now = time.time_ns() // SECOND * SECOND
        self.times = [now - (3 - number) * SECOND for number in range(3)]
        self.start = now - 60 * SECOND
        for number, at in enumerate(self.times):
            send(first, round_of(number, at, self.start))
        for millrace in (first, self.second):
            sheet = millrace.stop()
            assert sheet.is_balanced()
            assert sheet.items("metrics", "dropped") == 0 and sheet.items("metrics", "rejected") == 0, millrace.logs

    @property
    def end(self) -> float:
        return self.times[-1] / SECOND

    def metrics(self) -> dict[str, dict]:
        """The last form of each metric in the second one's file, by name."""
        return {
            metric["name"]: metric
            for line in self.file.read_text().splitlines() for resource in json.loads(line)["resourceMetrics"]
            for scope in resource["scopeMetrics"] for metric in scope["metrics"]
        }


@pytest.fixture(scope="module", params=VERSIONS)
def loop(request, tmp_path_factory):
    with contextlib.ExitStack() as stack:
        yield Looped(tmp_path_factory.mktemp("loop"), stack, VERSIONS[request.param])


def held(prometheus: Prometheus, at: float) -> dict[frozenset, dict]:
    """Each series with its raw samples and native histograms, as the API writes them."""
    return {
        frozenset(series.pop("metric").items()): series
        for series in prometheus.query('{__name__=~".+"}[5m]', at + 1)
    }


def test_series_samples_and_native_histograms_are_the_same(loop):
    direct, looped = (held(prometheus, loop.end) for prometheus in (loop.direct, loop.looped))
    assert len(direct) == 19
    assert set(looped) == set(direct)
    assert looped == direct
    native = next(series for labels, series in direct.items() if dict(labels)["__name__"] == "size_bytes")
    assert [histogram["count"] for _, histogram in native["histograms"]] == ["12", "13", "14"]


def test_exemplars_are_the_same(loop):
    def found(prometheus):
        answer = prometheus.api(
            "query_exemplars", query='{__name__=~".+"}', start=loop.end - 60, end=loop.end + 60)
        return {frozenset(entry["seriesLabels"].items()): entry["exemplars"] for entry in answer}

    direct = found(loop.direct)
    assert {dict(labels)["__name__"] for labels in direct} >= {"requests_total", "latency_seconds_bucket"}
    assert found(loop.looped) == direct
    labels = {"trace_id": TRACE.hex(), "span_id": SPAN.hex(), "user": "u"}
    assert all(one["labels"] == labels for exemplars in direct.values() for one in exemplars)


def test_a_series_that_ended_is_stale_in_both(loop):
    for prometheus in (loop.direct, loop.looped):
        assert [value for _, value in prometheus.value("gone", loop.end - 1)] == [1], prometheus.name
        assert prometheus.value("gone", loop.end) == [], prometheus.name
        assert prometheus.value("fill_ratio", loop.end), prometheus.name


def test_types_helps_units_and_start_times_survive(loop):
    """1.0 tells types, helps and units beside the series, where `send_metadata` is set; it has no start times."""
    start = loop.start if loop.message == VERSIONS["2.0"] else 0
    metrics = loop.metrics()
    for name, data, help, unit in (
        ("queue_size_bytes", "gauge", 'How much "waits"\nin \\bytes.', "bytes"),
        ("fill_ratio", "gauge", "", ""),
        ("requests_total", "sum", "Asked.", ""),
        # Classic histograms and summaries stay the series that they are; `prometheus.type` tells the family's type.
        ("latency_seconds_bucket", "gauge", "How long.", "seconds"),
        ("latency_seconds_count", "gauge", "How long.", "seconds"),
        ("size_bytes", "exponentialHistogram", "How large.", "bytes"),
        ("age_milliseconds", "gauge", "", "milliseconds"),
    ):
        assert name in metrics, sorted(metrics)
        metric = metrics[name]
        assert data in metric and metric.get("description", "") == help, metric
        assert metric.get("unit", "") == unit, metric
        assert {int(point.get("startTimeUnixNano", 0)) for point in metric[data]["dataPoints"]} == {start}, name
        types = {entry["key"]: entry["value"]["stringValue"] for entry in metric["metadata"]}
        kind, *_ = METADATA[next(family for family in METADATA if name.startswith(family))]
        assert types == {"prometheus.type": {1: "counter", 2: "gauge", 3: "histogram", 5: "summary"}[kind]}, name
    assert metrics["requests_total"]["sum"]["isMonotonic"]


def test_an_independent_decoder_reads_the_2_0_requests(loop):
    found: dict[frozenset, list] = {}
    for headers, request in loop.sink.requests:
        assert headers["content-type"] == "application/x-protobuf;proto=io.prometheus.write.v2.Request"
        assert headers["content-encoding"] == "snappy"
        assert headers["x-prometheus-remote-write-version"] == "2.0.0"
        assert headers["user-agent"].startswith("Millrace/")
        assert request.symbols[0] == "" and len(set(request.symbols)) == len(request.symbols)
        assert not has_unknown(request)
        for series in request.timeseries:
            texts = [request.symbols[ref] for ref in series.labels_refs]
            names = texts[::2]
            assert names == sorted(set(names)) and all(texts)
            assert bool(series.samples) != bool(series.histograms)
            found.setdefault(frozenset(zip(names, texts[1::2])), []).append((series, request.symbols))
    direct = held(loop.direct, loop.end)
    gone = {labels for labels in found if dict(labels)["__name__"] == "gone"}
    assert set(found) == set(direct) and len(gone) == 1
    for labels, parts in found.items():
        for series, symbols in parts:
            start = {sample.start_timestamp for sample in [*series.samples, *series.histograms]}
            name = dict(labels)["__name__"]
            kind, help, unit = METADATA[next(family for family in METADATA if name.startswith(family))]
            assert (series.metadata.type, symbols[series.metadata.help_ref], symbols[series.metadata.unit_ref]) == (
                kind, help, unit), name
            assert start == {series.created_timestamp} == ({loop.start // 10**6} if kind != 6 else {0}), name
        samples = [(sample.timestamp / 1000, sample.value) for series, _ in parts for sample in series.samples]
        if labels in gone:
            assert samples.pop()[1] != 0
        wanted = [(at, float(value)) for at, value in direct[labels].get("values", [])]
        assert repr([(float(at), value) for at, value in samples]) == repr([(float(at), v) for at, v in wanted]), labels
    native, _ = next(parts for labels, parts in found.items() if dict(labels)["__name__"] == "size_bytes")[0]
    histogram = native.histograms[0]
    assert (histogram.count_int, histogram.sum, histogram.schema, histogram.zero_count_int) == (12, 20, 2, 1)
    # OTLP's bucket i is (b^i, b^(i+1)], Prometheus' is (b^(i-1), b^i]. A short gap is written as empty buckets.
    assert buckets(histogram.positive_spans, histogram.positive_deltas) == {-2: 2, 3: 3, 4: 1}
    assert buckets(histogram.negative_spans, histogram.negative_deltas) == {2: 4, 3: 1}
    assert histogram.zero_threshold == 1e-6
    references = [symbols_of(parts[0][1], entry) for parts in found.values() for entry in parts[0][0].exemplars]
    assert references and all(
        one == {"trace_id": TRACE.hex(), "span_id": SPAN.hex(), "user": "u"} for one in references)


# (type, help, unit): 1 counter, 2 gauge, 3 histogram, 5 summary, 6 info. A `1` of OTLP is no unit of Prometheus.
METADATA = {
    "queue_size_bytes": (2, 'How much "waits"\nin \\bytes.', "bytes"), "fill_ratio": (2, "", ""),
    "requests_total": (1, "Asked.", ""), "level": (2, "", ""), "latency_seconds": (3, "How long.", "seconds"),
    "size_bytes": (3, "How large.", "bytes"), "age_milliseconds": (5, "", "milliseconds"), "gone": (2, "", ""),
    "target_info": (6, "Target metadata", ""),
}


def has_unknown(request: Request) -> bool:
    """Whether anything in it is unknown to the descriptors: encoding drops nothing else."""
    size = request.ByteSize()
    request.DiscardUnknownFields()
    return request.ByteSize() != size


def symbols_of(symbols, entry) -> dict:
    texts = [symbols[ref] for ref in entry.labels_refs]
    return dict(zip(texts[::2], texts[1::2]))


def buckets(spans, deltas) -> dict[int, int]:
    """The counts of a native histogram by the index of their bucket, without empty ones."""
    found, index, count, rest = {}, 0, 0, iter(deltas)
    for span in spans:
        index += span.offset
        for _ in range(span.length):
            count += next(rest)
            if count:
                found[index] = count
            index += 1
    assert next(rest, None) is None
    return found
