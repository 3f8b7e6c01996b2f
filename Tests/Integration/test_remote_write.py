"""The prometheus_remote_write exporter and a real Prometheus: what arrives is what was sent, in order, once."""

from __future__ import annotations

import threading
import time

import pytest
from opentelemetry.proto.metrics.v1 import metrics_pb2

import client
import otlp
from millrace import until
from stack_servers import Prometheus

CUMULATIVE = metrics_pb2.AGGREGATION_TEMPORALITY_CUMULATIVE


@pytest.fixture
def prometheus(tmp_path):
    server = Prometheus(tmp_path / "prometheus")
    yield server
    server.kill()


def exporter(prometheus, **settings) -> dict:
    return {"prometheus_remote_write": {
        "endpoint": prometheus.write_url, "retry_on_failure": {"initial_interval": "20ms", "max_interval": "200ms"},
        **settings}}


def new_request(resource: dict | None = None):
    request = otlp.REQUEST["metrics"]()
    group = request.resource_metrics.add()
    for key, value in (resource or {}).items():
        group.resource.attributes.add(key=key).value.string_value = value
    return request, group.scope_metrics.add()


def add_point(points, now: int, **attributes):
    point = points.add(time_unix_nano=now, start_time_unix_nano=now - 10**9)
    for key, value in attributes.items():
        point.attributes.add(key=key).value.string_value = value
    return point


def send(millrace, request):
    answer = client.post(millrace.http, "metrics", request.SerializeToString())
    assert answer.status == 200, answer


def sent(millrace, count: int):
    until(lambda: millrace.metrics().sum("otelcol_exporter_sent_metric_points") >= count, what=f"{count} points to be sent")


def test_every_kind_of_point(start, prometheus):
    millrace = start(exporter(prometheus, send_metadata=True, external_labels={"zone": "z"}), signals=("metrics",))
    now = time.time_ns()
    request, scope = new_request({"service.name": "shop", "service.instance.id": "1", "host.name": "h"})
    scope.scope.name = "lib"
    gauge = scope.metrics.add(name="queue.size", unit="By", description="How much waits.")
    add_point(gauge.gauge.data_points, now, **{"a.b": "x", "": "no name", "empty": ""}).as_double = 2.5
    counter = scope.metrics.add(name="requests")
    counter.sum.aggregation_temporality, counter.sum.is_monotonic = CUMULATIVE, True
    point = add_point(counter.sum.data_points, now)
    point.as_int = 7
    point.exemplars.add(time_unix_nano=now, as_int=3, trace_id=bytes(range(16)), span_id=bytes(range(8)))
    histogram = scope.metrics.add(name="latency", unit="s")
    histogram.histogram.aggregation_temporality = CUMULATIVE
    point = add_point(histogram.histogram.data_points, now)
    point.explicit_bounds.extend([0.1, 1]), point.bucket_counts.extend([1, 2, 3])
    point.count, point.sum = 6, 9.5
    native = scope.metrics.add(name="size")
    native.exponential_histogram.aggregation_temporality = CUMULATIVE
    point = add_point(native.exponential_histogram.data_points, now)
    point.scale, point.count, point.sum, point.zero_count = 0, 6, 20, 1
    point.positive.offset = 0
    point.positive.bucket_counts.extend([2, 3])
    summary = scope.metrics.add(name="age")
    point = add_point(summary.summary.data_points, now)
    point.count, point.sum = 2, 5
    point.quantile_values.add(quantile=0.5, value=1.5)
    delta = scope.metrics.add(name="delta")
    delta.sum.aggregation_temporality, delta.sum.is_monotonic = metrics_pb2.AGGREGATION_TEMPORALITY_DELTA, True
    add_point(delta.sum.data_points, now).as_int = 1
    send(millrace, request)
    sent(millrace, 5)

    rest = 'instance="1",job="shop",otel_scope_name="lib",zone="z"'
    assert prometheus.values('{__name__=~".+",__name__!="size"}') == {
        f'queue_size_bytes{{a_b="x",{rest}}}': 2.5,
        f"requests_total{{{rest}}}": 7,
        f'latency_seconds_bucket{{instance="1",job="shop",le="0.1",otel_scope_name="lib",zone="z"}}': 1,
        f'latency_seconds_bucket{{instance="1",job="shop",le="1.0",otel_scope_name="lib",zone="z"}}': 3,
        f'latency_seconds_bucket{{instance="1",job="shop",le="+Inf",otel_scope_name="lib",zone="z"}}': 6,
        f"latency_seconds_sum{{{rest}}}": 9.5,
        f"latency_seconds_count{{{rest}}}": 6,
        f'age{{instance="1",job="shop",otel_scope_name="lib",quantile="0.5",zone="z"}}': 1.5,
        f"age_sum{{{rest}}}": 5,
        f"age_count{{{rest}}}": 2,
        'target_info{host_name="h",instance="1",job="shop",zone="z"}': 1,
    }
    assert prometheus.values("histogram_count(size)") == {f"{{{rest}}}": 6}
    assert prometheus.values("histogram_sum(size)") == {f"{{{rest}}}": 20}
    # Buckets are (1, 2] with 2 and (2, 4] with 3; one observation is zero.
    assert list(prometheus.values("histogram_quantile(1, size)").values()) == [4]
    exemplars = prometheus.api("query_exemplars", query="requests_total", start=now / 1e9 - 60, end=now / 1e9 + 60)
    assert exemplars[0]["exemplars"][0]["labels"] == {"trace_id": bytes(range(16)).hex(), "span_id": bytes(range(8)).hex()}
    sheet = millrace.stop()
    assert sheet.is_balanced()
    assert sheet.items("metrics", "delivered") == 5
    assert sheet.items("metrics", "dropped") == 1


@pytest.mark.parametrize("name,signal,body", [c for c in otlp.captures() if c[1] == "metrics"], ids=lambda value: value if isinstance(value, str) else "")
def test_real_payloads(start, prometheus, name, signal, body):
    """The metrics of instrumented Python services: every number is found again."""
    millrace = start(exporter(prometheus, target_info={"enabled": False}, disable_scope_info=True), signals=("metrics",))
    request = otlp.decode("metrics", body)
    send(millrace, request)
    sent(millrace, otlp.count("metrics", request))
    total, newest = 0, 0
    sums, counts = 0.0, 0
    for resource in request.resource_metrics:
        for scope in resource.scope_metrics:
            for metric in scope.metrics:
                points = getattr(metric, metric.WhichOneof("data")).data_points
                newest = max(newest, *(point.time_unix_nano for point in points))
                for point in points:
                    if metric.WhichOneof("data") == "histogram":
                        total += len(point.explicit_bounds) + 3
                        sums, counts = sums + point.sum, counts + point.count
                    else:
                        total += 1
    at = newest / 1e9 + 1
    assert sum(prometheus.values('count({__name__=~".+"})', at).values()) == total
    assert sum(prometheus.values('sum({__name__=~".+_count"})', at).values()) == counts
    assert sum(prometheus.values('sum({__name__=~".+_sum"})', at).values()) == pytest.approx(sums)


def test_a_series_that_ends_is_stale(start, prometheus):
    millrace = start(exporter(prometheus), signals=("metrics",))
    now = time.time_ns()
    for offset, flags in ((-2, 0), (-1, 1)):
        request, scope = new_request({"service.name": "s"})
        points = scope.metrics.add(name="gone").gauge.data_points
        point = add_point(points, now + offset * 10**9)
        point.as_int, point.flags = 1, flags
        send(millrace, request)
    sent(millrace, 2)
    assert prometheus.values("gone", now / 1e9 - 1.5) == {'gone{job="s"}': 1}
    assert prometheus.values("gone", now / 1e9) == {}


@pytest.mark.parametrize("storage", [False, True], ids=["memory", "disk"])
def test_a_backend_that_is_killed_loses_nothing_and_keeps_the_order(start, prometheus, tmp_path, storage):
    """20 series of rising numbers; Prometheus is killed in between and comes back a while later."""
    queue = {"queue_size": 100_000, **({"storage": "file_storage"} if storage else {})}
    extensions = {"file_storage": {"directory": str(tmp_path / "queue"), "create_directory": True}} if storage else {}
    millrace = start(
        exporter(prometheus, remote_write_queue=queue, max_batch_size_bytes=1000), signals=("metrics",), extensions=extensions)
    rounds, series = 300, 20
    began = time.time_ns() - 600 * 10**9
    stopped = threading.Event()

    def load():
        for number in range(rounds):
            request, scope = new_request({"service.name": "load"})
            points = scope.metrics.add(name="number").gauge.data_points
            for index in range(series):
                add_point(points, began + number * 10**9, index=str(index)).as_int = number
            send(millrace, request)
            time.sleep(0.01)
        stopped.set()

    sender = threading.Thread(target=load)
    sender.start()
    for _ in range(2):
        time.sleep(0.8)
        prometheus.kill()
        time.sleep(0.5)
        prometheus.start()
    sender.join(60)
    assert stopped.is_set()
    until(lambda: millrace.metrics().sum("otelcol_exporter_sent_metric_points") >= rounds * series, timeout=60,
          what="everything to be sent")
    found = prometheus.query("number[20m]", began / 1e9 + rounds + 1)
    assert len(found) == series
    for one in found:
        assert [int(value) for _, value in one["values"]] == list(range(rounds)), one["metric"]
    sheet = millrace.stop()
    assert sheet.is_balanced()
    assert sheet.items("metrics", "dropped") == 0 and sheet.items("metrics", "rejected") == 0
