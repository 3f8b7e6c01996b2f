"""`file_log` in the real binary, with files that a test writes."""

from __future__ import annotations

import os
import shutil
import signal
from pathlib import Path

import pytest

from log_inputs import FAST, LogInputs, Record, records
from millrace import until


class FileLog(LogInputs):
    """Reads `folder/logs/**/*.log` unless told otherwise, from the beginning."""

    def __init__(self, folder: Path, backend, settings: dict, launcher: tuple[str, ...] = (), **others):
        self.files, self.backend, self.LAUNCHER = folder / "logs", backend, launcher
        self.files.mkdir(exist_ok=True)
        receiver = {
            "include": [f"{self.files}/**/*.log"], "start_at": "beginning", "poll_interval": "50ms",
            "force_flush_period": "200ms", "retry_on_failure": {"enabled": True, **FAST}, **settings}
        super().__init__(folder / "millrace", {"file_log": receiver}, backend, **others)

    @property
    def receiver(self) -> dict:
        return self.pipeline.receivers["file_log"]

    @property
    def records(self) -> list[Record]:
        return records(self.backend)

    @property
    def bodies(self) -> list:
        return [record.body for record in self.records]

    def wait(self, count: int, timeout: float = 30) -> list[Record]:
        """The records, once there are so many."""
        try:
            until(lambda: len(self.records) >= count, timeout, what=f"{count} records")
        except AssertionError as error:
            raise AssertionError(f"{error}, got {self.bodies[:20]}\n{self.logs[-3000:]}") from None
        return self.records

    def finish(self, count: int) -> list[Record]:
        """Waits for so many records, stops, and says that there were no more and none is unaccounted for."""
        self.wait(count)
        assert self.stop().is_balanced()
        found = self.records
        assert len(found) == count, [record.body for record in found][:20]
        return found

    def write(self, name: str, content: str | bytes):
        """Adds to a file."""
        path = self.files / name
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("ab") as file:
            file.write(content.encode() if isinstance(content, str) else content)
        return path

    def reload(self):
        """Writes the configuration as `receiver` has it now, and waits until it is in force."""
        before = len(self.told("configuration reloaded"))
        fresh = self.config.with_suffix(".new")
        fresh.write_text(self.pipeline.text())
        fresh.rename(self.config)
        self.process.send_signal(signal.SIGHUP)
        until(lambda: len(self.told("configuration reloaded")) > before, what="the reload")

    def told(self, message: str) -> list[dict]:
        """What it logged with that beginning."""
        return [record for record in self.log_records if record.get("msg", "").startswith(message)]


@pytest.fixture
def read(tmp_path, http_backend):
    """`read(files={name: content}, **settings)`: file_log with these settings over these files, running."""
    running = []

    def _read(files: dict[str, str | bytes] | None = None, launcher: tuple = (), **settings) -> FileLog:
        for name, content in (files or {}).items():
            path = tmp_path / "logs" / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content.encode() if isinstance(content, str) else content)
        settings = {
            key: [text.replace("DIR", f"{tmp_path}/logs") for text in value] if key in ("include", "exclude") else value
            for key, value in settings.items()}
        others = {key: settings.pop(key) for key in ("extensions", "processors") if key in settings}
        running.append(FileLog(tmp_path, http_backend, settings, launcher, **others))
        return running[-1]

    yield _read
    for millrace in running:
        millrace.kill()


def without_privileges() -> tuple[str, ...]:
    """How to start a program that is denied what permissions deny, though the tests may run as root."""
    if os.geteuid() != 0:
        return ()
    setpriv = shutil.which("setpriv")
    if not setpriv:
        pytest.skip("setpriv is not there: as root everything may be read")
    return (setpriv, "--bounding-set=-dac_override,-dac_read_search")
