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
