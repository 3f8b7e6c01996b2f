"""The decisions of probabilistic_sampler, in every mode, against `sampling_model`: over random trace ids, with and
without what other samplers have said before."""

import random

import pytest

import otlp
from client import GRPCClient
from sampling_model import Sampler

ITEMS = 100_000
PER_REQUEST = 2_000

SAMPLERS = [
    Sampler("hash_seed", 10),
    Sampler("hash_seed", 33.3, seed=4_000_000_000, fail_closed=False),
    Sampler("hash_seed", 0.01, seed=22),
    Sampler("proportional", 10),
    Sampler("proportional", 62.5, precision=14, fail_closed=False),
    Sampler("equalizing", 25),
    Sampler("equalizing", 0.3, precision=2, fail_closed=False),
]


def name(sampler: Sampler) -> str:
    return f"{sampler.mode}-{sampler.percentage}"


def settings(sampler: Sampler) -> dict:
    return {
        "mode": sampler.mode, "sampling_percentage": sampler.percentage, "hash_seed": sampler.seed,
        "sampling_precision": sampler.precision, "fail_closed": sampler.fail_closed,
    }


def random_digits(chance: random.Random, fewest: int) -> str:
    return "".join(chance.choices("0123456789abcdef", k=chance.randint(fewest, 14)))


def random_tracestate(chance: random.Random) -> str:
    """Mostly none; else what OpenTelemetry's and other samplers write, and sometimes nonsense."""
    if chance.random() < 0.6:
        return ""
    members = chance.sample(["rojo=00f067aa0ba902b7", "congo=t61rcWkgMzE", "1t@sys=a b"], k=chance.randint(0, 2))
    inner = chance.sample(
        [f"th:{random_digits(chance, 1)}", f"rv:{random_digits(chance, 14)}", "th:8", "th:0", "x:y", "p:8;r:62"],
        k=chance.randint(0, 3))
    if inner:
        members.insert(chance.randint(0, len(members)), "ot=" + ";".join(inner))
    text = chance.choice([",", ", ", " ,\t"]).join(members)
    if chance.random() < 0.1 and text:
        position = chance.randrange(len(text))
        text = text[:position] + chance.choice("=;,:~ A\x7f") + text[position + 1:]
    return text


def random_id(chance: random.Random) -> bytes:
    roll = chance.random()
    return b"" if roll < 0.01 else bytes(16) if roll < 0.02 else chance.randbytes(16)


def run(start, backend, signal: str, sampler: Sampler, requests: list[bytes], **more) -> list:
    """What comes out of a pipeline with nothing but the sampler in it."""
    millrace = start(
        {"otlp_http": {"endpoint": f"http://127.0.0.1:{backend.port}"}},
        {"probabilistic_sampler": {**settings(sampler), **more}}, signals=(signal,))
    with GRPCClient(millrace.grpc) as client:
        for request in requests:
            client.send(signal, request)
    counted = millrace.metrics()
    sheet = millrace.stop()
    assert sheet.is_balanced()
    kind = "traces" if signal == "traces" else "logs"
    total = f"otelcol_processor_probabilistic_sampler_count_{kind}_sampled"
    assert counted.sum(total) == ITEMS
    assert counted.sum(total, sampled="false") == sheet.items(signal, "sampled")
    return backend.messages(signal)


@pytest.mark.parametrize("sampler", SAMPLERS, ids=name)
def test_spans(start, http_backend, sampler):
    chance = random.Random(name(sampler))
    expected, requests = {}, []
    for first in range(0, ITEMS, PER_REQUEST):
        request = otlp.REQUEST["traces"]()
        spans = request.resource_spans.add().scope_spans.add().spans
        for number in range(first + 1, first + 1 + PER_REQUEST):
            trace_id, tracestate = random_id(chance), random_tracestate(chance)
            spans.add(trace_id=trace_id, span_id=number.to_bytes(8, "big"), trace_state=tracestate, name="GET /")
            wanted = sampler.span(trace_id, tracestate)
            if wanted is not None:
                expected[number] = wanted
        requests.append(request.SerializeToString())
    got = {
        int.from_bytes(span.span_id, "big"): span.trace_state
        for message in run(start, http_backend, "traces", sampler, requests)
        for resource in message.resource_spans for scope in resource.scope_spans for span in scope.spans
    }
    assert 0 < len(expected) < ITEMS
    assert got == expected


@pytest.mark.parametrize("sampler", SAMPLERS, ids=name)
def test_log_records(start, http_backend, sampler):
    chance = random.Random(name(sampler))
    expected, requests = {}, []
    for first in range(0, ITEMS, PER_REQUEST):
        request = otlp.REQUEST["logs"]()
        records = request.resource_logs.add().scope_logs.add().log_records
        for number in range(first + 1, first + 1 + PER_REQUEST):
            trace_id = random_id(chance)
            record = records.add(trace_id=trace_id, time_unix_nano=number)
            signs = {}
            if chance.random() < 0.3:
                signs["sampling.threshold"] = random_digits(chance, 1)
            if chance.random() < 0.3:
                signs["sampling.randomness"] = random_digits(chance, 13)
            for key, value in signs.items():
                record.attributes.add(key=key).value.string_value = value
            th, rv = signs.get("sampling.threshold"), signs.get("sampling.randomness")
            malformed = rv is not None and len(rv) != 14
            decision = sampler.decide(trace_id, malformed, *((None, None) if malformed else (rv, th)))
            if decision is not None:
                for key, new in zip(("sampling.randomness", "sampling.threshold"), decision):
                    if new is not None:
                        signs[key] = new
                expected[number] = signs
        requests.append(request.SerializeToString())
    got = {
        record.time_unix_nano: {pair.key: pair.value.string_value for pair in record.attributes}
        for message in run(start, http_backend, "logs", sampler, requests)
        for resource in message.resource_logs for scope in resource.scope_logs for record in scope.log_records
    }
    assert 0 < len(expected) < ITEMS
    assert got == expected
