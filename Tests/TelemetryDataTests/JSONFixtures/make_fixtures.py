"""Makes the fixtures of the OTLP-JSON tests with encoders that are independent of Millrace.

Every NAME.pb is an export request, and NAME.json its JSON form as protobuf's own `json_format` writes it, with ids
changed from base64 to hexadecimal and enumerations as numbers, which is all that OTLP's JSON form adds.

`plain-*` are random messages as every encoder writes them; `scrambled-*` use the freedom that protobuf's wire format
leaves: any order, fields given twice, lists in pieces, packed or not, several members of a oneof, unknown fields.

usage: make_fixtures.py [CAPTURE.pb ...]    needs the PyPI packages opentelemetry-proto and protobuf
"""
import base64
import json
import math
import os
import random
import struct
import sys

from google.protobuf import json_format
from google.protobuf.internal.encoder import _VarintBytes
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

REQUESTS = {"traces": ExportTraceServiceRequest, "metrics": ExportMetricsServiceRequest,
            "logs": ExportLogsServiceRequest}
ID_LENGTHS = {"trace_id": 16, "span_id": 8, "parent_span_id": 8}


def with_hex_ids(value):
    if isinstance(value, dict):
        return {key: base64.b64decode(item).hex() if key in ("traceId", "spanId", "parentSpanId")
                else with_hex_ids(item) for key, item in value.items()}
    return [with_hex_ids(item) for item in value] if isinstance(value, list) else value


def to_json(signal, data):
    message = REQUESTS[signal]()
    message.ParseFromString(data)
    fields = json_format.MessageToDict(message, use_integers_for_enums=True)
    return json.dumps(with_hex_ids(fields), separators=(",", ":"), ensure_ascii=False)


def text(rng):
    kind = rng.randrange(7)
    if kind == 0:
        return ""
    if kind == 1:
        return "".join(chr(rng.choice([8, 9, 10, 12, 13, 1, 31, 0, 34, 92, 47, 127, 0x2028]))
                       for _ in range(rng.randrange(1, 20)))
    if kind == 2:
        return "".join(chr(rng.choice([0xE9, 0x20AC, 0x1F600, 0x10FFFF, 0x41, 0x7FF, 0x800]))
                       for _ in range(rng.randrange(1, 15)))
    if kind == 3:
        return "x" * rng.randrange(100, 200)
    return "".join(rng.choice("abcdefgh.-_/ ") for _ in range(rng.randrange(1, 30)))


def integer(rng, bits, signed):
    low, high = (-(1 << bits - 1), (1 << bits - 1) - 1) if signed else (0, (1 << bits) - 1)
    return rng.choice([0, high, low, rng.randrange(0, 300), rng.randint(low, high),
                       max(low, min(high, 10 ** rng.randrange(0, 20) + rng.randrange(-1, 2)))])


def double(rng):
    special = [math.nan, math.inf, -math.inf, -0.0, 5e-324, 1.7976931348623157e308, 2.0**53, 2.0**63, 1e16, 1e23]
    return rng.choice([0.0, rng.choice(special), float(rng.randrange(-1000, 1000)), rng.random(),
                       rng.randrange(-10**6, 10**6) / 100])


def varint(value):
    return _VarintBytes(value & (1 << 64) - 1)


def field(number, wire_type, data):
    return varint(number << 3 | wire_type) + data


def delimited(number, data):
    return field(number, 2, varint(len(data)) + data)


def scalar(rng, kind):
    """The wire type and bytes of a number of a FieldDescriptor type."""
    if kind == 1:
        return 1, struct.pack("<d", double(rng))
    if kind in (6, 16):
        return 1, struct.pack("<Q", integer(rng, 64, kind == 16) & (1 << 64) - 1)
    if kind == 7:
        return 5, struct.pack("<I", integer(rng, 32, False))
    if kind == 17:
        value = integer(rng, 32, True)
        return 0, varint((value << 1 ^ value >> 31) & 0xFFFFFFFF)
    if kind == 14:
        return 0, varint(rng.choice([0, 1, 2, 3, 24, 77, integer(rng, 32, True)]))
    value = {3: lambda: integer(rng, 64, True), 4: lambda: integer(rng, 64, False),
             5: lambda: integer(rng, 32, True), 8: lambda: rng.randrange(2),
             13: lambda: integer(rng, 32, False)}[kind]()
    return 0, varint(value)


def random_message(rng, descriptor, scrambled, depth=0):
    chosen, oneofs = [], {}
    for item in descriptor.fields:
        oneof = item.containing_oneof
        if oneof is not None and len(oneof.fields) > 1:
            oneofs.setdefault(oneof.name, []).append(item)
        else:
            chosen.append(item)
    for members in oneofs.values():
        chosen += rng.sample(members, 2 if scrambled and rng.random() < 0.3 else 1)
    if scrambled:
        chosen += [rng.choice(chosen) for _ in range(rng.randrange(0, 3))]
        rng.shuffle(chosen)
    else:
        chosen.sort(key=lambda item: item.number)
    parts = []
    for item in chosen:
        if rng.random() > (0.5 if depth > 5 else 0.8) or depth > 14 and item.message_type:
            continue
        count = rng.choice([1, 1, 2, 3]) if item.is_repeated and depth > 0 else 1
        if item.message_type:
            parts += [delimited(item.number, random_message(rng, item.message_type, scrambled, depth + 1))
                      for _ in range(count)]
        elif item.type == 9:
            parts += [delimited(item.number, text(rng).encode()) for _ in range(count)]
        elif item.type == 12:
            length = ID_LENGTHS.get(item.name, rng.randrange(0, 20))
            parts.append(delimited(item.number, rng.randbytes(length)))
        elif item.is_repeated:
            values = [scalar(rng, item.type) for _ in range(rng.randrange(0, 5))]
            if scrambled and rng.random() < 0.5:
                parts += [field(item.number, *value) for value in values]
            elif values or scrambled:
                parts.append(delimited(item.number, b"".join(data for _, data in values)))
        else:
            parts.append(field(item.number, *scalar(rng, item.type)))
        if scrambled and rng.random() < 0.1:
            parts.append(rng.choice([field(100, 0, varint(5)), delimited(31, b"unknown"),
                                     field(25, 1, b"12345678"), field(3000, 5, b"1234")]))
    if scrambled:
        rng.shuffle(parts)
    return b"".join(parts)


def save(name, signal, data):
    folder = os.path.dirname(os.path.abspath(__file__))
    with open(os.path.join(folder, f"{name}-{signal}.pb"), "wb") as file:
        file.write(data)
    with open(os.path.join(folder, f"{name}-{signal}.json"), "w", encoding="utf-8") as file:
        file.write(to_json(signal, data) + "\n")


def main():
    for path in sys.argv[1:]:
        signal = os.path.basename(path).split("-")[0]
        with open(path, "rb") as file:
            save("captured", signal, file.read())
    for kind in ("plain", "scrambled"):
        for signal, request in REQUESTS.items():
            kept, seed = 0, 0
            while kept < 3:
                data = random_message(random.Random(f"{kind} {signal} {seed}"), request.DESCRIPTOR,
                                      kind == "scrambled")
                if kind == "plain":
                    # Without default values, which encoders do not write.
                    data = request.FromString(data).SerializeToString()
                seed += 1
                if 1500 < len(data) < 2600:
                    save(f"{kind}-{kept}", signal, data)
                    kept += 1


if __name__ == "__main__":
    main()
