"""`millrace storage`: what waits on disk is shown without disturbing anybody, and can be sent on by hand."""

import hashlib
import json
import shutil

import pytest

import millrace
from counting import Mood
from life import exporter, wait_for
from load import Load
from millrace import until
from test_damage import emptied, truncated

SIGNALS = ("logs", "traces", "metrics")
ROOM = {"queue_size": 10**9, "sizer": "bytes"}


@pytest.fixture
def waiting(site, backend):
    """A running collector whose backend is down, and its load: nothing has been delivered."""
    place = site(exporter(backend, kind="otlp_http/backup", durable=True, queue=ROOM), durable=True, signals=SIGNALS)
    backend.stop()
    place.start()
    load = Load(place.setting, signals=SIGNALS, senders=6, retries=False)
    until(lambda: all(len(counts.accepted) > 200 for counts in load.by_signal.values()), 60, what="a backlog")
    load.stop()
    return place, load


def contents(directory) -> dict:
    return {path.name: (hashlib.sha256(path.read_bytes()).hexdigest(), path.stat().st_mtime_ns)
            for path in directory.iterdir()}


def drain(directory, *arguments, timeout: float = 120):
    return millrace.command("storage", "drain", str(directory), *arguments, timeout=timeout)


def test_inspect_counts_what_waits(waiting, tmp_path):
    place, load = waiting
    running = place.stored()
    assert running["in_use_by"] == f"process {place.current.process.pid}"
    (database,) = running["databases"]
    assert database["client"] == "otlp_http/backup" and database["component"] == "exporter"
    assert database["kind"] == "queue" and database["file_bytes"] > database["bytes"] > 0
    assert database["items"] == {signal: len(load.by_signal[signal].accepted) for signal in SIGNALS}
    assert database["batches"] * load.per_request == load.accepted

    place.kill()
    copy = tmp_path / "copy"
    shutil.copytree(place.setting.storage, copy)
    (copy / f"{database['file']}-shm").unlink(missing_ok=True)
    before = contents(copy)
    result = millrace.command("storage", "inspect", "--json", str(copy))
    copied = json.loads(result.stdout)
    assert copied["in_use_by"] is None and copied["databases"][0]["items"] == database["items"]
    assert contents(copy) == before, "inspect changed what it looked at"

    text = millrace.command("storage", "inspect", str(copy)).stdout
    assert "not in use" in text and "exporter otlp_http/backup" in text and str(database["batches"]) in text


def test_inspect_of_nothing_says_so(tmp_path):
    assert "no queues" in millrace.command("storage", "inspect", str(tmp_path)).stdout
    missing = millrace.command("storage", "inspect", str(tmp_path / "missing"))
    assert missing.returncode == 1 and "No such file or directory" in missing.stderr


@pytest.mark.parametrize("kind", ["http", "grpc"])
def test_drain_sends_everything_in_order(waiting, backend, grpc_backend, kind):
    place, load = waiting
    place.stop()
    server = backend if kind == "http" else grpc_backend
    backend.start()
    url = server.endpoint if kind == "http" else f"grpc://{server.endpoint}"
    # A refusal in between is no reason to stop.
    server.mood = lambda attempt: Mood(503) if attempt == 3 else Mood()
    result = drain(place.setting.storage, "--to", url, "--header", "x-scope=$team")
    assert result.returncode == 0, result.stderr
    assert f"{load.accepted} items" in result.stdout and "nothing is left" in result.stdout
    wait_for(server, load.counts.accepted, timeout=0)
    assert server.arrived.total() == load.accepted
    for lane in range(6):
        own = [number for numbers in server.log for number in numbers if number // 10**9 == lane]
        assert own == sorted(own)
    assert place.stored_items() == 0


def test_drain_leaves_a_running_collector_alone(waiting, backend):
    place, load = waiting
    result = drain(place.setting.storage, "--to", "http://127.0.0.1:9")
    assert result.returncode == 1
    assert "in use" in result.stderr and str(place.current.process.pid) in result.stderr
    assert place.stored_items() == load.accepted


def test_drain_says_what_it_could_not_send_and_keeps_it(waiting, backend):
    place, load = waiting
    place.stop()
    backend.start()
    backend.mood = lambda attempt: Mood() if attempt <= 10 else Mood(503)
    result = drain(place.setting.storage, "--to", backend.endpoint, "--retry-for", "1")
    assert result.returncode == 1
    left = load.accepted - 10 * load.per_request
    assert f"{left} items in" in result.stdout and "are left" in result.stdout and "takes no more" in result.stderr
    assert place.stored_items() == left
    # The rest goes once the endpoint is well; what was sent is not sent again.
    backend.mood = lambda attempt: Mood()
    assert drain(place.setting.storage, "--to", backend.endpoint).returncode == 0
    wait_for(backend, load.counts.accepted, timeout=0)
    assert backend.arrived.total() == load.accepted


def test_drain_keeps_what_is_rejected(waiting, backend):
    place, load = waiting
    place.stop()
    backend.start()
    backend.mood = lambda attempt: Mood(400) if attempt == 2 else Mood()
    result = drain(place.setting.storage, "--to", backend.endpoint)
    assert result.returncode == 1 and "1 batches stay stored (rejected" in result.stderr
    assert place.stored_items() == load.per_request
    assert backend.arrived.total() == load.accepted - load.per_request


def test_a_drain_that_is_killed_goes_on_where_it_was(waiting, backend):
    place, load = waiting
    place.stop()
    backend.start()
    backend.mood = lambda attempt: Mood(delay=0.01)
    for _ in range(3):
        seen = backend.requests
        process = place.command("storage", "drain", str(place.setting.storage), "--to", backend.endpoint)
        until(lambda: backend.requests > seen + 5 or process.poll() is not None, what="the drain to begin")
        process.kill()
        process.wait(10)
    assert drain(place.setting.storage, "--to", backend.endpoint).returncode == 0
    wait_for(backend, load.counts.accepted, timeout=0)
    again = backend.arrived.total() - load.accepted
    assert again <= 3 * 2 * load.per_request, f"{again} items came twice"


@pytest.mark.parametrize("damage", [emptied, truncated])
def test_drain_tells_what_a_damaged_file_does_not_give_back(waiting, backend, dice, damage):
    place, load = waiting
    place.stop()
    (path,) = place.setting.storage.glob("*.queue.sqlite")
    damage(path, dice)
    backend.start()
    result = drain(place.setting.storage, "--to", backend.endpoint)
    assert backend.arrived.total() < load.accepted
    assert result.returncode == 1 and "of a damaged file could not be read" in result.stdout, result.stdout


@pytest.mark.parametrize("arguments,message", [
    (["--to", "ftp://x"], "--to must be"),
    (["--to", "http://127.0.0.1:1", "--header", "novalue"], "--header must be key=value"),
    (["--to", "http://127.0.0.1:1", "--header", "bad name=x"], "header"),
    (["--to", "grpc://nowhere"], "port"),
    (["--to", "grpcs://127.0.0.1:1", "--set", "tls.ca_fil=x"], "tls.ca_fil"),
    (["--to", "http://127.0.0.1:1", "--queue", "otlp_htp/backup"], "there is no queue"),
])
def test_drain_explains_a_wrong_command_line(tmp_path, arguments, message):
    result = drain(tmp_path, *arguments)
    assert result.returncode == 64 and message in result.stderr, result.stderr
