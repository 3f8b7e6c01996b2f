"""Backends that are down, slow, flapping, full, wrong, or gone in the middle of an answer.

Each scenario runs with the queue in memory and on disk. What was acknowledged arrives once the backend is well, and
the ledger agrees with both ends.
"""

import time

import pytest

from counting import Mood
from life import duplicates, exporter, invented, wait_for
from load import Load
from millrace import until

SIGNALS = ("logs", "traces", "metrics")
# Larger than any backlog here: these scenarios are about the backend, not about a full queue.
ROOM = {"queue_size": 100_000_000, "sizer": "bytes", "num_consumers": 4}


@pytest.fixture(params=["memory", "durable"])
def start(request, site):
    def _start(server, kind="otlp_http", processors=None, **settings):
        durable = request.param == "durable"
        settings.setdefault("queue", ROOM)
        place = site(exporter(server, kind=kind, durable=durable, **settings), processors or {}, durable=durable,
                     signals=SIGNALS)
        place.start()
        return place

    return _start


def finish(place, load, *servers, arrived_once=True):
    """Everything acknowledged has arrived, nothing else is claimed, and the accounts balance."""
    load.stop()
    for server in servers:
        wait_for(server, load.counts.accepted)
    sheet = place.stop()
    for server in servers:
        assert not invented(load, server)
    if arrived_once:
        assert not duplicates(load, *servers)
    # What arrived without an answer is not delivered yet for the collector: at the end it is still stored.
    ended = sum(sheet.items(signal, state) for signal in SIGNALS for state in ("delivered", "stored"))
    assert ended == sum(server.distinct for server in servers)
    for state in ("dropped", "leaked", "rejected"):
        assert sum(sheet.items(signal, state) for signal in SIGNALS) == 0
    return sheet


@pytest.mark.parametrize("kind", ["otlp_http", "otlp_grpc"])
def test_a_backend_that_is_down_gets_everything_when_it_is_back(start, backend, grpc_backend, rounds, note, kind):
    server = backend if kind == "otlp_http" else grpc_backend
    place = start(server, kind)
    load = Load(place.setting, signals=SIGNALS, senders=6)
    until(lambda: load.accepted > 500, what="some load")
    server.stop()
    down_from = load.accepted
    until(lambda: load.accepted > down_from + rounds(2_000, 20_000), 60, what="a backlog")
    load.stop()
    server.start()
    # An answer that was cut off by the stop is sent again: those may come twice.
    finish(place, load, server, arrived_once=False)
    again = len(duplicates(load, server))
    assert again <= ROOM["num_consumers"] * load.per_request
    note(f"{load.counts.summary()}; {again} twice")


def test_a_slow_backend_gets_everything(start, backend, rounds, note):
    backend.mood = lambda attempt: Mood(delay=0.03)
    place = start(backend)
    load = Load(place.setting, signals=SIGNALS, senders=6, pause=0.005)
    until(lambda: load.accepted > rounds(2_000, 10_000), 60, what="some load")
    load.stop()
    assert backend.distinct < load.accepted, "the backend was not slow enough for a backlog"
    finish(place, load, backend)
    note(load.counts.summary())


@pytest.mark.parametrize("kind", ["otlp_http", "otlp_grpc"])
def test_a_flapping_backend_gets_everything(start, backend, grpc_backend, dice, rounds, note, kind):
    server = backend if kind == "otlp_http" else grpc_backend
    place = start(server, kind)
    load = Load(place.setting, signals=SIGNALS, senders=6, pause=0.002)
    flaps = rounds(5, 25)
    for _ in range(flaps):
        time.sleep(dice.uniform(0.02, 0.3))
        server.stop()
        time.sleep(dice.uniform(0.0, 0.2))
        server.start()
    finish(place, load, server, arrived_once=False)
    again = len(duplicates(load, server))
    assert again <= flaps * ROOM["num_consumers"] * load.per_request
    note(f"{load.counts.summary()}; {again} twice")


@pytest.mark.parametrize("kind,status", [("otlp_http", 429), ("otlp_http", 503), ("otlp_grpc", 429), ("otlp_grpc", 503)])
def test_a_backend_that_asks_for_time_gets_it_and_then_everything(
    start, backend, grpc_backend, rounds, note, kind, status
):
    server = backend if kind == "otlp_http" else grpc_backend
    refused_until = rounds(16, 60)
    server.mood = lambda attempt: (
        Mood(status, retry_after="1") if attempt % 3 == 0 and attempt < refused_until else Mood())
    place = start(server, kind)
    load = Load(place.setting, signals=SIGNALS, senders=6, pause=0.005)
    until(lambda: load.accepted > rounds(1_500, 5_000), 60, what="some load")
    finish(place, load, server)
    assert server.attempts > server.requests
    note(f"{load.counts.summary()}; {server.attempts - server.requests} refusals")


def test_what_the_backend_rejects_is_booked_as_rejected_and_nothing_else_suffers(start, backend, rounds, note):
    backend.mood = lambda attempt: Mood(400) if attempt % 5 == 0 else Mood()
    place = start(backend)
    load = Load(place.setting, signals=SIGNALS, senders=6, retries=False)
    until(lambda: load.accepted > rounds(2_000, 10_000), 60, what="some load")
    load.stop()
    until(lambda: not backend.missing(load.counts.accepted - backend.rejected), 60, what="the rest")
    sheet = place.stop()
    assert backend.rejected and not backend.rejected & backend.arrived.keys()
    assert load.counts.accepted == backend.rejected | backend.arrived.keys()
    assert sum(sheet.items(signal, "rejected") for signal in SIGNALS) == len(backend.rejected)
    assert sum(sheet.items(signal, "delivered") for signal in SIGNALS) == len(backend.arrived)
    assert sum(sheet.items(signal, "dropped") for signal in SIGNALS) == 0
    note(f"{load.counts.summary()}; {len(backend.rejected)} rejected by the backend")


@pytest.mark.parametrize("cut", ["before", "within"])
def test_answers_that_break_off_are_no_answers(start, backend, rounds, note, cut):
    backend.mood = lambda attempt: Mood(cut=cut) if attempt % 4 == 0 else Mood()
    place = start(backend)
    load = Load(place.setting, signals=SIGNALS, senders=6)
    until(lambda: load.accepted > rounds(2_000, 10_000), 60, what="some load")
    # The counting server forgets what it did not answer, so that a second delivery is the only one.
    finish(place, load, backend)
    note(f"{load.counts.summary()}; {backend.attempts - backend.requests} answers broke off")


def test_two_backends_one_down_do_not_disturb_each_other(site, backend, grpc_backend, rounds, note):
    place = site({**exporter(backend, queue=ROOM), **exporter(grpc_backend, kind="otlp_grpc", queue=ROOM)},
                 signals=SIGNALS)
    place.start()
    load = Load(place.setting, signals=SIGNALS, senders=6)
    until(lambda: load.accepted > 500, what="some load")
    grpc_backend.stop()
    seen = backend.distinct
    until(lambda: backend.distinct > seen + rounds(1_000, 5_000), 60, what="the other backend to go on")
    load.stop()
    grpc_backend.start()
    for server in (backend, grpc_backend):
        wait_for(server, load.counts.accepted)
    sheet = place.stop()
    assert sum(sheet.items(signal, "delivered") for signal in SIGNALS) == backend.distinct + grpc_backend.distinct
    note(load.counts.summary())
