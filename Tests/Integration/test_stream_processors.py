"""Processors that know streams: against what the OpenTelemetry SDK itself makes of the same measurements, and with every
item that became part of another accounted for."""

from __future__ import annotations

import math
import random
import threading

import pytest
from opentelemetry.exporter.otlp.proto.common.metrics_encoder import encode_metrics
from opentelemetry.exporter.otlp.proto.http.metric_exporter import OTLPMetricExporter
from opentelemetry.sdk.metrics import Counter, Histogram, MeterProvider, UpDownCounter
from opentelemetry.sdk.metrics.export import (
    AggregationTemporality,
    InMemoryMetricReader,
    PeriodicExportingMetricReader,
)
from opentelemetry.sdk.metrics.view import ExponentialBucketHistogramAggregation, View

import otlp
from client import post
from millrace import until

CUMULATIVE, DELTA = AggregationTemporality.CUMULATIVE, AggregationTemporality.DELTA


def otlp_http(backend) -> dict:
    return {"otlp_http": {"endpoint": f"http://127.0.0.1:{backend.port}", "encoding": "proto"}}


def temporality(wanted) -> dict:
    return {Counter: wanted, Histogram: wanted, UpDownCounter: CUMULATIVE}


def points(message, wanted) -> dict:
    """Counts and buckets of every stream that measured something, by name and attributes."""
    found = {}
    for resource in message.resource_metrics:
        for scope in resource.scope_metrics:
            for metric in scope.metrics:
                kind = metric.WhichOneof("data")
                data = getattr(metric, kind)
                if metric.name != "balance":
                    assert data.aggregation_temporality == wanted, metric.name
                for point in data.data_points:
                    key = metric.name, tuple(sorted((item.key, str(item.value)) for item in point.attributes))
                    value = content(kind, point, wanted)
                    if value is not None:
                        assert key not in found, f"{key} came twice"
                        found[key] = value
    return found


def content(kind: str, point, wanted):
    if kind == "sum":
        value = point.as_int if point.WhichOneof("value") == "as_int" else round(point.as_double, 6)
        return value if value or wanted == CUMULATIVE.value else None
    if point.count == 0:
        return None
    extremes = (point.min, point.max) if wanted == CUMULATIVE.value else ()
    shared = point.count, round(point.sum, 6), *extremes
    if kind == "histogram":
        return *shared, tuple(point.bucket_counts), tuple(point.explicit_bounds)
    return *shared, point.zero_count, buckets(point.scale, point.positive), buckets(point.scale, point.negative)


def buckets(scale: int, counted) -> tuple:
    """What was counted at scale 0: how fine the buckets are is up to whoever adds them up."""
    assert scale >= 0
    joined: dict[int, int] = {}
    for position, count in enumerate(counted.bucket_counts):
        if count:
            index = (counted.offset + position) >> scale
            joined[index] = joined.get(index, 0) + count
    return tuple(sorted(joined.items()))


def close(a, b) -> bool:
    """Sums of doubles depend on the order in which they were added."""
    if isinstance(a, float) and isinstance(b, float):
        return math.isclose(a, b, rel_tol=1e-9, abs_tol=1e-4)
    if isinstance(a, tuple) and isinstance(b, tuple):
        return len(a) == len(b) and all(close(x, y) for x, y in zip(a, b))
    return a == b


@pytest.mark.parametrize("processor, sent, made", [
    ("cumulativetodelta", CUMULATIVE, DELTA), ("deltatocumulative", DELTA, CUMULATIVE)])
def test_temporality_is_what_the_sdk_makes_of_the_same_measurements(start, http_backend, processor, sent, made):
    millrace = start(otlp_http(http_backend), {processor: {}}, signals=("metrics",))
    exporter = OTLPMetricExporter(f"{millrace.http}/v1/metrics", preferred_temporality=temporality(sent))
    reader = PeriodicExportingMetricReader(exporter, export_interval_millis=math.inf)
    oracle = InMemoryMetricReader(preferred_temporality=temporality(made))
    provider = MeterProvider(
        [reader, oracle], shutdown_on_exit=False, views=[
            View(instrument_name="exponential", aggregation=ExponentialBucketHistogramAggregation(max_size=40))])
    meter = provider.get_meter("shop", "1.0")
    counter, doubles = meter.create_counter("count"), meter.create_counter("doubles")
    balance = meter.create_up_down_counter("balance")
    histogram, exponential = meter.create_histogram("histogram"), meter.create_histogram("exponential")
    dice = random.Random(6)
    known: dict = {}
    for number in range(8):
        for _ in range(dice.randrange(1, 60)):
            attributes = {"route": f"/{dice.randrange(6)}", "ok": dice.random() < 0.5}
            counter.add(dice.randrange(10), attributes)
            doubles.add(dice.random(), dict(reversed(attributes.items())))
            balance.add(dice.randrange(-5, 5), attributes)
            histogram.record(dice.randrange(10_000), attributes)
            exponential.record(dice.choice([0, dice.uniform(0.1, 5_000)]), attributes)
        assert reader.force_flush()
        received = until(lambda: (http_backend.messages("metrics") + [None] * (number + 1))[number], what="metrics")
        wanted = points(encode_metrics(oracle.get_metrics_data()), made.value)
        # A stream that measured nothing has no delta, but its sum is still what it was.
        known = {**(known if made is CUMULATIVE else {}), **points(received, made.value)}
        wrong = {key: (known.get(key), wanted.get(key)) for key in known | wanted
                 if not close(known.get(key), wanted.get(key))}
        assert not wrong, f"round {number}: {wrong}"
    provider.shutdown()
    sheet = millrace.stop()
    assert sheet.is_balanced()
    assert sheet.items("metrics", "filtered") == sheet.items("metrics", "dropped") == 0


def gauge(name: str, value: int, time: int, **attributes) -> bytes:
    request = otlp.REQUEST["metrics"]()
    metric = request.resource_metrics.add().scope_metrics.add().metrics.add(name=name)
    point = metric.gauge.data_points.add(as_int=value, time_unix_nano=time)
    for key, text in attributes.items():
        point.attributes.add(key=key).value.string_value = text
    return request.SerializeToString()


def test_metrics_are_transformed_and_only_the_latest_goes_on(start, http_backend):
    millrace = start(otlp_http(http_backend), {
        "metricstransform": {"transforms": [
            {"include": "^cpu[.](?P<core>.*)$$", "match_type": "regexp", "action": "combine", "new_name": "cpu.usage"},
            {"include": "cpu.usage", "action": "update", "operations": [
                {"action": "experimental_scale_value", "experimental_scale": 10}]},
        ]},
        "interval": {"interval": "400ms"},
    }, signals=("metrics",))
    for time in range(1, 31):
        for core in range(3):
            answer = post(millrace.http, "metrics", gauge(f"cpu.{core}", time, time, host="a"))
            assert answer.status == 200
    millrace.terminate()
    sheet = millrace.stop()
    latest = {}
    for message in http_backend.messages("metrics"):
        for resource in message.resource_metrics:
            for metric in resource.scope_metrics[0].metrics:
                assert metric.name == "cpu.usage"
                for point in metric.gauge.data_points:
                    labels = {item.key: item.value.string_value for item in point.attributes}
                    assert labels["host"] == "a"
                    latest[labels["core"]] = max(latest.get(labels["core"], 0), point.as_int)
    assert latest == {"0": 300, "1": 300, "2": 300}
    assert sheet.is_balanced()
    assert sheet.items("metrics", "received") == 90
    assert sheet.items("metrics", "delivered") == http_backend.count("metrics")
    assert sheet.items("metrics", "filtered") == 90 - http_backend.count("metrics") > 0


def log_request(bodies) -> bytes:
    request = otlp.REQUEST["logs"]()
    scope = request.resource_logs.add().scope_logs.add()
    for body in bodies:
        scope.log_records.add(time_unix_nano=1, severity_number=9).body.string_value = body
    return request.SerializeToString()


def counts(backend) -> dict[str, int]:
    found: dict[str, int] = {}
    for message in backend.messages("logs"):
        for record in message.resource_logs[0].scope_logs[0].log_records:
            attributes = {item.key: item.value for item in record.attributes}
            assert {"log_count", "first_observed_timestamp", "last_observed_timestamp"} <= attributes.keys()
            body = record.body.string_value
            found[body] = found.get(body, 0) + attributes["log_count"].int_value
    return found


def test_equal_logs_become_one_and_what_is_gathered_at_the_end_is_not_lost(start, http_backend):
    millrace = start(otlp_http(http_backend), {"log_dedup": {"interval": "1h"}}, signals=("logs",))
    for number in range(40):
        assert post(millrace.http, "logs", log_request([f"line {number % 3}"] * 5)).status == 200
    assert http_backend.count("logs") == 0
    sheet = millrace.stop()
    assert counts(http_backend) == {"line 0": 70, "line 1": 65, "line 2": 65}
    assert sheet.is_balanced()
    assert [sheet.items("logs", state) for state in ("received", "filtered", "delivered")] == [200, 197, 3]


def test_senders_wait_for_the_interval_where_delivery_at_least_once_is_asked_for(start, http_backend):
    millrace = start(
        otlp_http(http_backend), {"logdedup": {"interval": "500ms"}}, signals=("logs",),
        service={"delivery": "at_least_once"})
    answers = []

    def send():
        answer = post(millrace.http, "logs", log_request(["same", "same"]))
        answers.append((answer.status, http_backend.count("logs")))

    threads = [threading.Thread(target=send) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert all(status == 200 and delivered > 0 for status, delivered in answers)
    sheet = millrace.stop()
    assert counts(http_backend) == {"same": 8}
    assert sheet.is_balanced()
