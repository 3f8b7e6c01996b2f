"""What a probability sampler must decide, from the documents alone: OpenTelemetry's "TraceState: Probability Sampling",
W3C Trace Context, FNV-1a, and the Collector's description of its modes. Exact numbers, regular expressions, no speed."""

from __future__ import annotations

import math
import re
import struct
from dataclasses import dataclass
from fractions import Fraction

SPACE = 2**56

KEY = r"(?:[a-z][a-z0-9_\-*/]{0,255}|[a-z0-9][a-z0-9_\-*/]{0,240}@[a-z][a-z0-9_\-*/]{0,13})"
VALUE = r"[\x20-\x2b\x2d-\x3c\x3e-\x7e]{0,255}[\x21-\x2b\x2d-\x3c\x3e-\x7e]"
MEMBER = re.compile(rf"({KEY})=({VALUE})")
OT_MEMBER = re.compile(r"([a-z][a-z0-9]*):([A-Za-z0-9._\-]*)")


@dataclass
class TraceState:
    rv: str | None = None
    th: str | None = None
    others: tuple = ()
    vendors: tuple = ()

    @classmethod
    def parse(cls, text: str) -> TraceState | None:
        """None for a malformed one."""
        state = cls()
        if len(text) > 1024 or text.count(",") > 30:
            return None
        for member in text.split(","):
            member = member.strip(" \t")
            if not member:
                continue
            match = MEMBER.fullmatch(member)
            if not match:
                return None
            if match[1] != "ot":
                state.vendors += (member,)
                continue
            state.rv = state.th = None
            state.others = ()
            for part in match[2].split(";"):
                inner = OT_MEMBER.fullmatch(part)
                if not inner:
                    return None
                if inner[1] == "rv":
                    if not re.fullmatch("[0-9a-fA-F]{14}", inner[2]):
                        return None
                    state.rv = inner[2]
                elif inner[1] == "th":
                    if not re.fullmatch("[0-9a-fA-F]{1,14}", inner[2]):
                        return None
                    state.th = inner[2]
                else:
                    state.others += (part,)
        return state

    def text(self) -> str:
        inner = [f"rv:{self.rv}"] if self.rv else []
        inner += [f"th:{self.th}"] if self.th else []
        ot = ";".join([*inner, *self.others])
        return ",".join([*([f"ot={ot}"] if ot else []), *self.vendors])


def threshold(th: str) -> int:
    return int(th.ljust(14, "0"), 16)


def encoded(value: int) -> str:
    return f"{value:014x}".rstrip("0") or "0"


def rounded(probability: float, precision: int) -> int | None:
    """The threshold of a probability, in `precision` digits that are not the leading 0s or fs of numbers near the ends."""
    if not 1 / SPACE <= probability <= 1:
        return None
    if probability == 1:
        return 0
    leading = max(max(0, -math.frexp(part)[1]) // 4 for part in (probability, 1 - probability))
    accepted = math.floor(Fraction(probability) * SPACE + Fraction(1, 2))
    unit = 16 ** (14 - min(14, precision + leading))
    return (SPACE - accepted + unit // 2) // unit * unit


def fnv1a(data: bytes) -> int:
    value = 0x811C9DC5
    for byte in data:
        value = (value ^ byte) * 0x01000193 % 2**32
    return value


def hashed(data: bytes, seed: int) -> int:
    """56 bits whose first 14 are the complement of the lowest 14 of the hash."""
    value = fnv1a(seed.to_bytes(4, "little") + data)
    low, high = value % 2**14, value >> 18
    return (2**14 - 1 - low) << 42 | (high ^ high << 10) << 14 | low


def float32(number: float) -> float:
    return struct.unpack("f", struct.pack("f", number))[0]


@dataclass
class Sampler:
    """`decide` says what is written into an item that is kept: (rv, th), each None to leave it; or None to drop it."""

    mode: str
    percentage: float
    seed: int = 0
    precision: int = 4
    fail_closed: bool = True

    def __post_init__(self):
        percentage = float32(self.percentage)
        self.ratio = percentage / 100
        self.buckets = int(float32(percentage * float32(163.84)))

    def own(self, trace_id: bytes) -> int | None:
        if len(trace_id) != 16 or not any(trace_id):
            return None
        return hashed(trace_id, self.seed) if self.mode == "hash_seed" else int.from_bytes(trace_id[9:], "big")

    def wanted(self, th: int | None) -> int:
        if self.mode == "hash_seed":
            return (2**14 - self.buckets) << 42
        if self.mode == "equalizing":
            return max(rounded(self.ratio, self.precision), th or 0)
        before = 1.0 if th is None else (SPACE - th) / SPACE
        value = rounded(before * self.ratio, self.precision)
        return SPACE if value is None else value

    def decide(self, trace_id: bytes, malformed: bool, rv: str | None, th: str | None):
        own = self.own(trace_id)
        known = None if th is None else threshold(th)
        randomness, faulty = own, malformed
        if self.mode == "hash_seed":
            faulty = faulty or rv is not None or th is not None
            silent = faulty
        else:
            silent = malformed
            randomness = None if malformed else int(rv, 16) if rv is not None else own
        if not faulty and randomness is None:
            faulty = True
        elif not faulty and known is not None and known > randomness:
            faulty, known = True, None
        if faulty and self.fail_closed:
            return None
        limit = 0 if faulty else self.wanted(known)
        if randomness is not None and randomness < limit:
            return None
        if silent:
            return None, None
        new_rv = f"{own:014x}" if self.mode == "hash_seed" and own is not None else None
        return new_rv, encoded(limit) if known is None or known <= limit else None

    def span(self, trace_id: bytes, tracestate: str) -> str | None:
        """The tracestate of a span that is kept; None for one that is not."""
        state = TraceState.parse(tracestate)
        decision = self.decide(trace_id, state is None, *((state.rv, state.th) if state else (None, None)))
        if decision is None:
            return None
        if decision == (None, None):
            return tracestate
        state.rv, state.th = (new or old for new, old in zip(decision, (state.rv, state.th)))
        return state.text()
