"""Programs that speak syslog: Python's SysLogHandler, `logger` of util-linux, TLS sockets; and floods."""

from __future__ import annotations

import logging
import logging.handlers
import os
import socket
import ssl
import subprocess
import time

import pytest

from backends import Reply
from log_inputs import FAST, LogInputs, records
from millrace import free_port, until


def receiver(port: int, protocol: str, **settings) -> dict:
    address = {"listen_address": f"127.0.0.1:{port}"}
    tcp = {**address, **settings.pop("tcp", {})}
    return {"protocol": protocol, "tcp": tcp, **({} if "enable_octet_counting" in settings else {"udp": address}),
            "retry_on_failure": FAST, **settings}


@pytest.fixture
def listen(tmp_path, http_backend):
    running = []

    def _listen(protocol: str, **settings) -> tuple[LogInputs, int]:
        port = free_port()
        running.append(LogInputs(
            tmp_path / f"millrace-{len(running)}", {"syslog": receiver(port, protocol, **settings)}, http_backend))
        return running[-1], port

    yield _listen
    for millrace in running:
        millrace.kill()


@pytest.mark.parametrize("kind", [socket.SOCK_STREAM, socket.SOCK_DGRAM], ids=["tcp", "udp"])
def test_python_logs_through_its_own_handler(listen, http_backend, kind):
    millrace, port = listen("rfc3164")
    handler = logging.handlers.SysLogHandler(("127.0.0.1", port), facility="local3", socktype=kind)
    handler.ident = "shop[42]: "
    log = logging.getLogger(f"syslog-{kind}")
    log.propagate = False
    log.addHandler(handler)
    log.setLevel(logging.DEBUG)
    for level, word in ((logging.CRITICAL, "crit"), (logging.ERROR, "err"), (logging.WARNING, "warning"),
                        (logging.INFO, "info"), (logging.DEBUG, "debug")):
        log.log(level, "order %s ä", word)
    until(lambda: len(records(http_backend)) == 5, what="five records")
    handler.close()
    log.removeHandler(handler)
    found = records(http_backend)
    assert [record.severity for record in found] == ["crit", "err", "warning", "info", "debug"]
    for record in found:
        assert record.attributes["message"] == f"order {record.severity} ä"
        assert record.attributes["appname"] == "shop" and record.attributes["proc_id"] == "42"
        assert record.attributes["facility"] == 19 and record.attributes["facility_text"] == "local3"
    assert millrace.stop().is_balanced()


LOGGER = {
    "rfc3164 tcp": ("rfc3164", ["--tcp", "--rfc3164"], {}),
    "rfc3164 udp": ("rfc3164", ["--udp", "--rfc3164"], {}),
    "rfc5424 tcp": ("rfc5424", ["--tcp", "--rfc5424"], {}),
    "rfc5424 udp": ("rfc5424", ["--udp", "--rfc5424"], {}),
    "rfc5424 counted": ("rfc5424", ["--tcp", "--rfc5424", "--octet-count"], {"enable_octet_counting": True}),
}


@pytest.mark.parametrize("name", LOGGER)
def test_logger_of_util_linux(listen, http_backend, name):
    protocol, options, settings = LOGGER[name]
    millrace, port = listen(protocol, **settings)
    before = time.time()
    text = "\n".join(f"message {number} [\"ö\"]" for number in range(50))
    data = ["--sd-id", "test@1", "--sd-param", 'key="a \\"b\\" c"'] if protocol == "rfc5424" else []
    subprocess.run(
        ["logger", "--server", "127.0.0.1", "--port", str(port), *options, "--priority", "daemon.warning", "--tag",
         "job", "--id=77", *data], input=text, text=True, check=True, timeout=20)
    until(lambda: len(records(http_backend)) == 50, what="50 records")
    found = sorted(records(http_backend), key=lambda record: int(record.attributes["message"].split()[1]))
    for number, record in enumerate(found):
        assert record.attributes["message"] == f'message {number} ["ö"]'
        assert record.attributes["appname"] == "job" and record.attributes["proc_id"] == "77"
        assert record.attributes["hostname"] == socket.gethostname().split(".")[0]
        assert record.severity == "warning" and record.attributes["facility_text"] == "daemon"
        assert before - 2 <= record.time / 1e9 <= time.time() + 2
        if protocol == "rfc5424":
            assert record.attributes["version"] == 1
            assert record.attributes["structured_data"]["test@1"] == {"key": 'a "b" c'}
    millrace.stop()


def test_messages_over_tls(listen, http_backend, tmp_path):
    certificate, key = tmp_path / "cert.pem", tmp_path / "key.pem"
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2",
         "-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost", "-keyout", str(key), "-out",
         str(certificate)], check=True, capture_output=True)
    millrace, port = listen(
        "rfc5424", enable_octet_counting=True, tcp={"tls": {"cert_file": str(certificate), "key_file": str(key)}})
    trust = ssl.create_default_context(cafile=certificate)
    with socket.create_connection(("127.0.0.1", port)) as plain, trust.wrap_socket(
            plain, server_hostname="localhost") as secure:
        for number in range(100):
            message = f"<14>1 - host app - - - number {number}\nline".encode()
            secure.sendall(b"%d %s" % (len(message), message))
    until(lambda: len(records(http_backend)) == 100, what="100 records")
    assert [record.attributes["message"] for record in records(http_backend)] == [
        f"number {number}\nline" for number in range(100)]
    millrace.stop()


def test_refusals_slow_tcp_senders_down_and_lose_nothing(listen, http_backend):
    millrace, port = listen("rfc3164")
    refusing = True
    http_backend.answer = lambda _: Reply(503) if refusing else None
    lines = 150_000
    sender = subprocess.Popen(
        ["python3", "-c", f"""
import socket
s = socket.create_connection(("127.0.0.1", {port}))
for start in range(0, {lines}, 1000):
    s.sendall(b"".join(b"<14>Mar  1 00:00:01 host app: %d %s\\n" % (n, b"x" * 150) for n in range(start, start + 1000)))
s.close()
"""])
    time.sleep(2)
    assert sender.poll() is None, "the sender was not slowed down"
    assert millrace.memory() < 150 << 20
    refusing = False
    until(lambda: len(records(http_backend)) >= lines, 60, what="all lines", every=0.2)
    sender.wait(20)
    # Several batches are on their way at a time.
    numbers = sorted(int(record.attributes["message"].split()[0]) for record in records(http_backend))
    assert numbers == list(range(lines))
    assert millrace.stop().is_balanced()


def test_a_reload_loses_no_message_of_clients_that_connect_anew(listen, http_backend, tmp_path):
    millrace, port = listen("rfc3164")
    sent = 0

    def send(count: int):
        nonlocal sent
        with socket.create_connection(("127.0.0.1", port)) as connection:
            for _ in range(count):
                connection.sendall(b"<14>app: %d\n" % sent)
                sent += 1

    datagrams = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    for round in range(5):
        send(20)
        millrace.pipeline.receivers["syslog"]["attributes"] = {"round": str(round)}
        millrace.config.write_text(millrace.pipeline.text())
        millrace.process.send_signal(1)
        for _ in range(40):
            send(5)
            datagrams.sendto(b"<14>udp: x", ("127.0.0.1", port))
            time.sleep(0.005)
    expected = sent + 200
    until(lambda: len(records(http_backend)) >= expected, 30, what=f"{expected} messages")
    numbers = [int(record.attributes["message"]) for record in records(http_backend)
               if record.attributes["appname"] == "app"]
    assert sorted(numbers) == list(range(sent))
    assert any("round" in record.attributes for record in records(http_backend))
    millrace.stop()


def test_garbage_is_passed_on_as_it_came_and_counted(listen, http_backend):
    millrace, port = listen("rfc5424")
    with socket.create_connection(("127.0.0.1", port)) as connection:
        connection.sendall(b"<34>1 - host app - - - fine\n\xff\xfe\x01garbage\n" + os.urandom(3000).replace(
            b"\n", b"").replace(b"\0", b"").replace(b"<", b"") + b"\n" + b"<34>1 - h a - - [x\n")
    until(lambda: len(records(http_backend)) >= 4, what="four records")
    found = records(http_backend)
    assert found[0].attributes["message"] == "fine"
    assert found[1].body == "\ufffd\ufffd\x01garbage" and found[1].attributes == {}
    failures = millrace.metrics().sum("millrace_operator_failures", operator="syslog")
    assert failures == 3
    millrace.stop()
    reasons = [record.get("reason", "") for record in millrace.log_records]
    assert any("expected a priority such as <34> at byte 0" in reason for reason in reasons), reasons
