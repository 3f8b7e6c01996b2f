"""OTLP requests whose every item carries a number, made and read as bytes: cheap enough to count all of a load."""

from __future__ import annotations

import re

import otlp

_MARK = re.compile(rb"item-(\d{12})")
_TIME = 1_700_000_000_000_000_000
# Each sender has this many numbers to itself.
LANE = 1_000_000_000


def _string(number: int, text: bytes) -> bytes:
    return otlp.field(number, otlp.field(1, text))


def _attribute(key: str, value: bytes) -> bytes:
    return otlp.field(1, key) + _string(2, value)


def _item(signal: str, padding: int) -> bytes:
    """An item around the mark of number 0; every mark has the same length, so that it can be replaced."""
    mark, filler = b"item-%012d" % 0, _attribute("filler", b"x" * padding)
    match signal:
        case "logs":
            record = otlp.fixed64(1, _TIME) + otlp.field(2, 9) + _string(5, mark) + otlp.field(6, filler)
            return otlp.field(2, record)
        case "traces":
            span = (otlp.field(1, bytes(range(1, 17))) + otlp.field(2, bytes(range(1, 9))) + otlp.field(5, mark)
                    + otlp.fixed64(7, _TIME) + otlp.fixed64(8, _TIME + 1) + otlp.field(9, filler))
            return otlp.field(2, span)
        case "metrics":
            point = otlp.fixed64(3, _TIME) + otlp.fixed64(6, 1) + otlp.field(7, filler)
            return otlp.field(2, otlp.field(1, mark) + otlp.field(5, otlp.field(1, point)))
    raise ValueError(signal)


class Writer:
    """Makes requests of one signal."""

    def __init__(self, signal: str, padding: int = 100):
        self.signal = signal
        self._before, self._after = _item(signal, padding).split(b"%012d" % 0)
        self._resource = otlp.field(1, otlp.field(1, _attribute("service.name", b"load")))

    def request(self, numbers: range) -> bytes:
        items = b"".join(b"%b%012d%b" % (self._before, number, self._after) for number in numbers)
        return otlp.field(1, self._resource + otlp.field(2, items))


def numbers(body: bytes) -> list[int]:
    """The numbers of all items in a request, in order."""
    return [int(digits) for digits in _MARK.findall(body)]


def total(signal: str, body: bytes) -> int:
    """What an independent decoder counts: used to check the writer against it."""
    return otlp.count(signal, otlp.decode(signal, body))
