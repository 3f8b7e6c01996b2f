"""The journal through the real journalctl: journal files are made by systemd-journal-remote from its export format."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import time
from pathlib import Path

import pytest

from backends import Reply
from log_inputs import FAST, LogInputs, records
from millrace import until

REMOTE = next((path for path in ("/lib/systemd/systemd-journal-remote", "/usr/lib/systemd/systemd-journal-remote")
               if os.path.exists(path)), None)
pytestmark = pytest.mark.skipif(
    REMOTE is None or shutil.which("journalctl") is None, reason="systemd-journal-remote is not installed")

MACHINE, BOOT = "0" * 31 + "1", "0" * 31 + "2"


class Journal:
    """A directory with one journal file, to which entries are added."""

    def __init__(self, folder: Path):
        self.folder = folder
        folder.mkdir()
        self.count = 0

    def write(self, count: int, **fields: str | bytes):
        """Adds numbered entries."""
        entries = []
        for _ in range(count):
            self.count += 1
            now = 1_700_000_000_000_000 + self.count
            lines = [
                f"__REALTIME_TIMESTAMP={now}".encode(), f"__MONOTONIC_TIMESTAMP={self.count}".encode(),
                f"_BOOT_ID={BOOT}".encode(), f"_MACHINE_ID={MACHINE}".encode(),
            ]
            for key, content in {"MESSAGE": f"entry {self.count}", "PRIORITY": "6", **fields}.items():
                if isinstance(content, bytes):
                    lines.append(key.encode() + b"\n" + len(content).to_bytes(8, "little") + content)
                else:
                    lines.append(f"{key}={content}".encode())
            entries.append(b"\n".join(lines) + b"\n\n")
        subprocess.run(
            [REMOTE, "--output", str(self.folder / "test.journal"), "--split-mode=none", "-"],
            input=b"".join(entries), check=True, capture_output=True, timeout=60)


@pytest.fixture
def journal(tmp_path):
    return Journal(tmp_path / "journal")


@pytest.fixture
def read(tmp_path, http_backend, journal):
    """`read(setting=…)`: a running millrace that reads the journal; each has the same storage."""
    running = []

    def _read(**settings) -> LogInputs:
        receiver = {"directory": str(journal.folder), "storage": "file_storage", "start_at": "beginning",
                    "retry_on_failure": FAST, **settings}
        storage = {"file_storage": {"directory": str(tmp_path / "storage"), "create_directory": True}}
        running.append(LogInputs(
            tmp_path / f"millrace-{len(running)}", {"journald": receiver}, http_backend, storage))
        return running[-1]

    yield _read
    for millrace in running:
        millrace.kill()


def messages(backend) -> list[str]:
    """What has come, in the order of the journal: several batches are on their way at a time."""
    found = [record.body["MESSAGE"] for record in records(backend)]
    return sorted(found, key=lambda message: int(message.split()[1]))


def numbered(count: int, start: int = 1) -> list[str]:
    return [f"entry {number}" for number in range(start, start + count)]


def test_entries_are_read_from_the_beginning_and_as_they_come(read, journal, http_backend):
    journal.write(300, _SYSTEMD_UNIT="shop.service", SYSLOG_IDENTIFIER="shop")
    millrace = read()
    until(lambda: len(messages(http_backend)) == 300, 30, what="the entries that were there")
    journal.write(50, BLOB=b"\x00\xff\n")
    until(lambda: len(messages(http_backend)) == 350, 30, what="the new entries")
    assert messages(http_backend) == numbered(350)
    first, last = records(http_backend)[0], records(http_backend)[-1]
    assert first.body["_SYSTEMD_UNIT"] == "shop.service" and first.time == 1_700_000_000_000_001_000
    assert "__CURSOR" in first.body and "__REALTIME_TIMESTAMP" not in first.body
    assert last.body["BLOB"] == [0, 255, 10]
    assert millrace.stop().is_balanced()


def test_start_at_end_leaves_out_what_is_there(read, journal, http_backend):
    journal.write(30)
    millrace = read(start_at="end")
    time.sleep(1.5)
    journal.write(5)
    until(lambda: len(messages(http_backend)) >= 5, 30, what="the new entries")
    assert messages(http_backend) == numbered(5, 31)
    millrace.stop()


def test_a_restart_goes_on_exactly_where_it_was(read, journal, http_backend):
    journal.write(100)
    for part in range(3):
        millrace = read()
        until(lambda: len(messages(http_backend)) == 100 * (part + 1), 30, what="the entries")
        assert millrace.stop().is_balanced()
        journal.write(100)
    assert messages(http_backend) == numbered(300)


def test_a_killed_collector_repeats_only_what_it_had_not_recorded(read, journal, http_backend):
    refusing = False
    http_backend.answer = lambda _: Reply(503) if refusing else None
    journal.write(2000)
    millrace = read()
    until(lambda: len(messages(http_backend)) >= 2000, 30, what="the entries")
    refusing = True
    journal.write(500)
    time.sleep(1)
    millrace.kill()
    refusing = False
    journal.write(100)
    read()
    until(lambda: len(set(messages(http_backend))) == 2600, 30, what="all entries")
    # The position is kept beside the work, so that a kill may come before the last record of it; what was refused comes
    # once.
    assert messages(http_backend)[-600:] == numbered(600, 2001)


def test_a_journalctl_that_dies_is_run_again_without_a_gap(read, journal, http_backend):
    journal.write(50)
    millrace = read()
    until(lambda: len(messages(http_backend)) == 50, 30, what="the entries")
    child = until(lambda: _children(millrace.process.pid), what="journalctl")[0]
    os.kill(child, signal.SIGKILL)
    journal.write(50)
    until(lambda: len(messages(http_backend)) == 100, 30, what="the entries behind its end")
    assert messages(http_backend) == numbered(100)
    assert any("journalctl has ended" in record.get("msg", "") for record in millrace.log_records)
    pid = _children(millrace.process.pid)[0]
    millrace.stop()
    # It is not left behind.
    assert not os.path.exists(f"/proc/{pid}")


def test_filters_are_journalctls(read, journal, http_backend):
    journal.write(3, _SYSTEMD_UNIT="a.service", PRIORITY="3")
    journal.write(3, _SYSTEMD_UNIT="b.service", PRIORITY="7")
    journal.write(3, _SYSTEMD_UNIT="b.service", PRIORITY="4")
    millrace = read(priority="warning", matches=[{"_SYSTEMD_UNIT": "b.service"}], convert_to_semantic_conventions=True)
    until(lambda: len(records(http_backend)) == 3, 30, what="the entries of b")
    assert [record.body for record in records(http_backend)] == numbered(3, 7)
    assert {record.severity for record in records(http_backend)} == {"warn"}
    millrace.stop()


def _children(process: int) -> list[int]:
    found = []
    for entry in os.listdir("/proc"):
        if entry.isdigit():
            try:
                status = Path(f"/proc/{entry}/stat").read_text()
            except OSError:
                continue
            if int(status.rsplit(")", 1)[1].split()[1]) == process:
                found.append(int(entry))
    return found
