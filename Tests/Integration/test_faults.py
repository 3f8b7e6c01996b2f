"""Backends that are down, slow or full, and a process that is told to stop: nothing is lost silently."""

import os
import threading
import time
from collections import Counter

import grpc
import pytest

import otlp
import payloads
from backends import Refusal, Reply
from client import GRPCClient, post
from millrace import until
from test_delivery import INSECURE

OUTAGE = float(os.environ.get("OUTAGE_SECONDS", "20"))
FAST_RETRY = {"initial_interval": "100ms", "max_interval": "500ms"}


def exporters(http_backend, grpc_backend, **settings) -> dict:
    return {
        "otlp_http": {"endpoint": http_backend.endpoint, "tls": INSECURE, **settings},
        "otlp_grpc": {"endpoint": grpc_backend.endpoint, "tls": INSECURE, **settings},
    }


def test_a_backend_that_goes_away_and_comes_back_gets_everything_in_order(start, http_backend, grpc_backend):
    millrace = start(exporters(
        http_backend, grpc_backend, retry_on_failure=FAST_RETRY,
        sending_queue={"num_consumers": 1, "queue_size": 10_000}), signals=("traces",))
    numbers = iter(range(0, 1_000_000, 5))
    sent = []

    def send(client):
        sent.append(next(numbers))
        client.send("traces", payloads.spans(sent[-1], 5).SerializeToString())

    with GRPCClient(millrace.grpc) as client:
        for _ in range(50):
            send(client)
        http_backend.stop()
        grpc_backend.stop()
        down_since = time.monotonic()
        while time.monotonic() - down_since < OUTAGE:
            send(client)
            time.sleep(0.05)
        http_backend.start()
        grpc_backend.start()
        for _ in range(50):
            send(client)
    wanted = [number for first in sent for number in range(first, first + 5)]
    for backend in (http_backend, grpc_backend):
        until(lambda: backend.count("traces") >= len(wanted), timeout=40, what="everything to arrive")
        arrived = payloads.span_names(*backend.messages("traces"))
        assert Counter(arrived) - Counter(wanted) == Counter() or set(arrived) == set(wanted)
        # A request whose answer was cut off is sent again; what was first seen is in order.
        assert list(dict.fromkeys(arrived)) == wanted
    sheet = millrace.stop()
    assert sheet.items("traces", "received") == len(wanted)
    assert sheet.items("traces", "delivered") == 2 * len(wanted)
    assert sheet.items("traces", "dropped") == 0 and sheet.is_balanced()


def test_a_backend_that_was_never_there_is_no_reason_not_to_start(start, http_backend):
    http_backend.stop()
    millrace = start({"otlp_http": {
        "endpoint": http_backend.endpoint, "tls": INSECURE, "retry_on_failure": FAST_RETRY}}, signals=("traces",))
    assert post(millrace.http, "traces", payloads.spans(0, 10).SerializeToString()).status == 200
    time.sleep(1)
    http_backend.start()
    until(lambda: http_backend.count("traces") == 10, what="the queued request")
    assert millrace.stop().is_balanced()


def test_giving_up_is_counted_and_logged(start, http_backend):
    http_backend.stop()
    millrace = start({"otlp_http": {"endpoint": http_backend.endpoint, "tls": INSECURE, "retry_on_failure": {
        "initial_interval": "50ms", "max_interval": "100ms", "max_elapsed_time": "500ms"}}}, signals=("traces",))
    assert post(millrace.http, "traces", payloads.spans(0, 10).SerializeToString()).status == 200
    until(lambda: millrace.metrics().sum("otelcol_exporter_send_failed_spans") == 10, what="the failure to be counted")
    ledger = millrace.metrics()
    assert ledger.sum("millrace_ledger_items", signal="traces", state="dropped") == 10
    assert any(record.get("level", "").lower() in ("error", "warn", "warning") and "otlp_http" in str(record)
               for record in millrace.log_records), millrace.logs
    sheet = millrace.stop()
    assert sheet.items("traces", "dropped") == 10 and sheet.is_balanced()


@pytest.mark.parametrize("kind", ["http", "grpc"])
def test_the_backend_says_how_long_to_wait(start, http_backend, grpc_backend, kind):
    backend = http_backend if kind == "http" else grpc_backend
    attempts = []

    def answer(received):
        attempts.append(received.at)
        if len(attempts) > 1:
            return None
        if kind == "http":
            return Reply(503, headers=(("Retry-After", "2"),))
        raise Refusal(grpc.StatusCode.UNAVAILABLE, retry_after=2)

    backend.answer = answer
    millrace = start({f"otlp_{kind}": {
        "endpoint": backend.endpoint, "tls": INSECURE, "retry_on_failure": FAST_RETRY}}, signals=("traces",))
    with GRPCClient(millrace.grpc) as client:
        client.send("traces", payloads.spans(0, 10).SerializeToString())
    until(lambda: backend.count("traces") == 10, what="the second attempt")
    assert len(attempts) == 2 and attempts[1] - attempts[0] >= 1.9
    assert millrace.stop().items("traces", "delivered") == 10


@pytest.mark.parametrize("status,tries", [(400, 1), (401, 1), (429, 2), (500, 1), (502, 2), (503, 2), (504, 2)])
def test_http_statuses_are_retried_as_the_specification_says(start, http_backend, status, tries):
    attempts = []

    def answer(received):
        attempts.append(received.at)
        return Reply(status, b"") if len(attempts) == 1 else None

    http_backend.answer = answer
    millrace = start({"otlp_http": {
        "endpoint": http_backend.endpoint, "tls": INSECURE, "retry_on_failure": FAST_RETRY}}, signals=("traces",))
    assert post(millrace.http, "traces", payloads.spans(0, 10).SerializeToString()).status == 200
    until(lambda: len(attempts) == tries, what="the attempts")
    sheet = millrace.stop()
    assert len(attempts) == tries
    assert sheet.items("traces", "delivered") == (10 if tries == 2 else 0)
    assert sheet.is_balanced()


@pytest.mark.parametrize("code,tries", [
    ("INVALID_ARGUMENT", 1), ("UNIMPLEMENTED", 1), ("PERMISSION_DENIED", 1), ("RESOURCE_EXHAUSTED", 1),
    ("UNAVAILABLE", 2), ("ABORTED", 2), ("DEADLINE_EXCEEDED", 2), ("DATA_LOSS", 2),
])
def test_grpc_codes_are_retried_as_the_specification_says(start, grpc_backend, code, tries):
    attempts = []

    def answer(received):
        attempts.append(received.at)
        if len(attempts) == 1:
            raise Refusal(grpc.StatusCode[code])

    grpc_backend.answer = answer
    millrace = start({"otlp_grpc": {
        "endpoint": grpc_backend.endpoint, "tls": INSECURE, "retry_on_failure": FAST_RETRY}}, signals=("traces",))
    assert post(millrace.http, "traces", payloads.spans(0, 10).SerializeToString()).status == 200
    until(lambda: len(attempts) == tries, what="the attempts")
    sheet = millrace.stop()
    assert len(attempts) == tries
    assert sheet.items("traces", "delivered") == (10 if tries == 2 else 0)
    assert sheet.is_balanced()


def test_a_full_queue_asks_senders_to_come_back(start, http_backend):
    release = threading.Event()
    http_backend.answer = lambda received: release.wait(60) and None
    millrace = start({"otlp_http": {
        "endpoint": http_backend.endpoint, "tls": INSECURE, "timeout": "60s",
        "sending_queue": {"num_consumers": 1, "queue_size": 2}}}, signals=("traces",))
    accepted, number = [], 0
    with GRPCClient(millrace.grpc) as client:
        # One request is with the backend and two are queued; from then on, no room.
        while True:
            answer = post(millrace.http, "traces", payloads.spans(number, 5).SerializeToString())
            if answer.status != 200:
                break
            accepted.append(number)
            number += 5
            assert number < 500, "the queue never filled"
        assert answer.status in (429, 503)
        assert float(answer.headers["retry-after"]) > 0
        assert answer.error().code in (8, 14) and answer.error().message
        failure = client.failure("traces", payloads.spans(1000, 5).SerializeToString())
        assert failure.code in (grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.RESOURCE_EXHAUSTED)
        assert failure.retry_after and failure.retry_after > 0, failure
        metrics = millrace.metrics()
        assert metrics.sum("otelcol_exporter_queue_capacity") == 2
        assert metrics.sum("otelcol_exporter_queue_size") == 2
        assert metrics.sum("otelcol_exporter_enqueue_failed_spans") == 10
        assert metrics.sum("otelcol_receiver_refused_spans") == 10
        release.set()

        def room():
            try:
                return client.send("traces", payloads.spans(2000, 5).SerializeToString()) == b""
            except grpc.RpcError:
                return False

        until(room, what="room again")
    sheet = millrace.stop()
    wanted = [n for first in [*accepted, 2000] for n in range(first, first + 5)]
    assert sorted(payloads.span_names(*http_backend.messages("traces"))) == wanted
    assert sheet.items("traces", "delivered") == len(wanted)
    assert sheet.items("traces", "refused") >= 10 and sheet.is_balanced()


def test_a_full_queue_may_make_senders_wait(start, http_backend):
    http_backend.answer = lambda received: time.sleep(0.1)
    millrace = start({"otlp_http": {
        "endpoint": http_backend.endpoint, "tls": INSECURE,
        "sending_queue": {"num_consumers": 1, "queue_size": 1, "block_on_overflow": True}}}, signals=("traces",))
    with GRPCClient(millrace.grpc) as client:
        for number in range(20):
            assert client.send("traces", payloads.spans(number, 1).SerializeToString()) == b""
    sheet = millrace.stop()
    assert payloads.span_names(*http_backend.messages("traces")) == list(range(20))
    assert sheet.items("traces", "refused") == 0 and sheet.is_balanced()


class Load:
    """Senders that note which items were accepted, refused, or left without an answer."""

    def __init__(self, millrace, senders: int = 4, per_request: int = 20):
        self.accepted, self.refused, self.unknown = Counter(), Counter(), Counter()
        self.stopped = threading.Event()
        self.lock = threading.Lock()
        self.per_request = per_request
        self.threads = [
            threading.Thread(target=target, args=(millrace, lane * 10_000_000), daemon=True)
            for lane, target in enumerate([self._grpc, self._http] * (senders // 2))
        ]
        for thread in self.threads:
            thread.start()

    def _requests(self, first: int):
        while not self.stopped.is_set():
            yield range(first, first + self.per_request)
            first += self.per_request

    def _note(self, kind: Counter, numbers):
        with self.lock:
            kind.update(numbers)

    def _grpc(self, millrace, first: int):
        with GRPCClient(millrace.grpc) as client:
            for numbers in self._requests(first):
                try:
                    client.send("traces", payloads.spans(numbers[0], len(numbers)).SerializeToString(), timeout=20)
                    self._note(self.accepted, numbers)
                except grpc.RpcError as error:
                    refused = error.code() in (grpc.StatusCode.RESOURCE_EXHAUSTED, grpc.StatusCode.UNAVAILABLE)
                    answered = any(key == "grpc-status-details-bin" for key, _ in error.trailing_metadata() or ())
                    self._note(self.refused if refused and answered else self.unknown, numbers)
                    if not answered:
                        return

    def _http(self, millrace, first: int):
        for numbers in self._requests(first):
            try:
                answer = post(millrace.http, "traces", payloads.spans(numbers[0], len(numbers)).SerializeToString())
            except OSError:
                self._note(self.unknown, numbers)
                return
            except Exception:  # a connection closed between request and answer
                self._note(self.unknown, numbers)
                return
            self._note(self.accepted if answer.status == 200 else self.refused, numbers)

    def stop(self):
        self.stopped.set()
        for thread in self.threads:
            thread.join(30)
            assert not thread.is_alive()


@pytest.mark.parametrize("queue", [{}, {"enabled": False}, {"wait_for_result": True}], ids=["queued", "direct", "waiting"])
@pytest.mark.parametrize("batch", [{}, {"batch": {"timeout": "100ms", "send_batch_size": 500}}], ids=["plain", "batched"])
def test_stopping_under_load_accounts_for_every_item(start, http_backend, queue, batch):
    http_backend.answer = lambda received: time.sleep(0.02)
    millrace = start({"otlp_http": {
        "endpoint": http_backend.endpoint, "tls": INSECURE, "sending_queue": queue}}, batch, signals=("traces",))
    load = Load(millrace)
    until(lambda: sum(load.accepted.values()) > 2000, what="some load")
    millrace.terminate()
    millrace.process.wait(40)
    load.stop()
    sheet = millrace.stop()
    arrived = Counter(payloads.span_names(*http_backend.messages("traces")))
    assert not load.accepted - arrived, "an acknowledged item did not arrive"
    assert max(arrived.values()) == 1, "an item arrived twice"
    assert set(arrived) <= set(load.accepted) | set(load.unknown) | set(load.refused)
    assert sheet.items("traces", "delivered") == arrived.total()
    taken = sheet.items("traces", "received") - sheet.items("traces", "refused")
    accepted = load.accepted.total()
    assert accepted <= taken <= accepted + load.unknown.total()
    assert sheet.is_balanced()


def test_the_shutdown_deadline_drops_and_counts(start, http_backend):
    """A backend that never answers must not keep the process for ever, nor hide what it costs."""
    http_backend.stop()
    millrace = start({"otlp_http": {
        "endpoint": http_backend.endpoint, "tls": INSECURE,
        "retry_on_failure": {"initial_interval": "100ms", "max_elapsed_time": "0s"}}},
        signals=("traces",), arguments=("--shutdown-timeout", "2"))
    for number in range(10):
        assert post(millrace.http, "traces", payloads.spans(number * 5, 5).SerializeToString()).status == 200
    sheet = millrace.stop(timeout=20)
    assert sheet.items("traces", "received") == 50
    assert sheet.items("traces", "dropped") == 50 and sheet.is_balanced()


def test_a_second_signal_ends_the_drain(start, http_backend):
    http_backend.stop()
    millrace = start({"otlp_http": {
        "endpoint": http_backend.endpoint, "tls": INSECURE,
        "retry_on_failure": {"initial_interval": "100ms", "max_elapsed_time": "0s"}}}, signals=("traces",))
    assert post(millrace.http, "traces", payloads.spans(0, 5).SerializeToString()).status == 200
    millrace.terminate()
    time.sleep(0.5)
    assert millrace.process.poll() is None, "it did not try to deliver"
    millrace.terminate()
    millrace.process.wait(15)
