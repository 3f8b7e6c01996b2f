"""The settings of `file_log` as their users see them, one at a time."""

from __future__ import annotations

import fcntl
import gzip
import os
import threading
import time

import pytest

from backends import Reply
from file_logs import read  # noqa: F401: a fixture
from millrace import until


# Which files.

def test_patterns_include_and_exclude(read):
    millrace = read(
        {"a.log": "a\n", "b.txt": "b\n", "sub/c.log": "c\n", "sub/deep/d.log": "d\n", "x1.out": "x1\n", "x2.out": "x2\n",
         "x9.out": "x9\n", ".hidden.log": "hidden\n", "sub/old.log": "old\n"},
        include=["DIR/*.{log,txt}", "DIR/sub/**/*.log", "DIR/x[0-8].out", "DIR/?.log"], exclude=["DIR/**/old*"])
    assert sorted(record.body for record in millrace.finish(7)) == ["a", "b", "c", "d", "hidden", "x1", "x2"]


def test_files_that_are_there_are_read_from_the_end_unless_told_otherwise(read):
    millrace = read({"a.log": "before\n"}, start_at="end")
    until(lambda: millrace.metrics().sum("otelcol_fileconsumer_open_files"), what="the file to be opened")
    millrace.write("a.log", "after\n")
    millrace.write("b.log", "new\n")
    assert sorted(record.body for record in millrace.finish(2)) == ["after", "new"]


def test_old_files_are_read_once_they_are_written_to(read, tmp_path):
    folder = tmp_path / "logs"
    folder.mkdir()
    (folder / "old.log").write_text("old\n")
    os.utime(folder / "old.log", (time.time() - 7200,) * 2)
    millrace = read({"young.log": "young\n"}, exclude_older_than="1h")
    millrace.wait(1)
    millrace.write("old.log", "new\n")
    assert [record.body for record in millrace.finish(3)] == ["young", "old", "new"]


def test_ordering_criteria_choose_the_latest(read):
    files = {f"app-{number}.log": f"file {number}\n" for number in (2, 9, 10, 33)}
    millrace = read(files | {"other.log": "other\n"}, ordering_criteria={
        "regex": r"app-(?P<number>\d+)\.log$", "top_n": 2,
        "sort_by": [{"sort_type": "numeric", "regex_key": "number", "ascending": False}]})
    assert [record.body for record in millrace.finish(2)] == ["file 33", "file 10"]


def test_a_newer_file_takes_the_place_of_an_older_one(read):
    millrace = read({"app-20240101.log": "first\n"}, ordering_criteria={
        "regex": r"app-(?P<day>\d+)\.log$", "top_n": 1,
        "sort_by": [{"sort_type": "timestamp", "regex_key": "day", "layout": "%Y%m%d", "ascending": False}]})
    millrace.wait(1)
    millrace.write("app-20240101.log", "last\n")
    millrace.wait(2)
    millrace.write("app-20240102.log", "second\n")
    millrace.write("app-20231231.log", "never\n")
    assert [record.body for record in millrace.finish(3)] == ["first", "last", "second"]


def test_files_are_deleted_once_they_have_arrived(read, http_backend):
    is_refusing = threading.Event()
    is_refusing.set()
    http_backend.answer = lambda received: Reply(503) if is_refusing.is_set() else None
    millrace = read({"a.log": "one\ntwo\n", "b.log": "incomplete"}, delete_after_read=True)
    until(lambda: millrace.told("records are refused"), what="a refusal")
    assert (millrace.files / "a.log").exists() and (millrace.files / "b.log").exists()
    is_refusing.clear()
    millrace.wait(3)
    until(lambda: not list(millrace.files.iterdir()), what="the files to be deleted")
    millrace.write("a.log", "three\n")
    until(lambda: not list(millrace.files.iterdir()), what="the next one to be deleted")
    assert sorted(record.body for record in millrace.finish(4)) == ["incomplete", "one", "three", "two"]


def test_a_locked_file_is_left_alone(read, tmp_path):
    (tmp_path / "logs").mkdir()
    path = tmp_path / "logs/a.log"
    path.write_text("one\n")
    with path.open() as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        millrace = read({"b.log": "two\n"}, acquire_fs_lock=True)
        millrace.wait(1)
        time.sleep(0.3)
        assert millrace.bodies == ["two"]
    assert [record.body for record in millrace.finish(2)] == ["two", "one"]


# What records say.

def test_attributes_of_the_file(read, tmp_path):
    target = tmp_path / "target"
    target.write_text("one\ntwo ä\nthree\n")
    target.chmod(0o640)
    owner, group = (str(os.geteuid()), str(os.getegid()))
    if os.geteuid() == 0:
        owner, group = "54321", "54322"
        os.chown(target, int(owner), int(group))
    (tmp_path / "logs").mkdir()
    (tmp_path / "logs/link.log").symlink_to(target)
    millrace = read(
        include_file_path=True, include_file_name_resolved=True, include_file_path_resolved=True,
        include_file_owner_name=True, include_file_owner_group_name=True, include_file_permissions=True,
        include_file_record_number=True, include_file_record_offset=True)
    found = millrace.finish(3)
    shared = {
        "log.file.name": "link.log", "log.file.path": f"{tmp_path}/logs/link.log", "log.file.name_resolved": "target",
        "log.file.path_resolved": os.path.realpath(target), "log.file.permissions": "640"}
    if os.geteuid() == 0:
        shared |= {"log.file.owner.name": owner, "log.file.owner.group.name": group}
    for number, (record, offset) in enumerate(zip(found, (0, 4, 11)), start=1):
        own = {"log.file.record_number": number, "log.file.record_offset": offset}
        assert shared.items() <= record.attributes.items()
        assert own.items() <= record.attributes.items()
        assert len(record.attributes) == 9


def test_attributes_and_resource_of_the_receiver(read):
    millrace = read(
        {"a.log": "ERROR one\n"}, include_file_name=False,
        attributes={"team": "shop", "first": 'EXPR(body matches "^ERROR" ? "error" : "other")'},
        resource={"service.name": "orders", "length": 'EXPR(string(len(body)))'})
    record, = millrace.finish(1)
    assert record.attributes == {"team": "shop", "first": "error"}
    assert record.resource == {"service.name": "orders", "length": "9"}


# What a record is.

@pytest.mark.parametrize("encoding, python", [
    ("utf-8", "utf-8"), ("utf-8", "utf-8-sig"), ("utf-16le", "utf-16-le"), ("utf-16be", "utf-16-be"),
    ("latin1", "latin-1"), ("iso-8859-15", "iso-8859-15"), ("windows-1251", "cp1251"), ("shift_jis", "shift_jis"),
    ("big5", "big5"), ("gbk", "gbk")])
def test_encodings(read, encoding, python):
    lines = {"latin-1": "Größe ÿ", "iso-8859-15": "5 € für Œuvre", "cp1251": "Привет, мир", "shift_jis": "日本語テキスト",
             "big5": "繁體中文", "gbk": "简体中文"}
    text = [lines.get(python, "ä € 😀"), "plain", "", "last"]
    millrace = read({"a.log": "\r\n".join(text).encode(python) + "\r\n".encode(python.removesuffix("-sig"))},
                    encoding=encoding, include_file_record_number=True)
    millrace.wait(3)
    millrace.write("a.log", (lines.get(python, "öü") + "\n").encode(python.removesuffix("-sig")))
    found = millrace.finish(4)
    assert [record.body for record in found] == [text[0], "plain", "last", lines.get(python, "öü")]
    assert [record.attributes["log.file.record_number"] for record in found] == [1, 2, 4, 5]


def test_bytes_that_are_no_text_are_kept_if_asked_for(read):
    millrace = read({"a.log": b"good \xc3\xa4\nbad \xff\xfe\n"}, encoding="utf-8-raw")
    assert [record.body for record in millrace.finish(2)] == ["good ä", b"bad \xff\xfe"]


def test_nop_gives_the_bytes_of_the_file(read):
    content = bytes(range(256)) * 10
    millrace = read({"a.log": content}, encoding="nop", max_log_size="1000")
    assert [record.body for record in millrace.finish(3)] == [content[:1000], content[1000:2000], content[2000:]]


MULTILINE = {
    "start": ({"line_start_pattern": r"^\d+ "}, "1 one\n  more\n2 two\n3 three\n", ["1 one\n  more", "2 two", "3 three"]),
    "start omitted": ({"line_start_pattern": r"^#+ ", "omit_pattern": True}, "# one\nmore\n## two\n", ["one\nmore", "two"]),
    "end": ({"line_end_pattern": r";$"}, "select\n 1;\nselect 2;\n", ["select\n 1;", "select 2;"]),
    "end omitted": ({"line_end_pattern": r"\n--\n", "omit_pattern": True}, "a\nb\n--\nc\n--\n", ["a\nb", "c"]),
}


@pytest.mark.parametrize("name", MULTILINE)
def test_records_of_several_lines(read, name):
    multiline, text, expected = MULTILINE[name]
    millrace = read({"a.log": text}, multiline=multiline)
    assert [record.body for record in millrace.finish(len(expected))] == expected


def test_white_space_at_the_ends_of_records(read):
    text = "  both  \n\tlead\ntrail \t\n   \n"
    millrace = read({"a.log": text})
    assert [record.body for record in millrace.finish(3)] == ["both", "lead", "trail"]


def test_white_space_is_preserved_if_asked_for(read):
    millrace = read({"a.log": "  both  \n"}, preserve_leading_whitespaces=True, preserve_trailing_whitespaces=True)
    assert [record.body for record in millrace.finish(1)] == ["  both  "]


@pytest.mark.parametrize("behaviour, expected", [
    ("split", ["a" * 100, "a" * 100, "a" * 50, "next"]), ("truncate", ["a" * 100, "next"])])
def test_records_that_are_too_long(read, behaviour, expected):
    millrace = read({"a.log": "a" * 250 + "\nnext\n"}, max_log_size="100", max_log_size_behavior=behaviour)
    assert [record.body for record in millrace.finish(len(expected))] == expected


def test_an_incomplete_record_is_flushed_after_its_period(read):
    millrace = read({"a.log": "whole\nhal"}, force_flush_period="300ms")
    assert [record.body for record in millrace.wait(2)] == ["whole", "hal"]
    millrace.write("a.log", "f\n")
    assert [record.body for record in millrace.finish(3)] == ["whole", "hal", "f"]


def test_an_incomplete_record_is_waited_for_if_there_is_no_period(read):
    millrace = read({"a.log": "whole\nhal"}, force_flush_period="0s")
    millrace.wait(1)
    time.sleep(1)
    assert millrace.bodies == ["whole"]
    millrace.write("a.log", "f\n")
    assert [record.body for record in millrace.finish(2)] == ["whole", "half"]


def test_a_header_describes_the_records_of_its_file(read):
    operators = [{"type": "regex_parser", "regex": r"^#(?P<key>\w+): (?P<host>\S+)$"}, {"type": "remove", "field": "attributes.key"}]
    millrace = read({"a.log": "#host: web1\none\n#not: header\n", "b.log": "#host: web2\ntwo\n"},
                    header={"pattern": "^#", "metadata_operators": operators})
    found = {record.body: record.attributes for record in millrace.finish(3)}
    assert found["one"] == {"log.file.name": "a.log", "host": "web1"} == found["#not: header"]
    assert found["two"] == {"log.file.name": "b.log", "host": "web2"}


# Compressed files.

def test_compressed_files(read):
    millrace = read({"a.log.gz": gzip.compress(b"one\ntwo\nthree")}, include=["DIR/*.gz"], compression="gzip")
    millrace.wait(3)
    millrace.write("a.log.gz", gzip.compress(b"four\n"))
    millrace.write("b.log.gz", gzip.compress(b"five\n"))
    assert sorted(record.body for record in millrace.finish(5)) == ["five", "four", "one", "three", "two"]


def test_files_of_both_kinds(read):
    millrace = read({"a.log": "one\n", "b.log": gzip.compress(b"two\n" * 1000)}, compression="auto")
    found = millrace.finish(1001)
    assert sum(record.body == "two" for record in found) == 1000


def test_what_was_read_before_it_was_compressed_is_not_read_again(read):
    millrace = read({"a.log": "".join(f"line {number}\n" for number in range(200))},
                    include=["DIR/*.log", "DIR/*.gz"], compression="auto")
    millrace.wait(200)
    packed = gzip.compress((millrace.files / "a.log").read_bytes())
    (millrace.files / "hidden").write_bytes(packed)
    (millrace.files / "hidden").rename(millrace.files / "a.log.gz")
    (millrace.files / "a.log").unlink()
    millrace.write("a.log", "new\n")
    millrace.wait(201)
    time.sleep(1)
    assert millrace.finish(201)[-1].body == "new"


def test_a_compressed_file_that_is_to_be_read_as_it_is(read):
    millrace = read({"a.log": gzip.compress(b"one\n"), "b.log": "two\n"})
    millrace.wait(1)
    warning, = until(lambda: millrace.told("a file cannot be read"), what="a warning")
    assert warning["file"].endswith("a.log") and "set compression: auto" in warning["error"]
    assert [record.body for record in millrace.finish(1)] == ["two"]


# Going over to other settings.

@pytest.mark.parametrize("is_stored", [True, False], ids=["storage", "no storage"])
def test_reloads_lose_and_repeat_nothing(read, tmp_path, is_stored):
    (tmp_path / "state").mkdir()
    stored = {"storage": "file_storage", "extensions": {"file_storage": {"directory": str(tmp_path / "state")}}}
    millrace = read({"a.log": ""}, **(stored if is_stored else {}), start_at="end" if is_stored else "beginning")
    until(lambda: millrace.metrics().sum("otelcol_fileconsumer_open_files"), what="the file to be opened")
    stopping, written = threading.Event(), []

    def write():
        while not stopping.is_set():
            text = "".join(f"line {len(written) + number} {'x' * 50}\n" for number in range(50))
            written.extend(text.splitlines())
            millrace.write("a.log", text)
            if len(written) % 1000 == 0:
                (millrace.files / "a.log").rename(millrace.files / f"a.log.{len(written)}")
            time.sleep(0.01)

    writer = threading.Thread(target=write)
    writer.start()
    try:
        for generation in range(5):
            millrace.receiver["attributes"] = {"generation": str(generation)}
            millrace.reload()
            time.sleep(0.3)
    finally:
        stopping.set()
        writer.join()
    found = millrace.finish(len(written))
    assert sorted(record.body for record in found) == sorted(written)
    assert {record.attributes.get("generation") for record in found} >= {"3", "4"}


def test_a_reload_changes_which_files_are_read(read):
    millrace = read({"a.log": "a1\n", "b.txt": "b1\n"})
    millrace.wait(1)
    millrace.receiver["include"] = [f"{millrace.files}/*.txt"]
    millrace.reload()
    millrace.wait(2)
    millrace.write("a.log", "a2\n")
    millrace.write("b.txt", "b2\n")
    millrace.wait(3)
    millrace.receiver["include"] = [f"{millrace.files}/*"]
    millrace.reload()
    assert [record.body for record in millrace.finish(4)] == ["a1", "b1", "b2", "a2"]
