"""The command line and the configuration, as their users meet them: exit codes, positions, notes, secrets."""

import json
import re
import socket
import subprocess

import pytest
import yaml

import payloads
from client import post
from millrace import BINARY, REPOSITORY, Pipeline, command, free_port, until
from test_delivery import INSECURE

MINIMAL = """\
receivers:
  otlp:
    protocols:
      grpc:
processors:
  batch:
exporters:
  debug:
service:
  pipelines:
    traces:
      receivers: [otlp]
      processors: [batch]
      exporters: [debug]
"""


def check(tmp_path, text: str, *arguments: str, env=None, name: str = "config.yaml"):
    path = tmp_path / name
    path.write_text(text)
    return command("check", str(path), *arguments, env=env, cwd=tmp_path)


def assert_fails(result, *wanted: str):
    """Exit code 1 and a report that holds every wanted text."""
    report = result.stdout + result.stderr
    assert result.returncode == 1, report
    for text in wanted:
        assert text in report, f"{text!r} is not in:\n{report}"
    return report


@pytest.mark.parametrize("path", sorted((REPOSITORY / "pipelines").glob("*.yaml")), ids=lambda path: path.name)
def test_the_pipelines_of_this_repository_are_good(path):
    result = command("check", str(path))
    assert result.returncode == 0, result.stdout + result.stderr


@pytest.mark.parametrize("subcommand", ["check", "validate"])
def test_a_good_file_passes(tmp_path, subcommand):
    path = tmp_path / "config.yaml"
    path.write_text(MINIMAL)
    for arguments in ([str(path)], ["--config", str(path)], [f"--config=file:{path}"]):
        result = command(subcommand, *arguments)
        assert result.returncode == 0, result.stdout + result.stderr


@pytest.mark.parametrize("old,new,wanted", [
    ("      grpc:\n", "      grpc:\n        endpont: localhost:4317\n", ["config.yaml:5:9", "endpont", "endpoint"]),
    ("  batch:\n", "  batch:\n    timeout: 5x\n", ["config.yaml:7:14", "timeout"]),
    ("  batch:\n", "  batch:\n    send_batch_size: many\n", ["config.yaml:7:22", "send_batch_size"]),
    ("  batch:\n", "  batch:\n    send_batch_size: 100\n    send_batch_max_size: 10\n", ["send_batch_max_size"]),
    ("  batch:\n", "  batsch:\n", ["config.yaml:6:3", "batsch", "batch"]),
    ("      grpc:\n", "      {}\n", ["protocols"]),
    ("exporters: [debug]", "exporters: [debgu]", ["config.yaml:14:19", "debgu", "debug"]),
    ("exporters: [debug]", "exporters: []", ["config.yaml:11:5", "exporter"]),
    ("receivers: [otlp]", "receivers: []", ["config.yaml:11:5", "receiver"]),
    ("    traces:\n", "    trace:\n", ["config.yaml:11:5", "traces"]),
    ("service:\n", "services:\n", ["config.yaml:9:1", "service"]),
    ("  debug:\n", "  debug:\n    verbosity: loud\n", ["config.yaml:9:16", "loud", "detailed"]),
    ("  debug:\n", "  otlp_http:\n", ["endpoint"]),
    ("  debug:\n", "  debug: [1, 2]\n", ["config.yaml:8:10"]),
    ("  debug:\n", "  debug:\n  debug:\n", ["config.yaml:9:3"]),
    ("  batch:\n", "  batch: *nowhere\n", ["config.yaml:6"]),
    ("  batch:\n", "  batch: {\n", ["config.yaml:"]),
    ("  batch:\n", "  batch: ${file:nothing.yaml}\n", ["config.yaml:6:10", "nothing.yaml"]),
    ("  batch:\n", "  batch: ${nowhere:x}\n", ["config.yaml:6:10", "nowhere"]),
])
def test_mistakes_are_shown_where_they_are(tmp_path, old, new, wanted):
    assert MINIMAL.count(old) == 1
    report = assert_fails(check(tmp_path, MINIMAL.replace(old, new)), *wanted)
    assert "^" in report, f"no caret under the mistake:\n{report}"


def test_all_mistakes_are_shown_at_once(tmp_path):
    text = MINIMAL.replace("  batch:\n", "  batch:\n    timeout: soon\n    send_batch_siez: 1\n")
    text = text.replace("  debug:\n", "  debug:\n    verbosity: loud\n").replace("      grpc:\n", "      grcp:\n")
    assert_fails(check(tmp_path, text), "config.yaml:4:7", "config.yaml:7:14", "config.yaml:8:5", "config.yaml:11:16")


def test_a_missing_file_is_named(tmp_path):
    assert_fails(command("check", str(tmp_path / "nothing.yaml")), "nothing.yaml")
    assert command("check").returncode not in (0, 1), "no file is a usage error"


def test_mistakes_keep_it_from_starting(tmp_path):
    port = free_port()
    path = tmp_path / "config.yaml"
    path.write_text(MINIMAL.replace("      grpc:\n", f"      grpc:\n        endpoint: localhost:{port}\n")
                    .replace("  batch:\n", "  batch:\n    timeout: soon\n"))
    assert_fails(command("run", str(path)), "config.yaml:8:14")


def test_unused_components_are_noted(tmp_path):
    result = check(tmp_path, MINIMAL.replace("  debug:\n", "  debug:\n  nop/spare:\n"))
    assert result.returncode == 0
    assert "nop/spare" in result.stdout + result.stderr


@pytest.mark.parametrize("old,new", [("otlphttp", "otlp_http"), ("otlp", "otlp_grpc"), ("logging", "debug")])
def test_old_spellings_load_with_a_note(tmp_path, old, new):
    settings = "" if old == "logging" else "\n    endpoint: http://localhost:1\n    tls: {insecure: true}"
    text = MINIMAL.replace("  debug:\n", f"  {old}/old:{settings}\n").replace("[debug]", f"[{old}/old]")
    result = check(tmp_path, text)
    report = result.stdout + result.stderr
    assert result.returncode == 0, report
    assert f"{old}/old" in report and new in report and "config.yaml:8:3" in report, report


def test_later_files_win_and_lists_are_replaced(tmp_path, start, http_backend):
    pipeline = Pipeline({"nop": None}, {"batch": {"timeout": "10s"}}, signals=("traces",))
    (tmp_path / "a.yaml").write_text(pipeline.text())
    (tmp_path / "b.yaml").write_text(yaml.dump({
        "exporters": {"otlp_http": {"endpoint": "http://unused:1", "tls": INSECURE}},
        "service": {"pipelines": {"traces": {"exporters": ["otlp_http"]}}},
    }))
    output = (tmp_path / "output.log").open("wb")
    process = subprocess.Popen(
        [str(BINARY), "--config", str(tmp_path / "a.yaml"), "--config", str(tmp_path / "b.yaml"),
         "--set", f"exporters.otlp_http.endpoint={http_backend.endpoint}", "--set=processors.batch.timeout=50ms"],
        stdout=output, stderr=output, stdin=subprocess.DEVNULL)
    try:
        def sent():
            try:
                return post(f"http://127.0.0.1:{pipeline.http}", "traces",
                            payloads.spans(0, 5).SerializeToString()).status == 200
            except OSError:
                assert process.poll() is None, (tmp_path / "output.log").read_text()
        until(sent, what="millrace to listen")
        until(lambda: http_backend.count("traces") == 5, timeout=5, what="the batch, after 50 ms and not 10 s")
        process.terminate()
        assert process.wait(30) == 0
    finally:
        process.kill()
        output.close()


def test_values_come_from_the_environment_and_files(tmp_path):
    (tmp_path / "size.yaml").write_text("512\n")
    text = MINIMAL.replace("  batch:\n", (
        "  batch:\n    timeout: ${env:BATCH_TIMEOUT:-3s}\n    send_batch_size: ${file:size.yaml}\n"
        "    metadata_keys: ${env:KEYS}\n    metadata_cardinality_limit: ${LIMIT}\n"))
    environment = {"KEYS": "[a, b]", "LIMIT": "17"}
    result = check(tmp_path, text, env=environment)
    assert result.returncode == 0, result.stdout + result.stderr
    assert_fails(check(tmp_path, text, env={**environment, "BATCH_TIMEOUT": "soon"}), "config.yaml:7:14")
    assert_fails(check(tmp_path, text, env={**environment, "LIMIT": "many"}), "config.yaml:10:33")


def test_anchors_and_merge_keys(tmp_path):
    text = MINIMAL.replace("  batch:\n", "  batch: &b\n    timeout: 1s\n  batch/2:\n    <<: *b\n    send_batch_size: 5\n")
    assert check(tmp_path, text.replace("[batch]", "[batch, batch/2]")).returncode == 0


def test_secrets_never_show(tmp_path, start, http_backend):
    secret = "s3cr3t-4f9a1c"
    exporters = {"otlp_http": {
        "endpoint": http_backend.endpoint, "tls": INSECURE, "headers": {"Authorization": "Bearer ${env:TOKEN}"}}}
    millrace = start(exporters, env={"TOKEN": secret}, log_level="debug", signals=("traces",))
    assert post(millrace.http, "traces", payloads.spans(0, 5).SerializeToString()).status == 200
    until(lambda: http_backend.requests, what="the request")
    metrics = millrace.metrics().text
    millrace.stop()
    assert http_backend.requests[0].headers["authorization"] == f"Bearer {secret}"
    assert secret not in millrace.logs and secret not in metrics
    wrong = yaml.dump({**millrace.pipeline.document(), "exporters": {"otlp_http": {
        **exporters["otlp_http"], "timeout": "${env:TOKEN}", "headers": {"authorization": ["${env:TOKEN}"]}}}})
    result = check(tmp_path, wrong, env={"TOKEN": secret})
    assert result.returncode == 1


def test_a_port_in_use_is_named_with_its_place(tmp_path):
    pipeline = Pipeline({"nop": None})
    path = tmp_path / "config.yaml"
    path.write_text(pipeline.text())
    line = 1 + next(number for number, text in enumerate(path.read_text().splitlines()) if text.startswith("  otlp:"))
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", pipeline.http))
        taken.listen()
        result = command("run", str(path))
    report = result.stdout + result.stderr
    assert result.returncode == 1, report
    assert "otlp" in report and f"127.0.0.1:{pipeline.http}" in report and "in use" in report
    place = re.search(r"config\.yaml:(\d+)", report)
    assert place and line <= int(place[1]) <= line + 6, report
    with socket.socket() as free:  # nothing else was left listening
        free.bind(("127.0.0.1", pipeline.grpc))


def test_components_are_listed():
    table = command("components")
    assert table.returncode == 0
    listed = json.loads(command("components", "--json").stdout)
    text = json.dumps(listed)
    for name in ("otlp", "batch", "otlp_grpc", "otlp_http", "file", "debug", "nop", "health_check"):
        assert f'"{name}"' in text and name in table.stdout


def test_help_and_version():
    version = command("--version")
    assert version.returncode == 0 and re.match(r"\S*\d+\.\d+\.\d+", version.stdout.split()[-1])
    for arguments in ([], ["run"], ["check"], ["components"]):
        result = command(*arguments, "--help")
        assert result.returncode == 0
        assert "millrace" in result.stdout.lower() and "example" in result.stdout.lower(), result.stdout
    assert command("--no-such-option").returncode not in (0, 1)


def test_the_printed_configuration_is_one_that_means_the_same(tmp_path):
    """Defaults filled in, absent sections left out, and the parts of `service` that are no components."""
    path = tmp_path / "pipeline.yaml"
    path.write_text("""\
receivers:
  otlp:
    protocols:
      http: {endpoint: "127.0.0.1:4318"}
processors:
  memory_limiter: {check_interval: 1s, limit_percentage: 50}
exporters:
  otlp_http: {endpoint: "http://127.0.0.1:4319"}
  nop:
service:
  admin: {endpoint: "127.0.0.1:13998"}
  memory: {request_limit: 64MiB}
  telemetry:
    resource: {service.version: null}
  pipelines:
    logs: {receivers: [otlp], processors: [memory_limiter], exporters: [otlp_http, nop]}
""")
    printed = command("check", "--print-config", str(path)).stdout
    document = yaml.safe_load(printed)
    assert list(document["receivers"]["otlp"]["protocols"]) == ["http"]
    assert "extensions" not in document and "extensions" not in document["service"]
    assert document["service"]["admin"]["endpoint"] == "127.0.0.1:13998"
    assert document["service"]["memory"] == {"request_limit": "64MiB"}
    assert document["service"]["telemetry"]["resource"] == {"service.version": None}
    path.write_text(printed)
    again = command("check", "--print-config", str(path))
    assert again.returncode == 0 and again.stdout == printed, again.stderr
