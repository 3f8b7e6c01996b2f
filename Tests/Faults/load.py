"""Senders that know what was acknowledged: they number every item and note each answer."""

from __future__ import annotations

import http.client
import threading
import time
from dataclasses import dataclass, field

import grpc

import otlp
import sequence
from client import PROTO, GRPCClient

_RETRYABLE = (grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.RESOURCE_EXHAUSTED)


@dataclass
class Counts:
    """Item numbers by what the sender was told. An item may be in several: refused first, then accepted."""

    accepted: set[int] = field(default_factory=set)
    refused: set[int] = field(default_factory=set)  # an explicit answer to come back later
    rejected: set[int] = field(default_factory=set)  # an explicit answer never to come back
    unknown: set[int] = field(default_factory=set)  # no answer: may have been taken or not
    resent: set[int] = field(default_factory=set)  # sent again after one of the answers above

    def summary(self) -> str:
        return ", ".join(f"{len(value)} {name}" for name, value in vars(self).items())


class Load:
    """A few senders, alternately over HTTP and gRPC, each with numbers of its own.

    `retries` sends a request again until it is accepted, as an SDK does; otherwise each is sent once.
    `pause` seconds lie between two requests of one sender.
    """

    def __init__(
        self, pipeline, *, signals=("logs", "traces"), senders: int = 4, per_request: int = 20, padding: int = 100,
        retries: bool = True, pause: float = 0.0, first: int = 0, transports=("http", "grpc"),
    ):
        self.counts = Counts()
        self.by_signal: dict[str, Counts] = {signal: Counts() for signal in signals}
        # Answers to come back later; `counts` has each item once.
        self.refusals = 0
        self.per_request, self.retries, self.pause = per_request, retries, pause
        self.lock = threading.Lock()
        self.stopped, self.paused = threading.Event(), threading.Event()
        self.threads = []
        for lane in range(senders):
            transport = transports[lane % len(transports)]
            signal = signals[lane // len(transports) % len(signals)]
            sender = {"http": _HTTPSender, "grpc": _GRPCSender}[transport](pipeline, signal)
            writer = sequence.Writer(signal, padding)
            start = (first + lane) * sequence.LANE
            self.threads.append(threading.Thread(target=self._run, args=(sender, writer, start), daemon=True))
        for thread in self.threads:
            thread.start()

    def _run(self, sender, writer: sequence.Writer, number: int):
        failures = 0
        try:
            while not self.stopped.is_set():
                if self.paused.is_set():
                    time.sleep(0.01)
                    continue
                numbers = range(number, number + self.per_request)
                kind = sender.send(writer.request(numbers))
                with self.lock:
                    self.refusals += kind == "refused"
                    for counts in (self.counts, self.by_signal[writer.signal]):
                        getattr(counts, kind).update(numbers)
                        if failures:
                            counts.resent.update(numbers)
                if kind in ("accepted", "rejected") or not self.retries:
                    number, failures = number + self.per_request, 0
                else:
                    failures += 1
                if kind in ("refused", "unknown"):
                    time.sleep(min(0.02 * max(1, failures), 0.2))
                elif self.pause:
                    time.sleep(self.pause)
        finally:
            sender.close()

    @property
    def accepted(self) -> int:
        with self.lock:
            return len(self.counts.accepted)

    def stop(self):
        """Ends after the answers under way."""
        self.stopped.set()
        for thread in self.threads:
            thread.join(60)
            assert not thread.is_alive(), "a sender still waits for its answer"


class _HTTPSender:
    def __init__(self, pipeline, signal: str):
        self.port, self.path = pipeline.http, otlp.PATH[signal]
        self.connection = None

    def send(self, body: bytes) -> str:
        try:
            if self.connection is None:
                self.connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
            self.connection.request("POST", self.path, body, {"Content-Type": PROTO})
            reply = self.connection.getresponse()
            content = reply.read()
        except (OSError, http.client.HTTPException):
            self.close()
            return "unknown"
        if reply.status == 200:
            assert content == b"", "a partial success: the load is all valid"
            return "accepted"
        return "refused" if reply.status in (429, 502, 503, 504) else "rejected"

    def close(self):
        if self.connection:
            self.connection.close()
            self.connection = None


class _GRPCSender:
    def __init__(self, pipeline, signal: str):
        self.target, self.signal = f"127.0.0.1:{pipeline.grpc}", signal
        self.client = None

    def send(self, body: bytes) -> str:
        try:
            # A channel that lost its server backs off for a second and more; a new one does not.
            self.client = self.client or GRPCClient(self.target)
            assert self.client.send(self.signal, body, timeout=60) == b""
            return "accepted"
        except grpc.RpcError as error:
            code = error.code()
            answered = any(key == "grpc-status-details-bin" for key, _ in error.trailing_metadata() or ())
            if code in _RETRYABLE and answered:
                return "refused"
            if code in (grpc.StatusCode.INVALID_ARGUMENT, grpc.StatusCode.PERMISSION_DENIED):
                return "rejected"
            self.close()
            return "unknown"

    def close(self):
        if self.client:
            self.client.close()
            self.client = None
