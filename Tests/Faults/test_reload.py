"""SIGHUP under load, again and again: nothing is lost, nobody is refused for it, and nothing piles up."""

import copy
import time

from life import Setting, duplicates, exporter, invented, wait_for
from load import Load
from millrace import until

SIGNALS = ("logs", "traces", "metrics")


def variants(place, backend, durable: bool) -> list[Setting]:
    """The same ports and backends with other processors, other queues, and one exporter more."""

    def changed(change) -> Setting:
        setting = copy.copy(place.setting)
        setting.exporters = copy.deepcopy(setting.exporters)
        setting.processors = copy.deepcopy(setting.processors)
        change(setting)
        return setting

    def batches(setting):
        setting.processors = {"batch": {"timeout": "10ms", "send_batch_size": 100}}

    def larger_batches(setting):
        setting.processors = {"batch": {"timeout": "30ms", "send_batch_size": 1000}}

    def other_queue(setting):
        setting.exporters["otlp_http"]["sending_queue"]["num_consumers"] = 2

    def one_more(setting):
        setting.exporters["nop"] = {}

    return [place.setting, *map(changed, (batches, larger_batches, other_queue, one_more))]


def run(site, backend, dice, note, rounds: int, durable: bool):
    place = site(exporter(backend, durable=durable, queue={"num_consumers": 4}), durable=durable, signals=SIGNALS)
    place.start()
    settings = variants(place, backend, durable)
    load = Load(place.setting, signals=SIGNALS, senders=6, pause=0.001)
    until(lambda: load.accepted > 500, what="some load")
    for _ in range(rounds):
        record = place.reload(dice.choice(settings))
        assert record["level"].lower() in ("info", "warn", "warning"), record
        time.sleep(dice.uniform(0, 0.05))
    more = load.accepted
    until(lambda: load.accepted > more + 500, what="the load to go on")
    load.stop()
    wait_for(backend, load.counts.accepted)
    sheet = place.stop()
    assert not load.counts.unknown, "a reload closed a connection in the middle of a request"
    assert not invented(load, backend) and not duplicates(load, backend)
    for state in ("dropped", "leaked", "rejected"):
        assert sum(sheet.items(signal, state) for signal in SIGNALS) == 0
    note(load.counts.summary())


def test_reloads_under_load_lose_nothing(site, backend, dice, rounds, note):
    run(site, backend, dice, note, rounds(10, 60), durable=False)


def test_reloads_under_load_lose_nothing_on_disk(site, backend, dice, rounds, note):
    run(site, backend, dice, note, rounds(10, 60), durable=True)


def test_a_wrong_configuration_changes_nothing(site, backend, note):
    place = site(exporter(backend), signals=SIGNALS)
    place.start()
    good = place.setting
    load = Load(place.setting, signals=SIGNALS, senders=3)
    until(lambda: load.accepted > 500, what="some load")
    wrong = copy.copy(good)
    wrong.exporters = {"otlp_http": {"endpont": "http://127.0.0.1:1"}}
    record = place.reload(wrong)
    assert record["level"].lower() == "error"
    assert "config.yaml" in place.current.logs and "endpont" in place.current.logs
    more = load.accepted
    until(lambda: load.accepted > more + 500, what="the load to go on")
    assert place.reload(good)["level"].lower() == "info"
    load.stop()
    wait_for(backend, load.counts.accepted)
    place.stop()
    assert not load.counts.unknown
    note(load.counts.summary())


def test_many_reloads_leave_nothing_behind(site, backend, rounds, note):
    place = site(exporter(backend, durable=True, queue={"num_consumers": 2}), durable=True, signals=SIGNALS)
    place.start()
    settings = variants(place, backend, True)
    load = Load(place.setting, signals=SIGNALS, senders=3, pause=0.02)
    count = rounds(30, 1000)
    warm = max(10, count // 10)
    memory = descriptors = 0
    for number in range(count):
        place.reload(settings[number % len(settings)])
        if number == warm:
            memory, descriptors = place.current.memory(), place.descriptors()
    load.stop()
    wait_for(backend, load.counts.accepted)
    after, left = place.current.memory(), place.descriptors()
    place.stop()
    note(f"{count} reloads: memory {memory >> 20} to {after >> 20} MiB, descriptors {descriptors} to {left}; "
         + load.counts.summary())
    assert left <= descriptors + 16
    assert after <= memory + (24 << 20)
    assert not load.counts.unknown
