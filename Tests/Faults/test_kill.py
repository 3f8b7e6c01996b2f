"""kill -9 at random moments: what was acknowledged arrives, and only what was under way may come twice."""

import time

import pytest

from counting import Mood
from life import duplicates, exporter, invented, wait_for
from load import Load
from millrace import until

SIGNALS = ("logs", "traces", "metrics")
CONSUMERS = 4
# Requests whose removal from the disk may still be uncommitted when the process is killed: those with the
# consumers, and those acknowledged while the last transaction was written.
UNDER_WAY = 64


def mood_of_round(dice):
    """Mostly well, so that kills meet deliveries; sometimes slow or down, so that they meet a backlog."""
    match dice.randrange(4):
        case 0:
            return lambda attempt: Mood(delay=0.02)
        case 1:
            return lambda attempt: Mood(503)
        case _:
            return lambda attempt: Mood()


def check_duplicates(load, backend, kills: list[int], note):
    """Each item that came twice had come first shortly before a kill."""
    again = duplicates(load, backend)
    first_seen = {}
    for index, numbers in enumerate(backend.log):
        for number in numbers:
            first_seen.setdefault(number, index)
    distances = [min((kill - first_seen[number] for kill in kills if kill > first_seen[number]), default=10**9)
                 for number in again]
    note(f"{load.counts.summary()}; {len(kills)} kills, {len(again)} items twice, "
         f"at most {max(distances, default=0)} requests before a kill")
    assert max(distances, default=0) <= UNDER_WAY
    assert len(again) <= len(kills) * UNDER_WAY * load.per_request


def killed(place, backend) -> int:
    """Kills, and says how many requests the backend had acknowledged by then."""
    place.kill()
    # What the kernel had already taken from the process may still be answered.
    time.sleep(0.05)
    return backend.requests


def killed_under_load(place, server, dice, rounds: int, pause: tuple[float, float]) -> tuple[Load, list[int]]:
    """Kills and restarts a collector under load, lets the load go on for a while, and stops it."""
    load = Load(place.setting, signals=SIGNALS, senders=6, pause=0.002)
    kills = []
    for _ in range(rounds):
        server.mood = mood_of_round(dice)
        time.sleep(dice.uniform(*pause))
        kills.append(killed(place, server))
        place.start()
    server.mood = lambda attempt: Mood()
    more = load.accepted
    until(lambda: load.accepted > more + 200, 60, what="the load to go on after the last kill")
    load.stop()
    return load, kills


@pytest.mark.parametrize("kind,processors", [
    ("otlp_http", {}),
    ("otlp_grpc", {"batch": {"timeout": "20ms", "send_batch_size": 200}}),
], ids=["http", "grpc-batched"])
def test_kill_under_load_loses_nothing_acknowledged(
    site, backend, grpc_backend, dice, rounds, note, kind, processors
):
    server = backend if kind == "otlp_http" else grpc_backend
    place = site(exporter(server, kind=kind, durable=True, queue={"num_consumers": CONSUMERS}), processors,
                 durable=True, signals=SIGNALS)
    place.start()
    load, kills = killed_under_load(place, server, dice, rounds(4, 30), (0.02, 0.8))
    wait_for(server, load.counts.accepted)
    place.stop()
    assert not invented(load, server)
    assert place.stored_items() == 0
    check_duplicates(load, server, kills, note)


def test_kill_while_a_backlog_is_sent_loses_nothing_and_keeps_the_order(site, backend, dice, rounds, note):
    place = site(exporter(backend, durable=True, queue={"num_consumers": 1, "queue_size": 10**9, "sizer": "bytes"}),
                 durable=True, signals=SIGNALS)
    backend.stop()
    place.start()
    load = Load(place.setting, signals=SIGNALS, senders=3, retries=False)
    until(lambda: load.accepted > rounds(5_000, 60_000), 60, what="a backlog")
    load.stop()
    backend.mood = lambda attempt: Mood(delay=0.002)
    kills = [killed(place, backend)]
    backend.start()
    for _ in range(rounds(3, 20)):
        place.start()
        time.sleep(dice.uniform(0.0, 0.3))
        kills.append(killed(place, backend))
    assert backend.missing(load.counts.accepted), "the backlog was gone before the last kill: make it larger"
    place.start()
    wait_for(backend, load.counts.accepted, timeout=120)
    place.stop()
    assert place.stored_items() == 0
    check_duplicates(load, backend, kills, note)
    seen = list(dict.fromkeys(number for numbers in backend.log for number in numbers))
    for lane in {number // 10**9 for number in seen}:
        own = [number for number in seen if number // 10**9 == lane]
        assert own == sorted(own), "a later item came before an earlier one"


def test_kill_while_it_starts_loses_nothing(site, backend, dice, rounds, note):
    place = site(exporter(backend, durable=True, queue={"num_consumers": CONSUMERS}), durable=True, signals=SIGNALS)
    backend.mood = lambda attempt: Mood(503)
    place.start()
    load = Load(place.setting, signals=SIGNALS, senders=3, retries=False)
    until(lambda: load.accepted > 2_000, 60, what="a backlog")
    load.stop()
    kills = [killed(place, backend)]
    for _ in range(rounds(5, 30)):
        place.launch()
        time.sleep(dice.uniform(0.0, 0.12))
        kills.append(killed(place, backend))
    backend.mood = lambda attempt: Mood()
    place.start()
    wait_for(backend, load.counts.accepted)
    place.stop()
    assert place.stored_items() == 0
    check_duplicates(load, backend, kills, note)


def test_at_least_once_without_a_disk_loses_nothing_acknowledged(site, backend, dice, rounds, note):
    place = site(exporter(backend, queue={"num_consumers": CONSUMERS}), {"batch": {"timeout": "20ms"}},
                 service={"delivery": "at_least_once"}, signals=SIGNALS)
    place.start()
    load, kills = killed_under_load(place, backend, dice, rounds(4, 20), (0.05, 0.6))
    # Acknowledged means delivered: there is nothing to wait for.
    wait_for(backend, load.counts.accepted, timeout=0)
    place.stop()
    note(f"{load.counts.summary()}; {len(kills)} kills")
    assert not duplicates(load, backend)
