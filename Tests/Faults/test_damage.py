"""Queue files that are corrupted or cut short: the collector starts, keeps them for a look, says so, and goes on."""

import pytest

from life import exporter, invented, wait_for
from load import Load
from millrace import until

SIGNALS = ("logs", "traces")
ROOM = {"queue_size": 10**9, "sizer": "bytes", "num_consumers": 2}
PAGE = 16_384


def truncated(path, dice):
    path.write_bytes(path.read_bytes()[: path.stat().st_size * 2 // 3])


def emptied(path, dice):
    path.write_bytes(b"no database at all" * 100)


def flipped(path, dice):
    """Single bits in the middle of records: SQLite itself does not notice."""
    data = bytearray(path.read_bytes())
    for _ in range(20):
        data[dice.randrange(4 * PAGE, len(data))] ^= 0x40
    path.write_bytes(data)


def overwritten(path, dice):
    data = bytearray(path.read_bytes())
    for _ in range(3):
        page = dice.randrange(4, len(data) // PAGE) * PAGE
        data[page : page + PAGE] = dice.randbytes(PAGE)
    path.write_bytes(data)


def headless(path, dice):
    data = bytearray(path.read_bytes())
    data[:100] = dice.randbytes(100)
    path.write_bytes(data)


@pytest.mark.parametrize("damage", [truncated, emptied, flipped, overwritten, headless])
def test_a_damaged_queue_is_set_aside_and_everything_else_flows(site, backend, dice, note, damage):
    place = site(exporter(backend, durable=True, queue=ROOM), durable=True, signals=SIGNALS)
    backend.stop()
    place.start()
    old = Load(place.setting, signals=SIGNALS, senders=4, padding=600, retries=False)
    until(lambda: old.accepted > 4_000, 60, what="a backlog")
    old.stop()
    place.stop()
    stored = place.stored()["databases"]
    (path,) = place.setting.storage.glob("*.queue.sqlite")
    assert sum(database["batches"] for database in stored) * old.per_request == old.accepted
    damage(path, dice)

    backend.start()
    place.start()
    new = Load(place.setting, signals=SIGNALS, senders=4, first=100)
    until(lambda: new.accepted > 1_000, 60, what="new load beside the damage")
    new.stop()
    wait_for(backend, new.counts.accepted)
    # The rest of the old queue comes too, as far as it was saved.
    damaged = until(lambda: [record for record in place.current.log_records if "set aside" in record.get("msg", "")],
                    what="the damage to be found")
    until(lambda: place.current.metrics().sum("otelcol_exporter_queue_size") == 0, 60, what="the queue to drain")
    assert place.current.metrics().sum("millrace_storage_damaged_databases") >= 1
    assert all(record["level"].lower() == "error" for record in damaged)
    sheet = place.stop()

    aside = [path.name for path in place.setting.storage.iterdir() if ".damaged-" in path.name]
    assert aside and place.stored()["damaged"], "nothing was kept of the damaged file"
    missing = backend.missing(old.counts.accepted)
    lost = [record.get("rows_lost", "unknown") for record in damaged]
    if "unknown" not in lost:
        assert sum(map(int, lost)) * old.per_request == len(missing), "what was lost is not what was reported"
    else:
        assert missing, "the number of lost rows is unknown though none was lost"
    assert not invented(_both(old, new), backend)
    dropped = sum(sheet.items(signal, "dropped") for signal in SIGNALS)
    note(f"{len(missing)} of {old.accepted} items lost, reported rows lost: {lost}, booked as dropped: {dropped}")


class _both:
    def __init__(self, *loads):
        self.counts = type(loads[0].counts)()
        for load in loads:
            for name, numbers in vars(load.counts).items():
                getattr(self.counts, name).update(numbers)
