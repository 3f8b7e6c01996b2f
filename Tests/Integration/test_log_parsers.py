"""What Python's json and csv modules, and writers of containers' logs, put into files, file_log reads back as it was."""

from __future__ import annotations

import contextlib
import csv
import io
import json
import math
import random
from pathlib import Path

import pytest
import yaml

from millrace import Millrace, free_port, until

CHARACTERS = "abcXYZ 0189_-.,;:=|\"'\\/{}[]<>&%$#@!\t\u00e9\u00df\u0416\u4e2d\u20ac\u2028\U0001f600"


def words(dice: random.Random, length: int, characters: str = CHARACTERS) -> str:
    return "".join(dice.choice(characters) for _ in range(dice.randrange(length)))


def any_value(value):
    kind = value.WhichOneof("value")
    match kind:
        case "array_value":
            return [any_value(each) for each in value.array_value.values]
        case "kvlist_value":
            return {each.key: any_value(each.value) for each in value.kvlist_value.values}
        case None:
            return None
    return getattr(value, kind)


class Reader(Millrace):
    """file_log receivers, each with its own files and operators, in front of one backend."""

    def __init__(self, folder: Path, receivers: dict, backend):
        self.backend = backend
        super().__init__(_Document(receivers, backend.endpoint), folder)

    def _is_listening(self) -> bool:
        assert self.process.poll() is None, f"millrace ended with {self.process.returncode}"
        with contextlib.suppress(OSError):
            return self.health()[0] == 200
        return False

    def records(self) -> list:
        """(record, attributes, resource) in the order of arrival."""
        return [
            (record, {each.key: any_value(each.value) for each in record.attributes},
             {each.key: any_value(each.value) for each in group.resource.attributes})
            for request in self.backend.messages("logs") for group in request.resource_logs
            for scope in group.scope_logs for record in scope.log_records]

    def wait(self, count: int) -> list:
        until(lambda: len(self.records()) >= count, 60, what=f"{count} records", every=0.1)
        self.stop()
        assert len(self.records()) == count
        return self.records()


class _Document:
    def __init__(self, receivers: dict, endpoint: str):
        self.receivers, self.endpoint = receivers, endpoint
        self.health, self.metrics = free_port(), free_port()

    def text(self) -> str:
        pull = {"exporter": {"prometheus": {"host": "127.0.0.1", "port": self.metrics}}}
        return yaml.safe_dump({
            "receivers": self.receivers,
            "exporters": {"otlp_grpc": {"endpoint": self.endpoint, "tls": {"insecure": True}}},
            "extensions": {"health_check": {"endpoint": f"127.0.0.1:{self.health}"}},
            "service": {
                "extensions": ["health_check"],
                "telemetry": {"logs": {"encoding": "json"}, "metrics": {"readers": [{"pull": pull}]}},
                "pipelines": {"logs": {"receivers": list(self.receivers), "exporters": ["otlp_grpc"]}},
            },
        }, sort_keys=False)


@pytest.fixture
def read(tmp_path, grpc_backend):
    """`read(text, operators, count, **settings)`: what becomes of a file's lines."""
    running = []

    def _read(text: str | bytes, operators: list, count: int, name: str = "input.log", **settings) -> list:
        file = tmp_path / "logs" / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(text if isinstance(text, bytes) else text.encode())
        receiver = {
            "include": [str(tmp_path / "logs/**/*.log")], "start_at": "beginning", "include_file_name": False,
            "operators": operators, **settings}
        running.append(Reader(tmp_path / "millrace", {"file_log": receiver}, grpc_backend))
        return running[-1].wait(count)

    yield _read
    for millrace in running:
        millrace.kill()


def json_value(dice: random.Random, depth: int = 0):
    match dice.randrange(9 if depth < 4 else 7):
        case 0:
            return None
        case 1:
            return dice.random() < 0.5
        case 2:
            return dice.choice([0, 1, -1, 2**31, 2**53 + 1, 2**63 - 1, -2**63, dice.randrange(-10**6, 10**6)])
        case 3:
            return dice.choice([0.0, 1.5, -0.25, 1e300, 5e-324, 0.1, math.pi, dice.uniform(-1e6, 1e6)])
        case 4 | 5 | 6:
            return words(dice, 30)
        case 7:
            return [json_value(dice, depth + 1) for _ in range(dice.randrange(4))]
    return {words(dice, 8): json_value(dice, depth + 1) for _ in range(dice.randrange(5))}


def test_what_json_dumps_writes_comes_back(read):
    dice = random.Random(8259)
    objects = [
        {"number": number, **{words(dice, 12): json_value(dice) for _ in range(dice.randrange(12))}}
        for number in range(400)]
    lines = [
        json.dumps(each, ensure_ascii=dice.random() < 0.5, separators=dice.choice([(",", ":"), (", ", ": "), None]))
        for each in objects]
    found = read("\n".join(lines) + "\n", [{"type": "json_parser"}], len(objects))
    for record, attributes, _ in found:
        number = attributes["number"]
        assert attributes == objects[number]
        assert [type(each) for each in attributes.values()] == [type(each) for each in objects[number].values()]
        assert record.body.string_value == lines[number]


def test_what_csv_writer_writes_comes_back(read):
    dice = random.Random(4180)
    rows = [[str(number), *(words(dice, 20, CHARACTERS + "\n\n") for _ in range(4))] for number in range(400)]
    output = io.StringIO()
    # Records end in a character of their own, since cells have several lines.
    for row in rows:
        csv.writer(output, quoting=dice.choice([csv.QUOTE_MINIMAL, csv.QUOTE_ALL]), lineterminator="\x1e\n").writerow(row)
    found = read(
        output.getvalue(), [{"type": "csv_parser", "header": "number,a,b,c,d", "parse_to": "body"}], len(rows),
        multiline={"line_end_pattern": "\x1e\n", "omit_pattern": True}, preserve_leading_whitespaces=True,
        preserve_trailing_whitespaces=True)
    for record, _, _ in found:
        body = any_value(record.body)
        assert [body[each] for each in ("number", "a", "b", "c", "d")] == rows[int(body["number"])]


def test_pairs_come_back(read):
    dice = random.Random(61)
    expected, lines = [], []
    for number in range(300):
        pairs = {f"key{each}": words(dice, 20).strip() for each in range(dice.randrange(1, 8))}
        expected.append({"number": str(number), **pairs})
        quoted = {key: value.replace("\\", "\\\\").replace('"', '\\"') for key, value in pairs.items()}
        lines.append(f"number={number} " + " ".join(f'{key}="{value}"' for key, value in quoted.items()))
    for _, attributes, _ in read("\n".join(lines), [{"type": "key_value_parser"}], len(lines)):
        assert attributes == expected[int(attributes["number"])]


def test_lines_that_a_container_runtime_split_are_whole_again(read):
    dice = random.Random(16384)
    piece = 16384
    expected, written = {}, []
    # As containerd writes them: pieces of each stream in order, those of the two streams among each other.
    waiting = {"stdout": [], "stderr": []}
    for number in range(60):
        stream = dice.choice(["stdout", "stderr"])
        text = f"{number} " + "x" * dice.choice([0, 10, piece - 4, piece, piece + 1, 3 * piece, 5 * piece + 7]) + "|"
        expected[number] = (stream, text)
        pieces = [text[start:start + piece] for start in range(0, len(text), piece)]
        waiting[stream] += [
            f"2024-04-13T07:59:{number:02}.5Z {stream} {'F' if each == len(pieces) - 1 else 'P'} {part}"
            for each, part in enumerate(pieces)]
    while any(waiting.values()):
        written.append(waiting[dice.choice([stream for stream, lines in waiting.items() if lines])].pop(0))
    found = read(
        "\n".join(written) + "\n", [{"type": "container"}], len(expected), include_file_path=True,
        name="shop_cart-7d4b9_49cc7c1f-d370-4c40-b268-6ea7486091d3/cart/2.log")
    assert sorted(int(record.body.string_value.split(" ")[0]) for record, _, _ in found) == sorted(expected)
    for record, attributes, resource in found:
        number = int(record.body.string_value.split(" ")[0])
        assert (attributes["log.iostream"], record.body.string_value) == expected[number]
        assert record.time_unix_nano == (1712995140 + number) * 10**9 + 5 * 10**8
        assert resource == {
            "k8s.namespace.name": "shop", "k8s.pod.name": "cart-7d4b9", "k8s.container.name": "cart",
            "k8s.pod.uid": "49cc7c1f-d370-4c40-b268-6ea7486091d3", "k8s.container.restart_count": "2"}


def test_lines_that_docker_wrote_come_back(read):
    dice = random.Random(20)
    expected, lines = [], []
    for number in range(100):
        text = f"{number} {words(dice, 40)}" + "x" * dice.choice([0, 0, 40_000])
        expected.append(text)
        parts = [text[start:start + 16384] for start in range(0, len(text), 16384)]
        for part in parts[:-1] + [parts[-1] + "\n"]:
            lines.append(json.dumps({"log": part, "stream": "stdout", "time": "2024-04-13T07:59:37.123456789Z"}))
    found = read("\n".join(lines) + "\n", [{"type": "container", "add_metadata_from_filepath": False}], len(expected))
    for record, attributes, _ in found:
        assert record.body.string_value == expected[int(record.body.string_value.split(" ")[0])]
        assert attributes == {"log.iostream": "stdout"} and record.time_unix_nano == 1712995177123456789


def test_lines_that_are_no_json_are_counted_and_pass_or_are_dropped(read):
    bad = [b"no json", b'{"a":', b'{"a":1}}', b"[1]", b"\xff\xfe{", b'{"a":"\\x"}', b"{" * 5000]
    lines = [b'{"good":%d}' % number for number in range(20)]
    found = read(b"\n".join(lines + bad) + b"\n", [{"type": "json_parser", "on_error": "send"}], len(lines + bad))
    assert sum("good" in attributes for _, attributes, _ in found) == len(lines)
    assert sum(not attributes for _, attributes, _ in found) == len(bad)
