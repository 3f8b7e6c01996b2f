"""Log files rotated in every way under load, with kills and restarts of the collector: no line is lost or repeated."""

import time

import pytest

import rotation
from counting import Mood
from life import exporter
from millrace import until


class FileLogSetting:
    """Changes a `Setting` to read log files instead of OTLP."""

    def __init__(self, folder):
        self.receiver = {
            "include": [f"{folder}/logs/**/app.log", f"{folder}/logs/**/app.log.*"],
            "start_at": "beginning", "compression": "auto", "storage": "file_storage", "poll_interval": "50ms",
        }

    def apply(self, document: dict) -> dict:
        document["receivers"]["file_log"] = self.receiver
        document["service"]["pipelines"]["logs"]["receivers"] = ["otlp", "file_log"]
        return document


def reading(place, folder):
    """Lets a site's configuration read the files under a folder."""
    setting, files, document = place.setting, FileLogSetting(folder), place.setting.document
    setting.document = lambda: files.apply(document())
    return place


def arrived_in_full(backend, writers, timeout=60):
    wanted = writers.numbers
    try:
        until(lambda: not backend.missing(wanted), timeout, what="every line to arrive", every=0.1)
    except AssertionError as error:
        missing = sorted(backend.missing(wanted))
        raise AssertionError(f"{error}: {len(missing)} lines are missing, first {missing[:5]}") from None
    assert not backend.arrived.keys() - wanted, "lines arrived that nobody wrote"


@pytest.mark.parametrize("is_durable", [True, False], ids=["durable-queue", "no-queue"])
def test_clean_restarts_neither_lose_nor_repeat_a_line(site, backend, dice, rounds, note, tmp_path, is_durable):
    queue = {} if is_durable else {"enabled": False}
    place = reading(
        site(exporter(backend, durable=is_durable, queue=queue), storage=tmp_path / "storage", signals=("logs",)),
        tmp_path)
    place.start()
    writers = rotation.Writers(tmp_path, dice, backend, each=2)
    for _ in range(rounds(4, 20)):
        time.sleep(dice.uniform(0.3, 1.5))
        place.stop()
        time.sleep(dice.uniform(0, 0.3))
        place.start()
    writers.stop()
    arrived_in_full(backend, writers)
    place.stop()
    again = [number for number, count in backend.arrived.items() if count > 1]
    note(f"{len(writers.numbers)} lines, {writers.rotations}")
    assert not again, f"{len(again)} lines came twice, first {sorted(again)[:5]}"


def test_kills_lose_no_line_and_repeat_only_what_was_not_recorded(site, backend, dice, rounds, note, tmp_path):
    place = reading(
        site(exporter(backend, durable=True), storage=tmp_path / "storage", signals=("logs",)), tmp_path)
    place.start()
    writers = rotation.Writers(tmp_path, dice, backend, each=2)
    kills = []
    for _ in range(rounds(5, 40)):
        backend.mood = dice.choice([lambda _: Mood(), lambda _: Mood(), lambda _: Mood(delay=0.02), lambda _: Mood(503)])
        time.sleep(dice.uniform(0.1, 1.5))
        place.kill()
        time.sleep(0.05)
        kills.append(backend.requests)
        place.start()
    backend.mood = lambda _: Mood()
    writers.stop()
    arrived_in_full(backend, writers)
    place.stop()
    again = sorted(number for number, count in backend.arrived.items() if count > 1)
    note(f"{len(writers.numbers)} lines, {len(kills)} kills, {len(again)} lines twice, {writers.rotations}")
    assert_recently_read(again, backend, kills)


def assert_recently_read(again: list[int], backend, kills: list[int]):
    """No more comes again after a kill than the lines between the last record of the position and the kill."""
    most_times = max((backend.arrived[number] for number in again), default=0)
    assert most_times <= len(kills) + 1
    # Of each log the lines that are repeated are neighbours: reading went on at one place and not at several.
    for lane in {number // rotation.LANE for number in again}:
        numbers = [number for number in again if number // rotation.LANE == lane]
        gaps = sum(1 for before, after in zip(numbers, numbers[1:]) if after != before + 1)
        assert gaps <= 4 * len(kills), f"{gaps + 1} separate stretches of log {lane} came twice"


def test_a_refusing_backend_slows_the_reading_and_loses_nothing(site, backend, dice, note, tmp_path):
    place = reading(
        site(exporter(backend, queue={"enabled": False}), storage=tmp_path / "storage", signals=("logs",)), tmp_path)
    backend.mood = lambda attempt: Mood(503) if attempt % 3 else Mood()
    place.start()
    writers = rotation.Writers(tmp_path, dice, backend)
    time.sleep(2)
    writers.stop()
    arrived_in_full(backend, writers)
    sheet = place.stop()
    assert sheet.items("logs", "dropped") == 0
    assert all(count == 1 for count in backend.arrived.values())
    note(f"{len(writers.numbers)} lines, {backend.attempts} attempts")


def test_a_switched_link_is_read_to_the_end_of_both_files(site, backend, tmp_path):
    place = reading(
        site(exporter(backend, queue={"enabled": False}), storage=tmp_path / "storage", signals=("logs",)), tmp_path)
    folder = tmp_path / "logs"
    folder.mkdir()
    for name in ("one", "two"):
        (tmp_path / name).touch()
    link, new = folder / "app.log", folder / "new"
    link.symlink_to(tmp_path / "one")
    place.start()
    with (tmp_path / "one").open("ab", buffering=0) as file:
        file.write((rotation.LINE % (1, "")).encode())
        until(lambda: backend.distinct == 1, what="the first line")
        backend.mood = lambda attempt: Mood(503)
        file.write("".join(rotation.LINE % (number, "y" * 100) for number in range(2, 5000)).encode())
        new.symlink_to(tmp_path / "two")
        new.rename(link)
        file.write("".join(rotation.LINE % (number, "y" * 100) for number in range(5000, 6001)).encode())
        with (tmp_path / "two").open("ab", buffering=0) as other:
            other.write("".join(rotation.LINE % (number, "z") for number in range(6001, 7001)).encode())
        time.sleep(0.3)
        backend.mood = lambda attempt: Mood()
        until(lambda: backend.distinct == 7000, what="the lines of both files")
    assert all(count == 1 for count in backend.arrived.values())
    place.stop()


def test_a_deleted_file_is_read_to_its_end(site, backend, tmp_path):
    place = reading(
        site(exporter(backend, queue={"enabled": False}), storage=tmp_path / "storage", signals=("logs",)), tmp_path)
    folder = tmp_path / "logs"
    folder.mkdir()
    place.start()
    path = folder / "app.log"
    with path.open("wb", buffering=0) as file:
        file.write((rotation.LINE % (1, "")).encode())
        until(lambda: backend.distinct == 1, what="the first line")
        backend.mood = lambda attempt: Mood(503)
        file.write("".join(rotation.LINE % (number, "y" * 100) for number in range(2, 5000)).encode())
        path.unlink()
        file.write("".join(rotation.LINE % (number, "y" * 100) for number in range(5000, 6001)).encode())
        time.sleep(0.3)
        backend.mood = lambda attempt: Mood()
        until(lambda: backend.distinct == 6000, what="the lines of the deleted file")
    assert all(count == 1 for count in backend.arrived.values())
    place.stop()
