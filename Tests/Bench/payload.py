"""Export requests as load: 100 spans or log records of ten attributes, about 368 bytes each, written field by field."""
import random
import struct

ITEMS = 100
TEXTS = (
    ("http.request.method", "GET"), ("url.scheme", "https"), ("server.address", "shop.example"),
    ("http.route", "/orders/{id}"), ("network.type", "ipv4"), ("client.address", "10.0.0.7"),
    ("user_agent.original", "curl/8"),
)
NUMBERS = (("http.response.status_code", 200), ("server.port", 443))
START = 1_780_000_000_000_000_000


def varint(value):
    encoded = bytearray()
    while value >= 0x80:
        encoded.append(value & 0x7F | 0x80)
        value >>= 7
    encoded.append(value)
    return bytes(encoded)


def field(number, payload):
    if isinstance(payload, str):
        payload = payload.encode()
    return varint(number << 3 | 2) + varint(len(payload)) + payload


def integer(number, value):
    return varint(number << 3) + varint(value)


def fixed64(number, value):
    return varint(number << 3 | 1) + struct.pack("<Q", value)


def attribute(number, key, value):
    any_value = field(1, value) if isinstance(value, str) else integer(3, value)
    return field(number, field(1, key) + field(2, any_value))


def attributes(number, position):
    pairs = TEXTS + (("url.path", f"/orders/{position}"),) + NUMBERS
    return b"".join(attribute(number, key, value) for key, value in pairs)


def request(items):
    resource = field(1, attribute(1, "service.name", "checkout") + attribute(1, "host.name", "host-17"))
    scope = field(1, field(1, "io.opentelemetry.http") + field(2, "1.0"))
    return field(1, resource + field(2, scope + b"".join(field(2, item) for item in items)))


def traces(spans=ITEMS):
    """An `ExportTraceServiceRequest`."""
    numbers = random.Random(1)

    def span(position):
        start = START + position * 1000
        return (field(1, numbers.randbytes(16)) + field(2, numbers.randbytes(8)) + field(4, numbers.randbytes(8))
                + field(5, "GET /orders/{id}") + integer(6, 2) + fixed64(7, start)
                + fixed64(8, start + 1_000_000) + attributes(9, position) + field(15, integer(3, 1)))
    return request(span(position) for position in range(spans))


def logs():
    """An `ExportLogsServiceRequest`."""
    numbers = random.Random(2)

    def record(position):
        time = START + position * 1000
        return (fixed64(1, time) + integer(2, 9) + field(3, "INFO") + field(5, field(1, "order was paid"))
                + attributes(6, position) + field(9, numbers.randbytes(16)) + field(10, numbers.randbytes(8))
                + fixed64(11, time))
    return request(record(position) for position in range(ITEMS))


def grpc(message):
    """The message as gRPC sends it: uncompressed, with its length in front."""
    return struct.pack(">BI", 0, len(message)) + message
