"""Lines from pipes and sockets: `stdin` in a shell, `tcp_log`, `udp_log`."""

from __future__ import annotations

import socket
import subprocess
import time
from collections import Counter

import pytest
import yaml

from backends import Reply
from log_inputs import FAST, LogInputs, records
from millrace import BINARY, free_port, until


def pipe(folder, backend, stdin: dict, receivers: dict | None = None, more: dict | None = None):
    """A configuration for a pipe in a shell."""
    config = folder / "pipe.yaml"
    config.write_text(yaml.safe_dump({
        "receivers": {"stdin": {"retry_on_failure": FAST, **stdin}, **(receivers or {})},
        "exporters": {"otlp_http": {"endpoint": backend.endpoint, "retry_on_failure": {"enabled": False},
                                    "sending_queue": {"enabled": False}}},
        "service": {
            "telemetry": {"metrics": {"level": "none"}},
            "pipelines": {"logs": {"receivers": ["stdin", *(receivers or {})], "exporters": ["otlp_http"]}}},
    }))
    return config


def test_a_pipe_in_a_shell_is_read_to_its_end(tmp_path, http_backend):
    lines = tmp_path / "lines.txt"
    lines.write_text("".join(f'{{"number": {number}, "level": "error"}}\n' for number in range(30_000)))
    config = pipe(tmp_path, http_backend, {"operators": [
        {"type": "json_parser", "severity": {"parse_from": "attributes.level"}}]})
    result = subprocess.run(
        f"gzip -c {lines} | zcat | {BINARY} run {config}", shell=True, capture_output=True, text=True, timeout=60)
    assert result.returncode == 0, result.stderr[-3000:]
    found = records(http_backend)
    assert sorted(record.attributes["number"] for record in found) == list(range(30_000))
    assert found[0].severity == "error"
    assert "received=30000" in result.stderr + result.stdout and "unaccounted=0" in result.stderr + result.stdout
    # Thousands of lines in each request, not one.
    assert len(http_backend.messages("logs")) < 100


def test_a_pipe_waits_for_a_backend_that_refuses(tmp_path, http_backend):
    refusing = True
    http_backend.answer = lambda _: Reply(503) if refusing else None
    config = pipe(tmp_path, http_backend, {})
    process = subprocess.Popen(
        f"seq 1 400000 | {BINARY} run {config}", shell=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    time.sleep(2)
    assert process.poll() is None
    refusing = False
    output, _ = process.communicate(timeout=60)
    assert process.returncode == 0, output[-3000:]
    assert sorted(int(record.body) for record in records(http_backend)) == list(range(1, 400_001))


def test_the_collector_goes_on_after_its_input_has_ended_when_it_has_other_receivers(tmp_path, http_backend):
    port = free_port()
    config = pipe(tmp_path, http_backend, {}, {"tcp_log": {"listen_address": f"127.0.0.1:{port}"}})
    process = subprocess.Popen(
        [str(BINARY), "run", str(config)], stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    process.stdin.write(b"from the pipe\n")
    process.stdin.close()
    until(lambda: len(records(http_backend)) == 1, what="the line of the pipe")
    time.sleep(0.5)
    with socket.create_connection(("127.0.0.1", port)) as connection:
        connection.sendall(b"over TCP\n")
    until(lambda: len(records(http_backend)) == 2, what="the line over TCP")
    process.terminate()
    assert process.wait(20) == 0


def test_many_connections_and_senders_arrive_complete(tmp_path, http_backend):
    tcp, udp = free_port(), free_port()
    millrace = LogInputs(tmp_path / "m", {
        "tcp_log": {"listen_address": f"127.0.0.1:{tcp}", "add_attributes": True},
        "udp_log": {"listen_address": f"127.0.0.1:{udp}", "async": {"readers": 2}},
    }, http_backend)
    try:
        connections = [socket.create_connection(("127.0.0.1", tcp)) for _ in range(200)]
        datagrams = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        for number in range(20):
            for index, connection in enumerate(connections):
                # Lines cut anywhere.
                connection.sendall(f"{number} of {index}\n{number} again".encode())
                connection.sendall(f" of {index}\n".encode())
            datagrams.sendto(f"datagram {number}".encode(), ("127.0.0.1", udp))
        for connection in connections:
            connection.close()
        until(lambda: len(records(http_backend)) == 200 * 40 + 20, 30, what="all lines")
        bodies = Counter(record.body for record in records(http_backend))
        assert max(bodies.values()) == 1
        for record in records(http_backend):
            if not record.body.startswith("datagram"):
                assert record.attributes["net.host.port"] == str(tcp)
                assert record.attributes["net.transport"] == "IP.TCP"
        assert len(http_backend.messages("logs")) < 2500
        assert millrace.metrics().sum("millrace_server_connections", transport="tcp") == 0
        assert millrace.stop().is_balanced()
    finally:
        millrace.kill()


def test_a_stop_delivers_what_clients_have_sent(tmp_path, http_backend):
    port = free_port()
    millrace = LogInputs(tmp_path / "m", {"tcp_log": {"listen_address": f"127.0.0.1:{port}"}}, http_backend)
    try:
        with socket.create_connection(("127.0.0.1", port)) as connection:
            connection.sendall(b"whole\nhalf")
            until(lambda: len(records(http_backend)) == 1, what="the whole line")
            millrace.terminate()
            # The server says that it goes.
            assert connection.recv(10) == b""
            connection.sendall(b" of it\n")
            connection.close()
            millrace.stop()
        assert [record.body for record in records(http_backend)] == ["whole", "half of it"]
    finally:
        millrace.kill()


def test_datagrams_beyond_what_can_be_held_are_counted(tmp_path, http_backend):
    port = free_port()
    refusing = True
    http_backend.answer = lambda _: Reply(503) if refusing else None
    millrace = LogInputs(tmp_path / "m", {
        "udp_log": {"listen_address": f"127.0.0.1:{port}", "retry_on_failure": FAST}}, http_backend)
    try:
        sender = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        sent = 800
        for number in range(sent):
            sender.sendto(b"%d %s" % (number, b"x" * 60_000), ("127.0.0.1", port))
            if number % 2 == 0:
                time.sleep(0.002)
        time.sleep(0.5)
        refusing = False
        until(lambda: len(records(http_backend)) > 100, what="what was held")
        metrics = millrace.metrics()
        dropped = metrics.sum("millrace_ledger_items", state="dropped", reason="udp_buffer_full")
        in_kernel = metrics.sum("millrace_receiver_kernel_drops", receiver="udp_log")
        assert dropped > 100
        assert millrace.stop().is_balanced()
        assert len(records(http_backend)) + dropped + in_kernel == pytest.approx(sent, abs=60)
    finally:
        millrace.kill()
