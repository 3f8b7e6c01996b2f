"""Requests made to be hard: every field, every attribute type, the edges of every number, and what has no name yet."""

from __future__ import annotations

import math

from opentelemetry.proto.common.v1.common_pb2 import AnyValue, ArrayValue, EntityRef, KeyValue, KeyValueList
from opentelemetry.proto.logs.v1.logs_pb2 import LogRecord
from opentelemetry.proto.metrics.v1 import metrics_pb2 as metric
from opentelemetry.proto.trace.v1.trace_pb2 import Span, Status

import otlp

INT64_MAX, INT64_MIN = 2**63 - 1, -(2**63)
NANOSECONDS = 1_700_000_000_123_456_789


def attribute(key: str, **value) -> KeyValue:
    return KeyValue(key=key, value=AnyValue(**value))


def every_attribute() -> list[KeyValue]:
    nested = KeyValueList(values=[
        attribute("inner", string_value="x"),
        attribute("list", array_value=ArrayValue(values=[AnyValue(int_value=1), AnyValue(), AnyValue(bool_value=False)])),
        attribute("map", kvlist_value=KeyValueList()),
    ])
    return [
        attribute("string", string_value="grüße, 世界 🚀"),
        attribute("string.empty", string_value=""),
        attribute("string.escapes", string_value="\"\\/\b\f\n\r\t\x00\x01\x1f\x7f\u2028\ufeff"),
        attribute("bool.true", bool_value=True),
        attribute("bool.false", bool_value=False),
        attribute("int", int_value=42),
        attribute("int.zero", int_value=0),
        attribute("int.max", int_value=INT64_MAX),
        attribute("int.min", int_value=INT64_MIN),
        attribute("int.beyond.double", int_value=2**53 + 1),
        attribute("double", double_value=0.1),
        attribute("double.zero", double_value=0.0),
        attribute("double.negative.zero", double_value=-0.0),
        attribute("double.whole", double_value=1e15),
        attribute("double.large", double_value=1.7976931348623157e308),
        attribute("double.tiny", double_value=5e-324),
        attribute("double.nan", double_value=math.nan),
        attribute("double.inf", double_value=math.inf),
        attribute("double.negative.inf", double_value=-math.inf),
        attribute("bytes", bytes_value=bytes(range(256))),
        attribute("bytes.empty", bytes_value=b""),
        attribute("bytes.one", bytes_value=b"\xff"),
        attribute("array.empty", array_value=ArrayValue()),
        attribute("map", kvlist_value=nested),
        attribute("map.empty", kvlist_value=KeyValueList()),
        attribute("value.empty"),
        KeyValue(key="value.missing"),
        attribute("", string_value="empty key"),
        attribute("string", string_value="the same key again"),
    ]


def trace_id(number: int) -> bytes:
    return number.to_bytes(16, "big")


def span_id(number: int) -> bytes:
    return number.to_bytes(8, "big")


def _request(signal: str):
    request = otlp.REQUEST[signal]()
    resource = getattr(request, f"resource_{'spans' if signal == 'traces' else signal}").add()
    resource.schema_url = "https://opentelemetry.io/schemas/1.27.0"
    resource.resource.attributes.extend(every_attribute())
    resource.resource.dropped_attributes_count = 3
    resource.resource.entity_refs.append(
        EntityRef(schema_url="s", type="host", id_keys=["string"], description_keys=["int", "bool.true"]))
    scope = getattr(resource, f"scope_{'spans' if signal == 'traces' else signal}").add()
    scope.schema_url = "https://example.com/schema"
    scope.scope.name, scope.scope.version = "the.scope", "1.2.3"
    scope.scope.attributes.extend(every_attribute())
    scope.scope.dropped_attributes_count = 4
    return request, resource, scope


def traces():
    request, resource, scope = _request("traces")
    for kind in Span.SpanKind.values():
        span = scope.spans.add(
            trace_id=trace_id(kind + 1), span_id=span_id(kind + 1), parent_span_id=span_id(99), trace_state="a=b,c=d",
            flags=0x301, name=f"span {kind}", kind=kind, start_time_unix_nano=NANOSECONDS,
            end_time_unix_nano=NANOSECONDS + 1, dropped_attributes_count=5, dropped_events_count=6,
            dropped_links_count=7, status=Status(code=kind % 3, message="why" if kind % 3 == 2 else ""),
        )
        span.attributes.extend(every_attribute())
        event = span.events.add(time_unix_nano=NANOSECONDS + 2, name="exception", dropped_attributes_count=8)
        event.attributes.extend(every_attribute())
        span.events.add()
        link = span.links.add(
            trace_id=trace_id(500), span_id=span_id(501), trace_state="x=y", dropped_attributes_count=9, flags=0x100)
        link.attributes.extend(every_attribute())
        span.links.add()
    scope.spans.add()  # nothing set at all
    scope.spans.add(
        trace_id=b"\xff" * 16, span_id=b"\xff" * 8, start_time_unix_nano=2**64 - 1, end_time_unix_nano=2**64 - 1,
        flags=2**32 - 1, dropped_attributes_count=2**32 - 1, name="largest")
    scope.spans.add(trace_id=trace_id(0), span_id=span_id(0), name="zero ids", status=Status())
    resource.scope_spans.add()  # a scope without a scope, without spans
    other = request.resource_spans.add()  # no resource
    other.scope_spans.add().spans.add(trace_id=trace_id(7), span_id=span_id(8), name="without resource")
    return request


def logs():
    request, resource, scope = _request("logs")
    for number, value in enumerate(every_attribute()):
        record = scope.log_records.add(
            time_unix_nano=NANOSECONDS, observed_time_unix_nano=NANOSECONDS + 1, severity_number=number % 25,
            severity_text="WARN", dropped_attributes_count=1, flags=1, trace_id=trace_id(1), span_id=span_id(2),
            event_name="an.event",
        )
        record.attributes.extend(every_attribute())
        if value.HasField("value"):
            record.body.CopyFrom(value.value)
    scope.log_records.add()
    scope.log_records.add(time_unix_nano=2**64 - 1, observed_time_unix_nano=2**64 - 1, flags=2**32 - 1)
    other = request.resource_logs.add()
    other.scope_logs.add().log_records.add(body=AnyValue(string_value="without resource"))
    return request


def metrics():
    request, resource, scope = _request("metrics")

    def exemplars():
        return [
            metric.Exemplar(time_unix_nano=NANOSECONDS, as_double=0.5, span_id=span_id(1), trace_id=trace_id(2),
                            filtered_attributes=every_attribute()),
            metric.Exemplar(time_unix_nano=NANOSECONDS, as_int=INT64_MIN),
            metric.Exemplar(),
        ]

    times = {"start_time_unix_nano": NANOSECONDS - 1, "time_unix_nano": NANOSECONDS}
    numbers = [
        metric.NumberDataPoint(as_int=INT64_MAX, attributes=every_attribute(), exemplars=exemplars(), flags=1, **times),
        metric.NumberDataPoint(as_int=INT64_MIN, **times),
        metric.NumberDataPoint(as_int=0, **times),
        *(metric.NumberDataPoint(as_double=value, **times)
          for value in (0.0, -0.0, 1.5, math.nan, math.inf, -math.inf, 5e-324, 1.7976931348623157e308)),
        metric.NumberDataPoint(flags=1, **times),  # no value: a staleness marker
        metric.NumberDataPoint(),
    ]
    scope.metrics.add(
        name="gauge", description="describes", unit="By", metadata=every_attribute(),
        gauge=metric.Gauge(data_points=numbers))
    for temporality in metric.AggregationTemporality.values():
        for monotonic in (False, True):
            scope.metrics.add(name=f"sum.{temporality}.{monotonic}", unit="{request}", sum=metric.Sum(
                data_points=numbers, aggregation_temporality=temporality, is_monotonic=monotonic))
    scope.metrics.add(name="histogram", unit="s", histogram=metric.Histogram(aggregation_temporality=2, data_points=[
        metric.HistogramDataPoint(
            attributes=every_attribute(), count=6, sum=12.5, bucket_counts=[1, 2, 3, 2**64 - 1],
            explicit_bounds=[-1.5, 0, 1e10], exemplars=exemplars(), flags=0, min=-2.0, max=9.5, **times),
        metric.HistogramDataPoint(count=0, sum=0.0, min=0.0, max=0.0, bucket_counts=[0], **times),
        metric.HistogramDataPoint(count=2**64 - 1, sum=math.nan, min=-math.inf, max=math.inf, **times),
        metric.HistogramDataPoint(),
    ]))
    buckets = metric.ExponentialHistogramDataPoint.Buckets
    scope.metrics.add(
        name="exponential", unit="s",
        exponential_histogram=metric.ExponentialHistogram(aggregation_temporality=1, data_points=[
            metric.ExponentialHistogramDataPoint(
                attributes=every_attribute(), count=9, sum=-1.0, scale=-3, zero_count=2, zero_threshold=1e-9,
                positive=buckets(offset=-2**31, bucket_counts=[1, 0, 2**64 - 1]),
                negative=buckets(offset=2**31 - 1, bucket_counts=[4]), exemplars=exemplars(), min=0.0, max=3.0,
                flags=1, **times),
            metric.ExponentialHistogramDataPoint(scale=20, positive=buckets()),
            metric.ExponentialHistogramDataPoint(),
        ]))
    scope.metrics.add(name="summary", summary=metric.Summary(data_points=[
        metric.SummaryDataPoint(
            attributes=every_attribute(), count=3, sum=6.5, flags=1, quantile_values=[
                metric.SummaryDataPoint.ValueAtQuantile(quantile=0.0, value=math.nan),
                metric.SummaryDataPoint.ValueAtQuantile(quantile=0.99, value=2.5),
                metric.SummaryDataPoint.ValueAtQuantile(),
            ], **times),
        metric.SummaryDataPoint(),
    ]))
    scope.metrics.add(name="no data")
    scope.metrics.add(name="empty gauge", gauge=metric.Gauge())
    other = request.resource_metrics.add()
    other.scope_metrics.add().metrics.add(name="bare", gauge=metric.Gauge(data_points=[metric.NumberDataPoint(as_int=1)]))
    return request


HARD = {"traces": traces, "metrics": metrics, "logs": logs}


def spans(first: int, count: int, service: str = "load", padding: int = 0):
    """A request of `count` small spans named by consecutive numbers from `first`."""
    request = otlp.REQUEST["traces"]()
    resource = request.resource_spans.add()
    resource.resource.attributes.append(attribute("service.name", string_value=service))
    scope = resource.scope_spans.add()
    scope.scope.name = "load"
    for number in range(first, first + count):
        span = scope.spans.add(
            trace_id=trace_id(number + 1), span_id=span_id(number + 1), name=str(number),
            start_time_unix_nano=NANOSECONDS, end_time_unix_nano=NANOSECONDS + number)
        span.attributes.append(attribute("number", int_value=number))
        if padding:
            span.attributes.append(attribute("padding", string_value="x" * padding))
    return request


def span_names(*requests) -> list[int]:
    """The numbers of `spans`, in the order of the requests."""
    return [
        int(span.name) for request in requests for resource in request.resource_spans
        for scope in resource.scope_spans for span in scope.spans
    ]


UNKNOWN = b"".join([
    otlp.field(9000, 2**63), otlp.field(9001, "text of a later version"), otlp.fixed64(9002, 2**64 - 1),
    otlp.fixed32(9003, 2**32 - 1), otlp.field(9004, otlp.field(1, b"nested")), otlp.field(536870911, 1),
])


def with_unknown_fields(signal: str) -> bytes:
    """A request in which every message on the way to an item, and the item, holds fields that no version knows."""
    item = {
        "traces": otlp.field(1, trace_id(1)) + otlp.field(2, span_id(2)) + otlp.field(5, "span"),
        "metrics": otlp.field(1, "metric") + otlp.field(5, otlp.field(1, otlp.fixed64(6, 7) + UNKNOWN) + UNKNOWN),
        "logs": otlp.field(3, "INFO") + otlp.field(5, otlp.field(1, "body") + UNKNOWN),
    }[signal]
    keyvalue = otlp.field(1, "key") + otlp.field(2, otlp.field(1, "value") + UNKNOWN) + UNKNOWN
    scope = otlp.field(1, otlp.field(1, "scope") + UNKNOWN) + otlp.field(2, item + UNKNOWN) + UNKNOWN
    resource = otlp.field(1, otlp.field(1, keyvalue) + UNKNOWN) + otlp.field(2, scope) + UNKNOWN
    return otlp.field(1, resource)


def nested_value(depth: int) -> bytes:
    """An AnyValue of arrays within arrays, `depth` levels deep."""
    value = b""
    for _ in range(depth):
        value = otlp.field(5, otlp.field(1, value))
    return value


def log_with_body(body: bytes) -> bytes:
    """A logs request of one record whose body is this encoded AnyValue."""
    return otlp.field(1, otlp.field(2, otlp.field(2, otlp.field(5, body))))
