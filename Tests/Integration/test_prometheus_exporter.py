"""The prometheus exporter: what prometheus-client and the real Prometheus read from /metrics."""

import time
import urllib.request

import pytest
from opentelemetry.proto.collector.metrics.v1 import metrics_service_pb2
from opentelemetry.proto.metrics.v1 import metrics_pb2
from prometheus_client.openmetrics.parser import text_string_to_metric_families as open_metrics
from prometheus_client.parser import text_string_to_metric_families as plain_text

from client import post
from millrace import Millrace, Pipeline, free_port, until
from stack_servers import Prometheus

CUMULATIVE = metrics_pb2.AGGREGATION_TEMPORALITY_CUMULATIVE
DELTA = metrics_pb2.AGGREGATION_TEMPORALITY_DELTA
OPEN_METRICS = "application/openmetrics-text; version=1.0.0"


class ScrapedPipeline(Pipeline):
    def __init__(self, **settings):
        self.scraped = free_port()
        super().__init__(
            {"prometheus": {"endpoint": f"127.0.0.1:{self.scraped}", "enable_open_metrics": True, **settings}},
            signals=("metrics",))


@pytest.fixture
def exposed(tmp_path):
    millrace = Millrace(ScrapedPipeline(), tmp_path / "millrace")
    yield millrace
    millrace.kill()


def text(key, value):
    return {"key": key, "value": {"string_value": value}}


def request() -> metrics_service_pb2.ExportMetricsServiceRequest:
    now = time.time_ns()
    start = now - 60_000_000_000
    common = {"time_unix_nano": now, "start_time_unix_nano": start}
    exemplar = {
        "as_double": 0.3, "time_unix_nano": now, "trace_id": bytes(range(16)), "span_id": bytes(range(8))}
    awkward = [text("path", 'a\\b "c"\nd'), text("ünicode", "é")]
    metrics = [
        {"name": "http.requests", "unit": "{request}", "description": 'Back\\slash, "quotes"\nand lines',
         "sum": {"aggregation_temporality": CUMULATIVE, "is_monotonic": True, "data_points": [
             {**common, "as_int": 7, "attributes": awkward, "exemplars": [exemplar]}]}},
        {"name": "temperature", "unit": "Cel", "gauge": {"data_points": [
            {**common, "as_double": value, "attributes": [text("n", str(value))]}
            for value in (0.1, -1e300, float("inf"), float("-inf"), 1e-320)]}},
        {"name": "latency", "unit": "s", "histogram": {"aggregation_temporality": CUMULATIVE, "data_points": [
            {**common, "count": 6, "sum": 1.25, "bucket_counts": [1, 2, 3], "explicit_bounds": [0.1, 1],
             "exemplars": [exemplar]}]}},
        {"name": "rpc", "unit": "ms", "summary": {"data_points": [
            {**common, "count": 5, "sum": 9, "quantile_values": [{"quantile": 0.5, "value": 1.5}]}]}},
        {"name": "sizes", "exponential_histogram": {"aggregation_temporality": CUMULATIVE, "data_points": [
            {**common, "count": 7, "sum": 20, "scale": 1, "zero_count": 1,
             "positive": {"offset": 1, "bucket_counts": [1, 0, 0, 5]}}]}},
    ]
    return metrics_service_pb2.ExportMetricsServiceRequest(resource_metrics=[{
        "resource": {"attributes": [
            text("service.name", "api"), text("service.namespace", "shop"), text("service.instance.id", "i-1"),
            text("service.version", "7")]},
        "scope_metrics": [{"scope": {"name": "meter"}, "metrics": metrics}]}])


def scrape(millrace, accept="") -> str:
    call = urllib.request.Request(
        f"http://127.0.0.1:{millrace.pipeline.scraped}/metrics", headers={"Accept": accept} if accept else {})
    with urllib.request.urlopen(call, timeout=10) as reply:
        return reply.read().decode()


def samples(families) -> dict:
    return {
        (sample.name, frozenset(sample.labels.items())): sample
        for family in families for sample in family.samples
    }


IDENTITY = {"job": "shop/api", "instance": "i-1", "otel_scope_name": "meter"}


@pytest.mark.parametrize("accept, parse", [("", plain_text), (OPEN_METRICS, open_metrics)], ids=["text", "openmetrics"])
def test_the_parsers_of_prometheus_client_read_everything(exposed, accept, parse):
    assert post(exposed.http, "metrics", request().SerializeToString()).status == 200
    families = list(parse(scrape(exposed, accept)))
    types = {family.name: family.type for family in families}
    found = samples(families)

    def value(name, **labels):
        return found[name, frozenset({**IDENTITY, **labels}.items())].value

    assert types["http_requests"] == "counter" and types["latency_seconds"] == "histogram"
    assert types["rpc_milliseconds"] == "summary" and types["temperature_celsius"] == "gauge"
    awkward = {"path": 'a\\b "c"\nd', "_nicode": "é"}
    labels = next(set(labels) for name, labels in found if name == "http_requests_total")
    assert ("path", awkward["path"]) in labels
    assert found["http_requests_total", frozenset(labels)].value == 7
    assert next(f for f in families if f.name == "http_requests").documentation == 'Back\\slash, "quotes"\nand lines'
    for number in (0.1, -1e300, float("inf"), float("-inf"), 1e-320):
        assert value("temperature_celsius", n=str(number)) == number
    assert [value("latency_seconds_bucket", le=le) for le in ("0.1", "1.0", "+Inf")] == [1, 3, 6]
    assert value("latency_seconds_sum") == 1.25 and value("rpc_milliseconds", quantile="0.5") == 1.5
    assert value("sizes_count") == 7 and value("sizes_bucket", le="+Inf") == 7
    target = next(dict(labels) for name, labels in found if name == "target_info")
    assert target == {"job": "shop/api", "instance": "i-1", "service_version": "7"}
    if parse is open_metrics:
        exemplar = found["latency_seconds_bucket", frozenset({**IDENTITY, "le": "1.0"}.items())].exemplar
        assert exemplar.labels == {"trace_id": bytes(range(16)).hex(), "span_id": bytes(range(8)).hex()}
        assert exemplar.value == 0.3
        assert found["http_requests_total", frozenset(labels)].exemplar.value == 0.3


def test_prometheus_scrapes_it(exposed, tmp_path):
    assert post(exposed.http, "metrics", request().SerializeToString()).status == 200
    config = {"scrape_configs": [{
        "job_name": "millrace", "scrape_interval": "1s", "honor_labels": True,
        "static_configs": [{"targets": [f"127.0.0.1:{exposed.pipeline.scraped}"]}]}]}
    with Prometheus(tmp_path / "prometheus", config) as prometheus:
        until(lambda: prometheus.value("http_requests_total"), what="a scrape")
        assert prometheus.value("up") and all(value == 1 for _, value in prometheus.value("up"))
        labels, value = prometheus.value("latency_seconds_bucket{le=\"1\"} or latency_seconds_bucket{le=\"1.0\"}")[0]
        assert value == 3 and labels["job"] == "shop/api" and labels["instance"] == "i-1"
        # This Prometheus asks for protobuf when it takes native histograms.
        assert prometheus.value("histogram_count(sizes)")[0][1] == 7
        assert prometheus.value("histogram_quantile(1, sizes)")[0][1] == pytest.approx(5.65685, rel=1e-3)
        metadata = prometheus.api("metadata")
        assert metadata["http_requests_total"][0]["type"] == "counter"
        exemplars = prometheus.api(
            "query_exemplars", query="latency_seconds_bucket", start=time.time() - 300, end=time.time() + 60)
        assert exemplars and exemplars[0]["exemplars"][0]["labels"]["trace_id"] == bytes(range(16)).hex()
    sheet = exposed.stop()
    assert sheet.is_balanced()


def test_deltas_are_added_up(exposed):
    for number in (2, 3):
        body = request()
        metric = body.resource_metrics[0].scope_metrics[0].metrics[0]
        metric.sum.aggregation_temporality = DELTA
        metric.sum.data_points[0].as_int = number
        metric.name = "jobs"
        assert post(exposed.http, "metrics", body.SerializeToString()).status == 200
    found = samples(plain_text(scrape(exposed)))
    assert [sample.value for (name, _), sample in found.items() if name == "jobs_total"] == [5]
