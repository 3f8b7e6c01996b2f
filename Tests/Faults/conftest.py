"""The fault suite: the release binary, numbered load, counting backends. `FAULTS=full` runs the long form.

The tools that drive the binary are those of `Tests/Integration`.
"""

from __future__ import annotations

import os
import random
import subprocess
import sys
from pathlib import Path

import pytest

sys.path[:0] = [str(Path(__file__).parent), str(Path(__file__).resolve().parents[1] / "Integration")]

from counting import GRPCCounter, HTTPCounter  # noqa: E402
from life import Setting, Site  # noqa: E402

pytest_plugins = ["strictness"]

FULL = os.environ.get("FAULTS") == "full"
_reports: list[str] = []


def pytest_terminal_summary(terminalreporter):
    terminalreporter.section(f"faults, {'full' if FULL else 'short'} form")
    for line in _reports:
        terminalreporter.write_line(line)


@pytest.fixture
def note(request):
    """`note("…")`: a line of the report at the end."""
    return lambda text: _reports.append(f"{request.node.name}: {text}")


@pytest.fixture
def rounds():
    """`rounds(short, full)`: how often, in the form that runs."""
    return lambda short, full: full if FULL else short


@pytest.fixture
def dice(request, note):
    """Randomness that can be had again: `FAULTS_SEED`."""
    seed = int(os.environ.get("FAULTS_SEED") or random.randrange(1 << 31))
    note(f"FAULTS_SEED={seed}")
    return random.Random(f"{seed} {request.node.name}")


@pytest.fixture
def site(tmp_path):
    """`site(exporters, …)`: a collector that has not been started yet."""
    sites = []

    def _site(*arguments, durable: bool = False, **settings) -> Site:
        storage = settings.pop("storage", tmp_path / f"storage-{len(sites)}" if durable else None)
        sites.append(Site(Setting(*arguments, storage=storage, **settings), tmp_path / f"site-{len(sites)}"))
        return sites[-1]

    yield _site
    for each in sites:
        each.close()


@pytest.fixture
def backend():
    with HTTPCounter() as counter:
        yield counter


@pytest.fixture
def grpc_backend():
    with GRPCCounter() as counter:
        yield counter


@pytest.fixture
def small_disk(tmp_path):
    """`small_disk(mebibytes)`: a directory on a file system of its own, of that size."""
    mounted = []

    def _mount(mebibytes: int) -> Path:
        place = tmp_path / f"disk-{len(mounted)}"
        place.mkdir()
        result = subprocess.run(
            ["mount", "-t", "tmpfs", "-o", f"size={mebibytes}m", "faults", str(place)], capture_output=True, text=True)
        if result.returncode:
            pytest.skip(f"cannot mount a tmpfs here: {result.stderr.strip()}")
        mounted.append(place)
        return place

    yield _mount
    for place in mounted:
        subprocess.run(["umount", "--lazy", str(place)], check=False)
