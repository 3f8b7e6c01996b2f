"""SIGTERM in the middle of a load: everything acknowledged is delivered, everything else was refused."""

import pytest

from counting import Mood
from life import duplicates, exporter, invented, wait_for
from load import Load
from millrace import until


@pytest.mark.parametrize("batch", [{}, {"batch": {"timeout": "50ms", "send_batch_size": 500}}], ids=["plain", "batched"])
@pytest.mark.parametrize("kind", ["otlp_http", "otlp_grpc"])
def test_sigterm_under_load_delivers_what_was_acknowledged(site, backend, grpc_backend, note, rounds, batch, kind):
    server = backend if kind == "otlp_http" else grpc_backend
    server.mood = lambda attempt: Mood(delay=0.005)
    place = site(exporter(server, kind=kind), batch, signals=("logs", "traces", "metrics"))
    place.start()
    load = Load(place.setting, signals=("logs", "traces", "metrics"), senders=6, retries=False)
    until(lambda: load.accepted > rounds(3_000, 20_000), 60, what="some load")
    place.current.terminate()
    place.current.process.wait(60)
    load.stop()
    sheet = place.stop()
    wait_for(server, load.counts.accepted, timeout=0)
    assert not duplicates(load, server) and not invented(load, server)
    delivered = sum(sheet.items(signal, "delivered") for signal in load.by_signal)
    assert delivered == server.arrived.total()
    for signal in load.by_signal:
        assert sheet.items(signal, "dropped") == sheet.items(signal, "leaked") == 0
    note(load.counts.summary())


def test_sigterm_with_a_backend_that_is_down_keeps_everything_on_disk(site, backend, rounds, note):
    backend.stop()
    place = site(exporter(backend, durable=True, queue={"queue_size": 10**9, "sizer": "bytes"}), durable=True,
                 signals=("logs", "traces"))
    place.start("--shutdown-timeout", "3")
    load = Load(place.setting, retries=False)
    until(lambda: load.accepted > rounds(3_000, 20_000), 60, what="some load")
    place.current.terminate()
    place.current.process.wait(60)
    load.stop()
    sheet = place.stop()
    assert sum(sheet.items(signal, "stored") for signal in load.by_signal) == place.stored_items()
    assert sum(sheet.items(signal, "dropped") for signal in load.by_signal) == 0
    assert place.stored_items() >= load.accepted
    backend.start()
    place.start()
    wait_for(backend, load.counts.accepted)
    place.stop()
    assert place.stored_items() == 0
    assert not duplicates(load, backend) and not invented(load, backend)
    note(load.counts.summary())
