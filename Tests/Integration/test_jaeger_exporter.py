"""The `jaeger` exporter against a server that knows Jaeger's protocol from PyPI's descriptors."""

import grpc
import pytest

import client
import otlp
from backends import Refusal
from jaeger import JaegerCollector, tags
from millrace import until

PLAIN = {"insecure": True}


@pytest.fixture
def collector():
    with JaegerCollector() as server:
        yield server


def request(*resources):
    """`(resource attributes, spans)` as an export request."""
    message = otlp.trace.ExportTraceServiceRequest()
    for attributes, spans in resources:
        group = message.resource_spans.add()
        for key, value in attributes.items():
            group.resource.attributes.add(key=key).value.string_value = value
        scope = group.scope_spans.add()
        scope.scope.name, scope.scope.version = "lib", "1.2"
        for span in spans:
            scope.spans.add().CopyFrom(span)
    return message


def span(number: int, **fields):
    message = otlp.trace.ExportTraceServiceRequest().resource_spans.add().scope_spans.add().spans.add()
    message.trace_id, message.span_id = number.to_bytes(16), number.to_bytes(8)
    message.name = f"span {number}"
    message.start_time_unix_nano = 1_700_000_000_123_456_789
    message.end_time_unix_nano = message.start_time_unix_nano + 2_000_000_003
    for key, value in fields.items():
        setattr(message, key, value)
    return message


def settings(server, **more):
    return {"jaeger": {"endpoint": server.endpoint, "tls": PLAIN, "sending_queue": {"enabled": False}, **more}}


def send(millrace, message) -> client.Answer:
    answer = client.post(millrace.http, "traces", message.SerializeToString())
    assert answer.status == 200, answer
    return answer


def test_every_field_of_a_span_has_its_place(start, collector):
    first = span(1, kind=2, trace_state="a=1", flags=257, dropped_events_count=4)
    first.parent_span_id = b"\0" * 7 + b"\x09"
    first.attributes.add(key="text").value.string_value = "x"
    first.attributes.add(key="count").value.int_value = -3
    first.attributes.add(key="flag").value.bool_value = True
    first.attributes.add(key="ratio").value.double_value = 0.5
    first.attributes.add(key="raw").value.bytes_value = b"\xff\0"
    values = first.attributes.add(key="list").value.array_value.values
    values.add().int_value = 1
    values.add().string_value = 'a"b'
    first.status.code, first.status.message = 2, "it broke"
    event = first.events.add(time_unix_nano=1_700_000_001_000_000_002, name="exception", dropped_attributes_count=1)
    event.attributes.add(key="why").value.string_value = "because"
    first.links.add(trace_id=(7).to_bytes(16), span_id=(8).to_bytes(8))
    millrace = start(settings(collector), signals=("traces",))
    send(millrace, request(({"service.name": "shop", "host.name": "h"}, [first])))
    [batch] = collector.batches
    assert batch.process.service_name == "shop"
    assert tags(batch.process.tags) == {"host.name": "h"}
    [found] = batch.spans
    assert found.trace_id == first.trace_id and found.span_id == first.span_id
    assert found.operation_name == "span 1" and found.flags == 1
    assert found.start_time.ToNanoseconds() == first.start_time_unix_nano
    assert found.duration.ToNanoseconds() == 2_000_000_003
    assert tags(found.tags) == {
        "otel.scope.name": "lib", "otel.scope.version": "1.2", "text": "x", "count": -3, "flag": True, "ratio": 0.5,
        "raw": b"\xff\0", "list": '[1,"a\\"b"]', "span.kind": "server", "otel.status_code": "ERROR", "error": True,
        "otel.status_description": "it broke", "w3c.tracestate": "a=1", "otel.dropped_events_count": 4,
    }
    [log] = found.logs
    assert log.timestamp.ToNanoseconds() == 1_700_000_001_000_000_002
    assert tags(log.fields) == {"event": "exception", "why": "because", "otel.event.dropped_attributes_count": 1}
    assert [(reference.ref_type, reference.trace_id[-1], reference.span_id[-1]) for reference in found.references] == [
        (0, 1, 9), (1, 7, 8),
    ]
    sheet = millrace.stop()
    assert sheet.is_balanced() and sheet.items("traces", "delivered") == 1


@pytest.mark.parametrize("name,body", [(name, body) for name, signal, body in otlp.captures() if signal == "traces"])
def test_real_spans_arrive(start, collector, name, body):
    millrace = start(settings(collector), signals=("traces",))
    message = otlp.decode("traces", body)
    send(millrace, message)
    sent = [one for group in message.resource_spans for scope in group.scope_spans for one in scope.spans]
    assert len(collector.batches) == len(message.resource_spans)
    assert sorted(one.span_id for one in collector.spans) == sorted(one.span_id for one in sent)
    assert {batch.process.service_name for batch in collector.batches} == {
        attribute.value.string_value for group in message.resource_spans for attribute in group.resource.attributes
        if attribute.key == "service.name"
    }
    millrace.stop()


def test_a_retry_repeats_only_the_resource_that_was_refused(start, collector):
    refused = []

    def answer(received):
        if b"unlucky" in received.body and len(refused) < 2:
            refused.append(received)
            raise Refusal(grpc.StatusCode.RESOURCE_EXHAUSTED, "busy")

    collector.answer = answer
    millrace = start(
        settings(collector, retry_on_failure={"initial_interval": "10ms"}), signals=("traces",))
    names = [f"service {number}" for number in range(6)] + ["unlucky"]
    send(millrace, request(*(({"service.name": name}, [span(100 + i)]) for i, name in enumerate(names))))
    assert sorted(batch.process.service_name for batch in collector.batches) == sorted(names)
    assert len(refused) == 2
    sheet = millrace.stop()
    assert sheet.is_balanced() and sheet.items("traces", "delivered") == 7


def test_what_a_backend_rejects_is_counted_and_the_rest_delivered(start, collector):
    def answer(received):
        if b"unlucky" in received.body:
            raise Refusal(grpc.StatusCode.INVALID_ARGUMENT, "no such tenant")

    collector.answer = answer
    millrace = start(settings(collector), signals=("traces",))
    answer = send(
        millrace, request(({"service.name": "a"}, [span(1), span(2)]), ({"service.name": "unlucky"}, [span(3)])))
    told = otlp.RESPONSE["traces"].FromString(answer.body).partial_success
    assert told.rejected_spans == 1 and "no such tenant" in told.error_message
    assert [one.span_id[-1] for one in collector.spans] == [1, 2]
    sheet = millrace.stop()
    assert sheet.is_balanced()
    assert (sheet.items("traces", "delivered"), sheet.items("traces", "rejected")) == (2, 1)


def test_spans_without_ids_are_dropped_with_a_reason(start, collector):
    nameless = [span(0), span(4, span_id=b""), span(5, trace_id=b""), span(6, span_id=b"\0" * 8)]
    millrace = start(settings(collector), signals=("traces",))
    send(millrace, request(({"service.name": "a"}, [span(1), *nameless])))
    assert [one.span_id[-1] for one in collector.spans] == [1]
    metrics = millrace.metrics()
    assert metrics.sum("millrace_ledger_items", state="dropped", reason="invalid_trace_id") == 2
    assert metrics.sum("millrace_ledger_items", state="dropped", reason="invalid_span_id") == 2
    sheet = millrace.stop()
    assert sheet.is_balanced() and sheet.items("traces", "dropped") == 4


def test_todays_jaeger_gets_otlp(start, grpc_backend):
    millrace = start(settings(grpc_backend, protocol="otlp"), signals=("traces",))
    message = request(({"service.name": "a"}, [span(1)]))
    send(millrace, message)
    assert grpc_backend.items("traces") == otlp.items("traces", message)
    millrace.stop()


def test_a_server_that_only_speaks_otlp_is_explained(start, grpc_backend):
    millrace = start(settings(grpc_backend), signals=("traces",))
    answer = client.post(
        millrace.http, "traces", request(({"service.name": "a"}, [span(1)])).SerializeToString())
    assert answer.status == 400 and "protocol: otlp" in answer.error().message
    assert millrace.stop().items("traces", "rejected") == 1


def test_a_collector_that_comes_late_gets_everything(start, collector):
    collector.stop()
    millrace = start(
        {"jaeger": {"endpoint": collector.endpoint, "tls": PLAIN, "retry_on_failure": {"initial_interval": "50ms"}}},
        signals=("traces",))
    send(millrace, request(({"service.name": "a"}, [span(1)]), ({"service.name": "b"}, [span(2)])))
    collector.start()
    until(lambda: len(collector.spans) == 2, what="both spans")
    sheet = millrace.stop()
    assert sheet.is_balanced() and sheet.items("traces", "delivered") == 2
