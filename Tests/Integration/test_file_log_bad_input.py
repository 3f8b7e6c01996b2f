"""What `file_log` makes of files that are no logs, that change under its hands, and of settings that are wrong."""

from __future__ import annotations

import os
import random
import shutil
import subprocess
import time

import pytest
import yaml

from file_logs import read, without_privileges  # noqa: F401: a fixture
from millrace import command, until

MIB = 1 << 20


# Content.

def test_binary_garbage_becomes_records_of_text(read, http_backend):
    dice = random.Random(5)
    garbage = dice.randbytes(3 * MIB)
    millrace = read({"a.log": garbage + b"\nlast\n"})
    until(lambda: "last" in millrace.bodies, 60, what="the line behind the garbage", every=0.2)
    assert millrace.stop().is_balanced()
    lines = [line.strip(b"\t\n\v\f\r ") for line in garbage.split(b"\n")]
    found = millrace.bodies
    assert all(isinstance(body, str) for body in found)
    assert len(found) > 0.9 * len([line for line in lines if line])
    clean = {line.decode() for line in lines if line and line.isascii()}
    assert clean and clean <= set(found)


def test_malformed_utf8_is_replaced(read):
    millrace = read({"a.log": b"\xff\xfe\nab\xc3\ncut \xe2\x82\nover \xc0\xaf\nlone \xed\xa0\x80 surrogate\nwhole \xe2\x82\xac\n\x00\n"})
    found = [record.body for record in millrace.finish(7)]
    assert found[5] == "whole €" and found[6] == "\x00"
    for body, text in zip(found, ("", "ab", "cut ", "over ", "lone ")):
        assert body.startswith(text) and "\ufffd" in body


@pytest.mark.parametrize("settings", [
    {}, {"multiline": {"line_start_pattern": "^never "}}, {"max_log_size_behavior": "truncate"},
    {"encoding": "utf-16le"}, {"operators": [{"type": "json_parser", "on_error": "send_quiet"}]},
], ids=["split", "multiline", "truncate", "utf-16le", "operators"])
def test_a_hundred_megabytes_without_a_line_end_take_little_memory(read, tmp_path, settings):
    (tmp_path / "logs").mkdir()
    with (tmp_path / "logs/a.log").open("wb") as file:
        for _ in range(100):
            file.write(b"x " * (MIB // 2))
    millrace = read(**settings)
    pieces = 1 if settings.get("max_log_size_behavior") else 100
    until(lambda: len(millrace.backend.requests) >= 1, 60, what="a record")
    if pieces > 1:
        size = (148 if "encoding" in settings else 98) * MIB
        until(lambda: sum(len(received.body) for received in millrace.backend.requests) >= size, 90, what="the file")
    millrace.write("a.log", "\n\0" if "encoding" in settings else "\nlast\n")
    if "encoding" not in settings and "multiline" not in settings:
        until(lambda: any(b"last" in received.body for received in millrace.backend.requests[-8:]), 60,
              what="the line behind it")
    peak = millrace.memory("VmHWM")
    assert millrace.stop(60).is_balanced()
    assert peak < 120 * MIB, f"{peak / MIB:.0f} MiB"
    sizes = [len(body.encode()) for body in millrace.bodies if body not in ("last", "")]
    assert max(sizes) <= (2 * MIB if "encoding" in settings else MIB)
    assert len(sizes) >= pieces


# Files.

def test_files_that_shrink_vanish_or_turn_into_directories(read):
    millrace = read({name: f"{name} " * 50 + "\nbefore\n" for name in ("shrinks.log", "vanishes.log", "turns.log")})
    millrace.wait(6)
    shrinks, vanishes, turns = (millrace.files / f"{name}.log" for name in ("shrinks", "vanishes", "turns"))
    shrinks.write_text("shorter\n")
    vanishes.unlink()
    turns.unlink()
    turns.mkdir()
    (turns / "inner.log").write_text("inside\n")
    millrace.wait(8)
    shutil.rmtree(turns)
    turns.write_text("again a file\n")
    vanishes.write_text("back\n")
    os.truncate(shrinks, 0)
    time.sleep(0.2)
    millrace.write("shrinks.log", "once more\n")
    found = [record.body for record in millrace.finish(11)]
    assert sorted(found[6:]) == ["again a file", "back", "inside", "once more", "shorter"]
    assert millrace.told("a file cannot be read") == []


def test_a_file_that_may_not_be_read_is_told_of_once_and_read_when_it_may(read, tmp_path):
    (tmp_path / "logs/closed").mkdir(parents=True)
    for name in ("secret.log", "closed/inner.log"):
        (tmp_path / "logs" / name).write_text("secret\n")
    secret = (tmp_path / "logs/secret.log").open("ab", buffering=0)
    (tmp_path / "logs/secret.log").chmod(0)
    (tmp_path / "logs/closed").chmod(0)
    try:
        millrace = read({"open.log": "one\n"}, launcher=without_privileges(), operators=[])
        millrace.wait(1)
        until(lambda: len(millrace.told("a file cannot be read")) == 2, what="warnings")
        for number in range(20):
            millrace.write("open.log", f"{number}\n")
            secret.write(f"{number}\n".encode())
            time.sleep(0.05)
        millrace.wait(21)
        warnings = millrace.told("a file cannot be read")
        assert len(warnings) == 2, "told again and again"
        assert {warning["error"] for warning in warnings} == {"permission denied"}
        assert millrace.metrics().sum("millrace_file_log_unreadable_files") == 2
        (tmp_path / "logs/secret.log").chmod(0o600)
        millrace.wait(42)
    finally:
        secret.close()
        (tmp_path / "logs/closed").chmod(0o700)
    found = millrace.finish(43)
    assert sum(record.body == "secret" for record in found) == 2


def test_directories_that_appear_later(read):
    millrace = read(include=["DIR/a/b/c/*.log", "DIR/wild/*/deep/**/*.log"])
    time.sleep(0.3)
    millrace.write("a/b/c/one.log", "one\n")
    millrace.write("wild/x/deep/y/z/two.log", "two\n")
    millrace.wait(2, 15)
    shutil.rmtree(millrace.files / "a")
    time.sleep(0.3)
    millrace.write("a/b/c/one.log", "three\n")
    millrace.wait(3, 5)
    assert [record.body for record in millrace.finish(3)][2] == "three"


def test_a_file_system_that_goes_away_and_comes_back(read, tmp_path):
    """Unmounted while files on it are open, and another one mounted in its place; in a private mount namespace."""
    if subprocess.run(["unshare", "--mount", "true"], capture_output=True).returncode != 0:
        pytest.skip("mount namespaces may not be made here")
    mounted = tmp_path / "logs/mounted"
    mounted.mkdir(parents=True)
    mount = f"mount -t tmpfs none {mounted}"
    millrace = read({"a.log": "outside\n"}, launcher=(
        "unshare", "--mount", "--propagation", "private", "sh", "-c", f'{mount} && exec "$@"', "sh"))

    def inside(script: str):
        subprocess.run(["nsenter", "--mount", "-t", str(millrace.process.pid), "sh", "-c", script], check=True)

    inside(f"echo first >> {mounted}/b.log")
    millrace.wait(2)
    inside(f"echo second >> {mounted}/b.log; umount -l {mounted}")
    millrace.wait(3)
    millrace.write("mounted/b.log", "underneath\n")
    inside(f"{mount} && echo first > {mounted}/b.log && echo fourth >> {mounted}/b.log")
    # Of mounting nobody tells: everything is looked at twice a minute.
    millrace.wait(5, 45)
    inside(f"echo fifth >> {mounted}/b.log")
    millrace.write("a.log", "outside again\n")
    found = [record.body for record in millrace.finish(7)]
    assert sorted(found) == sorted(["outside", "first", "second", "first", "fourth", "fifth", "outside again"])


# Settings.

MISTAKES = {
    "multiline": ("multiline: {line_start_pattern: '^(\\d+'}", "(\\d+"),
    "regex": ("operators: [{type: regex_parser, regex: '^(?P<a>\\S+) [A-Z+'}]", "[A-Z+"),
    "header": ("header: {pattern: '^#[z-a]', metadata_operators: [{type: noop}]}", "z-a"),
    "strptime": ("operators: [{type: time_parser, parse_from: body, layout: '%Y-%!'}]", "%!"),
    "ordering": ("ordering_criteria: {regex: 'app-(?P<n>\\d+){2,1}'}", "{2,1}"),
    "expression": ("operators: [{type: filter, expr: 'body matches \"a\" and and'}]", "and'"),
    "glob": ("exclude: [/var/log/ok, '/var/log/[a.log']", "'/var/log/[a"),
}


@pytest.mark.parametrize("name", MISTAKES)
def test_a_pattern_that_does_not_compile_is_shown_where_it_is_wrong(tmp_path, name):
    setting, part = MISTAKES[name]
    config = tmp_path / "config.yaml"
    config.write_text(f"""receivers:
  file_log:
    include: [/var/log/*.log]
    start_at: beginning
    {setting}
exporters: {{nop: {{}}}}
service: {{pipelines: {{logs: {{receivers: [file_log], exporters: [nop]}}}}}}
""")
    result = command("check", str(config))
    assert result.returncode == 1, result.stdout + result.stderr
    output = result.stdout + result.stderr
    column = f"    {setting}".index(part) + 1
    assert f" --> {config}:5:{column} " in output, output


@pytest.mark.parametrize("way", ["send", "send_quiet", "drop", "drop_quiet"])
def test_lines_that_an_operator_cannot_parse_are_counted(read, way):
    millrace = read({"a.log": '{"a": 1}\nno json\n{"a": 2}\n'}, operators=[{"type": "json_parser", "on_error": way}])
    count = 3 if way.startswith("send") else 2
    millrace.wait(count)
    until(lambda: millrace.metrics().sum("millrace_operator_failures", operator="json_parser") == 1, what="the count")
    assert bool(millrace.told("an operator cannot process")) == (not way.endswith("quiet"))
    sheet = millrace.stop()
    assert sheet.is_balanced() and sheet.items("logs", "dropped") == 3 - count
    assert sorted(map(str, millrace.bodies)) == sorted(['{"a": 1}', '{"a": 2}', "no json"][:count])
