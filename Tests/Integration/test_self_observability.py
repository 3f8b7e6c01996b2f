"""What millrace says about itself: the Collector's metric names, the ledger, health, the debug exporter, its log."""

import json
import subprocess
import time

import pytest

import otlp
import payloads
from client import post, request
from millrace import BINARY, REPOSITORY, Millrace, Pipeline, free_port, until
from test_delivery import INSECURE

MEBIBYTE = 1 << 20


def test_metrics_use_the_collectors_names(start, http_backend):
    millrace = start({"otlp_http": {"endpoint": http_backend.endpoint, "tls": INSECURE}},
                     {"batch": {"timeout": "20ms"}})
    for signal, make in payloads.HARD.items():
        assert post(millrace.http, signal, make().SerializeToString()).status == 200
        assert post(millrace.http, signal, b"\xff").status == 400
    counts = {signal: otlp.count(signal, make()) for signal, make in payloads.HARD.items()}
    until(lambda: all(http_backend.count(signal) == number for signal, number in counts.items()), what="delivery")
    metrics = until(
        lambda: (m := millrace.metrics()).sum("otelcol_exporter_sent_log_records") == counts["logs"] and m,
        what="the counters")
    for signal, number in counts.items():
        item = otlp.ITEM[signal]
        assert metrics.sum(f"otelcol_receiver_accepted_{item}", receiver="otlp") == number
        assert metrics.sum(f"otelcol_receiver_refused_{item}") == 0
        assert metrics.sum(f"otelcol_exporter_sent_{item}", exporter="otlp_http") == number
        assert metrics.sum(f"otelcol_exporter_send_failed_{item}") == 0
        for state in ("received", "delivered"):
            assert metrics.sum("millrace_ledger_items", signal=signal, state=state) == number
    assert metrics.names >= {
        "otelcol_exporter_queue_size", "otelcol_exporter_queue_capacity", "otelcol_process_uptime",
        "otelcol_process_cpu_seconds", "otelcol_process_memory_rss", "otelcol_processor_incoming_items",
        "otelcol_processor_outgoing_items", "otelcol_processor_batch_batch_send_size_sum",
    }
    assert metrics.sum("otelcol_exporter_queue_capacity") == 1000 * 3 or \
        metrics.sum("otelcol_exporter_queue_capacity") == 1000
    assert metrics.sum("otelcol_processor_incoming_items", processor="batch") == sum(counts.values())
    assert metrics.sum("otelcol_process_uptime") > 0 and metrics.sum("otelcol_process_cpu_seconds") > 0
    assert abs(metrics.sum("otelcol_process_memory_rss") - millrace.memory()) < 20 * MEBIBYTE


def test_the_exposition_is_well_formed(start):
    millrace = start({"nop": None})
    text = millrace.metrics().text
    helps = [line.split()[2] for line in text.splitlines() if line.startswith("# HELP")]
    types = [line.split()[2] for line in text.splitlines() if line.startswith("# TYPE")]
    assert helps and len(set(helps)) == len(helps) and set(types) >= set(helps)
    assert text.endswith("\n")
    answer = request(f"http://127.0.0.1:{millrace.pipeline.metrics}", "/metrics", method="GET", content_type=None)
    assert answer.headers["content-type"].startswith("text/plain")
    assert request(f"http://127.0.0.1:{millrace.pipeline.metrics}", "/", method="GET", content_type=None).status in (200, 404)


def test_metrics_can_be_switched_off(start, tmp_path):
    pipeline = Pipeline({"nop": None})
    document = pipeline.document()
    document["service"]["telemetry"]["metrics"] = {"level": "none"}
    pipeline.document = lambda: document
    millrace = Millrace(pipeline, tmp_path / "quiet")
    try:
        with pytest.raises(OSError):
            millrace.metrics()
        assert millrace.stop().is_balanced()
    finally:
        millrace.kill()


def test_health_follows_the_process(start, http_backend):
    hold = [True]
    http_backend.answer = lambda received: time.sleep(0.05) if not hold[0] else time.sleep(1)
    millrace = start({"otlp_http": {
        "endpoint": http_backend.endpoint, "tls": INSECURE, "sending_queue": {"num_consumers": 1}}}, signals=("traces",))
    status, body = millrace.health()
    assert status == 200 and json.loads(body)["status"]
    for number in range(3):
        assert post(millrace.http, "traces", payloads.spans(number, 1).SerializeToString()).status == 200
    millrace.terminate()

    def is_draining():
        try:
            return millrace.health()[0] == 503
        except OSError:
            return millrace.process.poll() is not None

    until(is_draining, what="health to say that it stops", every=0.005)
    sheet = millrace.stop()
    assert sheet.items("traces", "delivered") == 3


def test_it_is_small_when_idle(start):
    millrace = start({"nop": None}, {"batch": None})
    assert millrace.memory() <= 30 * MEBIBYTE, f"{millrace.memory() / MEBIBYTE:.1f} MiB"


def test_the_log_is_json_lines(start):
    millrace = start({"nop": None})
    millrace.stop()
    lines = [line for line in millrace.logs.splitlines() if line]
    assert lines
    for line in lines:
        assert isinstance(json.loads(line), dict), line


@pytest.mark.parametrize("verbosity,wanted", [
    ("basic", ["spans", "10"]),
    ("normal", ["span 1", "grüße"]),
    ("detailed", ["span 1", "Trace ID", "00000000000000000000000000000002", "grüße", "exception"]),
])
def test_the_debug_exporter_is_readable(start, verbosity, wanted):
    millrace = start({"debug": {"verbosity": verbosity}}, signals=("traces",))
    assert post(millrace.http, "traces", payloads.traces().SerializeToString()).status == 200
    millrace.stop()
    for text in wanted:
        assert text.lower() in millrace.logs.lower(), millrace.logs[:3000]


def test_the_debug_exporter_samples(start):
    millrace = start({"debug": {
        "verbosity": "normal", "sampling_initial": 2, "sampling_thereafter": 1000, "use_internal_logger": False,
    }}, signals=("traces",))
    for number in range(30):
        assert post(millrace.http, "traces", payloads.spans(number + 777_000, 1).SerializeToString()).status == 200
    sheet = millrace.stop()
    assert sheet.items("traces", "delivered") == 30
    shown = sum(f"{number + 777_000}" in millrace.logs for number in range(30))
    assert 2 <= shown <= 10


def test_the_quickstart_runs(tmp_path):
    """The README's promise: the file as it stands, an SDK-like request, the data in the file."""
    text = (REPOSITORY / "pipelines/quickstart.yaml").read_text()
    ports = {4317: free_port(), 4318: free_port(), 13133: free_port()}
    for port, free in ports.items():
        text = text.replace(f"localhost:{port}", f"localhost:{free}", 1)
    path = tmp_path / "quickstart.yaml"
    path.write_text(text)
    output = (tmp_path / "output.log").open("wb")
    process = subprocess.Popen(
        [str(BINARY), "run", str(path), "--set", "service.telemetry.metrics.level=none"], cwd=tmp_path,
        stdout=output, stderr=output, stdin=subprocess.DEVNULL)
    try:
        def sent():
            try:
                return post(f"http://localhost:{ports[4318]}", "traces",
                            payloads.spans(424_242, 1).SerializeToString()).status == 200
            except OSError:
                assert process.poll() is None, (tmp_path / "output.log").read_text()
        until(sent, what="millrace to listen")
        process.terminate()
        assert process.wait(30) == 0
    finally:
        process.kill()
        output.close()
    written = otlp.read_json_lines(tmp_path / "quickstart-telemetry.jsonl")
    assert payloads.span_names(*written["traces"]) == [424_242]
    assert "424242" in (tmp_path / "output.log").read_text()
