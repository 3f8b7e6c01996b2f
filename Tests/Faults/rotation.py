"""Writers of log files that rotate them in every way there is; each line carries a number."""

from __future__ import annotations

import gzip
import os
import random
import shutil
import threading
import time
from collections.abc import Callable
from pathlib import Path

LINE = "item-%012d %s\n"
# Each writer has this many numbers to itself.
LANE = 1_000_000
KEPT = 6


class LogWriter:
    """A program that writes one log. `step()` writes some lines and perhaps rotates; nothing else touches its files."""

    #: How a file may be rotated; every way keeps all lines somewhere under the watched patterns.
    WAYS: tuple[str, ...] = ()

    def __init__(self, lane: int, folder: Path, dice: random.Random, has_arrived: Callable[[set[int]], bool]):
        self.has_arrived = has_arrived
        self.first = lane * LANE + 1
        self.next = self.first
        self.folder, self.dice = folder, dice
        folder.mkdir(parents=True, exist_ok=True)
        self.path = folder / "app.log"
        self.rotations: dict[str, int] = {}
        self.file = self.path.open("ab", buffering=0)

    @property
    def numbers(self) -> set[int]:
        return set(range(self.first, self.next))

    def write(self, lines: int):
        text = []
        for _ in range(lines):
            text.append(LINE % (self.next, "x" * self.dice.randrange(1, 160)))
            self.next += 1
        data = "".join(text).encode()
        # In pieces, so that readers meet halves of lines.
        while data:
            size = self.dice.randrange(1, 4000)
            self.file.write(data[:size])
            data = data[size:]

    def step(self):
        # Sometimes silent, as those who wait for everything to arrive need it.
        if self.dice.random() < 0.8:
            self.write(self.dice.randrange(1, 80))
        if self.dice.random() < 0.15:
            self.rotate(self.dice.choice(self.WAYS))

    def rotate(self, way: str):
        if getattr(self, f"_{way}")() is not False:
            self.rotations[way] = self.rotations.get(way, 0) + 1

    def close(self):
        self.file.close()

    def _reopen(self):
        self.file.close()
        self.file = self.path.open("ab", buffering=0)


class Renaming(LogWriter):
    """Rename and create, once or several times between two looks; later into `.gz`."""

    WAYS = ("rename", "rename", "several", "compress", "late")

    def _rename(self):
        self._shift()
        self.path.rename(self.folder / "app.log.1")
        self._reopen()

    def _several(self):
        for _ in range(self.dice.randrange(2, 5)):
            self._rename()
            self.write(self.dice.randrange(1, 10))

    def _late(self):
        """The program goes on writing to the renamed file for a while."""
        self._shift()
        self.path.rename(self.folder / "app.log.1")
        self.write(self.dice.randrange(1, 30))
        time.sleep(self.dice.uniform(0, 0.1))
        self.write(self.dice.randrange(1, 30))
        self._reopen()

    def _compress(self):
        """What was rotated last becomes a `.gz`, as logrotate's delaycompress does it."""
        source = self.folder / "app.log.1"
        if not source.exists():
            return
        self._shift()
        source = self.folder / "app.log.2"
        target = self.folder / "app.log.2.gz"
        hidden = self.folder / "compressing"
        with source.open("rb") as plain, gzip.open(hidden, "wb") as packed:
            shutil.copyfileobj(plain, packed)
        hidden.rename(target)
        source.unlink()

    def _shift(self):
        """`.1` becomes `.2`, and so on. Nothing is thrown away, whether it has been read or not."""
        rotated = []
        for path in self.folder.iterdir():
            parts = path.name.split(".")
            if len(parts) > 2 and parts[2].isdigit():
                rotated.append((int(parts[2]), path, ".".join(parts[3:])))
        for number, path, rest in sorted(rotated, reverse=True):
            path.rename(self.folder / (f"app.log.{number + 1}" + (f".{rest}" if rest else "")))


class CopyTruncating(LogWriter):
    """Copied away, then cut to nothing while the program has it open."""

    WAYS = ("copytruncate",)

    def _copytruncate(self):
        target = self.folder / f"app.log.{time.time_ns()}"
        hidden = self.folder / "copying"
        shutil.copyfile(self.path, hidden)
        hidden.rename(target)
        os.truncate(self.path, 0)


class Switching(LogWriter):
    """`app.log` is a symbolic link to a file that lies elsewhere, and is switched to the next.

    Nothing leads to the old file any more, so that whoever was killed could not find it again: the link is switched once
    all lines have arrived.
    """

    WAYS = ("switch",)

    def __init__(self, lane: int, folder: Path, dice: random.Random, has_arrived: Callable[[set[int]], bool]):
        self.generation = 0
        self.elsewhere = folder.parent.parent / "elsewhere" / f"{lane}"
        self.elsewhere.mkdir(parents=True, exist_ok=True)
        folder.mkdir(parents=True, exist_ok=True)
        self._link(folder)
        super().__init__(lane, folder, dice, has_arrived)

    def _link(self, folder: Path):
        self.generation += 1
        target = self.elsewhere / f"generation-{self.generation}"
        target.touch()
        new = folder / "link.new"
        new.symlink_to(target)
        new.rename(folder / "app.log")

    def _switch(self):
        if not self.has_arrived(self.numbers):
            return False
        self._link(self.folder)
        self._reopen()


class Moving(LogWriter):
    """Goes on in a directory that did not exist before."""

    WAYS = ("move",)

    def _move(self):
        self.file.close()
        folder = self.folder / f"{time.time_ns()}" / "deeper"
        folder.mkdir(parents=True)
        self.path = folder / "app.log"
        self.file = self.path.open("ab", buffering=0)


class Hiding(LogWriter):
    """Renames, or copies and truncates, to names that no pattern matches, compressed at once or not.

    A file that was never seen under its own name is not one to be read: it is rotated once something of it arrived, and
    had the time to be recorded.
    """

    WAYS = ("hide", "hide_copy", "hide_compressed")

    def __init__(self, *arguments):
        super().__init__(*arguments)
        self.first_of_file, self.seen_at = self.next, None

    def step(self):
        if self.seen_at is None and self.next > self.first_of_file and self.has_arrived({self.first_of_file}):
            self.seen_at = time.monotonic()
        super().step()

    def _target(self) -> Path | None:
        if self.seen_at is None or time.monotonic() - self.seen_at < 0.7:
            return None
        self.first_of_file, self.seen_at = self.next, None
        return self.folder / f"app.log-{time.time_ns()}"

    def _hide(self):
        if not (target := self._target()):
            return False
        self.path.rename(target)
        self._reopen()

    def _hide_copy(self):
        if not (target := self._target()):
            return False
        shutil.copyfile(self.path, target)
        os.truncate(self.path, 0)
        return target

    def _hide_compressed(self):
        if not (target := self._hide_copy()):
            return False
        hidden = self.folder / "compressing"
        with target.open("rb") as plain, gzip.open(hidden, "wb") as packed:
            shutil.copyfileobj(plain, packed)
        hidden.rename(target.with_name(f"{target.name}.gz"))
        target.unlink()


KINDS = (Renaming, CopyTruncating, Switching, Moving, Hiding)


class Writers:
    """Several of each kind, each on a thread of its own, until they are stopped."""

    def __init__(self, folder: Path, dice: random.Random, backend, each: int = 1):
        self.writers = [
            kind(lane, folder / "logs" / f"{kind.__name__.lower()}-{lane}", random.Random(dice.random()),
                 lambda numbers: not backend.missing(numbers))
            for lane, kind in enumerate(KINDS * each, start=1)
        ]
        self.stopping = threading.Event()
        self.errors: list[BaseException] = []
        self.threads = [threading.Thread(target=self._run, args=(writer,), daemon=True) for writer in self.writers]
        for thread in self.threads:
            thread.start()

    def _run(self, writer: LogWriter):
        try:
            while not self.stopping.is_set():
                writer.step()
                time.sleep(writer.dice.uniform(0, 0.04))
        except BaseException as error:  # noqa: BLE001: told by stop()
            self.errors.append(error)
        finally:
            writer.close()

    def stop(self):
        self.stopping.set()
        for thread in self.threads:
            thread.join(30)
        assert not self.errors, self.errors

    @property
    def numbers(self) -> set[int]:
        return set().union(*(writer.numbers for writer in self.writers))

    @property
    def rotations(self) -> dict[str, int]:
        counts: dict[str, int] = {}
        for writer in self.writers:
            for way, count in writer.rotations.items():
                counts[way] = counts.get(way, 0) + count
        return counts
