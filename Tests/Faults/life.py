"""One collector on fixed ports and a fixed directory, through as many lives as a scenario wants, and its accounts."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
from pathlib import Path

import millrace
from counting import Counted
from load import Load
from millrace import BalanceSheet, Millrace, Pipeline, until

RELOADED = re.compile("configuration reloaded|the configuration (was not reloaded|is wrong)")
INSECURE = {"insecure": True}
FAST_RETRY = {"initial_interval": "50ms", "max_interval": "200ms", "max_elapsed_time": "0s"}


class Setting(Pipeline):
    """A pipeline with whatever a scenario adds to the document: storage, delivery guarantees, other extensions."""

    def __init__(self, exporters: dict, processors: dict | None = None, *, storage: Path | None = None,
                 service: dict | None = None, extensions: dict | None = None, **settings):
        super().__init__(exporters, processors or {}, **settings)
        self.storage, self.service, self.extensions = storage, service or {}, extensions or {}
        self.storage_settings: dict = {}

    def document(self) -> dict:
        document = super().document()
        document["service"].update(self.service)
        added = dict(self.extensions)
        if self.storage:
            added["file_storage"] = {
                "directory": str(self.storage), "create_directory": True, **self.storage_settings}
        document["extensions"].update(added)
        document["service"]["extensions"] += list(added)
        return document


def exporter(backend: Counted, *, kind: str = "otlp_http", durable: bool = False, queue: dict | None = None,
             retry: dict | None = None, **settings) -> dict:
    """`{kind: …}` towards a counting server."""
    sending_queue = {**(queue or {})}
    if durable:
        sending_queue["storage"] = "file_storage"
    return {kind: {
        "endpoint": backend.endpoint, "tls": INSECURE, "compression": "none", "sending_queue": sending_queue,
        "retry_on_failure": retry or FAST_RETRY, **settings}}


class Site:
    """`start()` is one life; `kill()` and `stop()` end it."""

    def __init__(self, setting: Setting, folder: Path):
        self.setting, self.folder = setting, folder
        self.lives: list[Millrace] = []
        self.commands: list[subprocess.Popen] = []

    @property
    def current(self) -> Millrace:
        return self.lives[-1]

    def start(self, *arguments: str, **environment: str) -> Millrace:
        folder = self.folder / f"life-{len(self.lives)}"
        self.lives.append(Millrace(self.setting, folder, environment or None, arguments))
        return self.current

    def launch(self):
        """Starts without waiting for anything."""
        self.lives.append(_Launched(self.setting, self.folder / f"life-{len(self.lives)}"))

    def kill(self):
        """SIGKILL: no handler runs, nothing is flushed."""
        self.current.process.send_signal(signal.SIGKILL)
        self.current.process.wait(20)
        self.current.output.close()

    def stop(self, timeout: float = 60) -> BalanceSheet:
        """SIGTERM; it must end well, and its accounts must balance."""
        sheet = self.current.stop(timeout)
        assert sheet.is_balanced(), f"unaccounted items: {sheet.signals}"
        return sheet

    def reload(self, setting: Setting | None = None, timeout: float = 30) -> dict:
        """SIGHUP with the configuration in the file replaced by `setting`; the record that says how it went."""
        if setting:
            self.setting = setting
            # Renamed, as editors and orchestrators do: nobody reads half a file.
            new = self.current.config.with_suffix(".new")
            new.write_text(setting.text())
            new.replace(self.current.config)
        log = self.current.folder / "output.log"
        offset = log.stat().st_size
        self.current.process.send_signal(signal.SIGHUP)

        def answer():
            with log.open("rb") as file:
                file.seek(offset)
                for line in file.read().splitlines():
                    try:
                        record = json.loads(line)
                    except ValueError:
                        continue
                    if RELOADED.match(record.get("msg", "")):
                        return record
            return None

        return until(answer, timeout, what="the reload to be answered", every=0.005)

    def command(self, *arguments: str) -> subprocess.Popen:
        """Starts `millrace ARGUMENTS…` beside the collector."""
        process = subprocess.Popen(
            [str(millrace.BINARY), *arguments], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL)
        self.commands.append(process)
        return process

    def stored(self) -> dict:
        """`millrace storage inspect --json` of the directory."""
        result = millrace.command("storage", "inspect", "--json", str(self.setting.storage))
        assert result.returncode == 0, result.stderr
        return json.loads(result.stdout)

    def stored_items(self) -> int:
        return sum(sum(database["items"].values()) for database in self.stored()["databases"])

    def close(self):
        for life in self.lives:
            life.kill()
        for process in self.commands:
            process.kill()
            process.wait(10)

    def descriptors(self) -> int:
        return len(os.listdir(f"/proc/{self.current.process.pid}/fd"))


class _Launched(Millrace):
    """A process of which nothing is known yet."""

    def _is_listening(self) -> bool:
        return True


def wait_for(backend: Counted, wanted: set[int], timeout: float = 60):
    """Until everything wanted has been acknowledged by the backend."""
    try:
        until(lambda: not backend.missing(wanted), timeout, every=0.05)
    except AssertionError:
        missing = sorted(backend.missing(wanted))
        raise AssertionError(
            f"lost after acknowledgement: {len(missing)} of {len(wanted)} items, such as {missing[:5]}") from None


def duplicates(load: Load, *backends: Counted) -> dict[int, int]:
    """Items that came more than once although their sender sent them once."""
    return {
        number: count for backend in backends for number, count in backend.arrived.items()
        if count > 1 and number not in load.counts.resent
    }


def invented(load: Load, backend: Counted) -> set[int]:
    """Items that arrived and were never sent."""
    counts = load.counts
    return backend.arrived.keys() - (counts.accepted | counts.refused | counts.rejected | counts.unknown)
