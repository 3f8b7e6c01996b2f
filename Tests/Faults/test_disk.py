"""A full disk: senders are asked to come back, nothing acknowledged is lost, and all flows again once there is room."""

import pytest

from life import duplicates, exporter, invented, wait_for
from load import Load
from millrace import until

SIGNALS = ("logs", "traces")
ROOM = {"queue_size": 10**10, "sizer": "bytes", "num_consumers": 4}


def refused_more(load, than: int = 0):
    until(lambda: load.refusals > than, 60, what="a sender to be asked to come back")


def finish(place, load, backend, note):
    load.stop()
    wait_for(backend, load.counts.accepted)
    sheet = place.stop()
    assert not load.counts.rejected, "a full disk is no reason to tell a sender never to come back"
    assert not invented(load, backend) and not duplicates(load, backend)
    for state in ("dropped", "leaked", "rejected"):
        assert sum(sheet.items(signal, state) for signal in SIGNALS) == 0
    assert place.stored_items() == 0
    note(load.counts.summary())


def test_a_backlog_that_fills_the_disk_is_refused_and_then_delivered(site, backend, small_disk, note):
    disk = small_disk(40)
    place = site(exporter(backend, durable=True, queue=ROOM), durable=True, storage=disk / "queues", signals=SIGNALS)
    backend.stop()
    place.start()
    load = Load(place.setting, signals=SIGNALS, senders=4, padding=2_000)
    refused_more(load)
    accepted = load.accepted
    assert accepted * 2_000 > 8 << 20, "refused long before the disk was full"
    assert place.current.health()[0] == 200
    backend.start()
    until(lambda: load.accepted > accepted + 4_000, 60, what="senders to be served again")
    finish(place, load, backend, note)


def test_a_disk_that_others_fill_and_empty_again(site, backend, small_disk, note):
    disk = small_disk(64)
    place = site(exporter(backend, durable=True, queue=ROOM), durable=True, storage=disk / "queues", signals=SIGNALS)
    place.start()
    load = Load(place.setting, signals=SIGNALS, senders=4, padding=500, pause=0.002)
    until(lambda: load.accepted > 500, what="some load")
    ballast = disk / "ballast"
    for _ in range(2):
        refused = load.refusals
        with ballast.open("wb") as file:
            try:
                while True:
                    file.write(b"x" * 65_536)
                    file.flush()
            except OSError:
                pass
        refused_more(load, refused)
        ballast.unlink()
        accepted = load.accepted
        until(lambda: load.accepted > accepted + 500, 60, what="senders to be served again")
    finish(place, load, backend, note)


def test_a_kill_on_a_full_disk_loses_nothing_acknowledged(site, backend, small_disk, rounds, note):
    disk = small_disk(40)
    place = site(exporter(backend, durable=True, queue=ROOM), durable=True, storage=disk / "queues", signals=SIGNALS)
    backend.stop()
    place.start()
    load = Load(place.setting, signals=SIGNALS, senders=4, padding=2_000)
    for _ in range(rounds(2, 8)):
        refused_more(load, load.refusals)
        place.kill()
        place.start()
    backend.start()
    accepted = load.accepted
    until(lambda: load.accepted > accepted + 1_000, 60, what="senders to be served again")
    load.stop()
    wait_for(backend, load.counts.accepted)
    place.stop()
    assert place.stored_items() == 0
    note(load.counts.summary())


@pytest.mark.parametrize("mebibytes", [1, 4])
def test_max_size_refuses_and_then_takes_again(site, backend, note, mebibytes):
    place = site(exporter(backend, durable=True, queue=ROOM), durable=True, signals=SIGNALS)
    place.setting.storage_settings = {"max_size": f"{mebibytes}MiB"}
    backend.stop()
    place.start()
    load = Load(place.setting, signals=SIGNALS, senders=4, padding=2_000)
    refused_more(load)
    backend.start()
    accepted = load.accepted
    until(lambda: load.accepted > accepted + 1_000, 60, what="senders to be served again")
    finish(place, load, backend, note)
