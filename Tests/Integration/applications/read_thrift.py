"""Reads a Jaeger batch in Thrift's binary protocol from standard input with PyPI's thrift module; writes it as JSON."""

import json
import sys

from opentelemetry.exporter.jaeger.thrift.gen.jaeger.ttypes import Batch
from thrift.protocol.TBinaryProtocol import TBinaryProtocol
from thrift.transport.TTransport import TMemoryBuffer

VALUE = ("vStr", "vDouble", "vBool", "vLong", "vBinary")


def tags(entries):
    found = {}
    for tag in entries or ():
        value = getattr(tag, VALUE[tag.vType])
        found[tag.key] = value.hex() if isinstance(value, bytes) else value
    return found


body = sys.stdin.buffer.read()
transport = TMemoryBuffer(body)
batch = Batch()
batch.read(TBinaryProtocol(transport))
batch.validate()
assert transport._buffer.tell() == len(body), "bytes behind the batch"
mask = (1 << 64) - 1
json.dump({
    "service": batch.process.serviceName,
    "process": tags(batch.process.tags),
    "spans": [
        {
            "trace": f"{span.traceIdHigh & mask:016x}{span.traceIdLow & mask:016x}",
            "span": f"{span.spanId & mask:016x}",
            "parent": f"{span.parentSpanId & mask:016x}" if span.parentSpanId else "",
            "name": span.operationName,
            "flags": span.flags,
            "start": span.startTime,
            "duration": span.duration,
            "tags": tags(span.tags),
            "logs": [[log.timestamp, tags(log.fields)] for log in span.logs or ()],
            "references": [
                [reference.refType, f"{reference.traceIdHigh & mask:016x}{reference.traceIdLow & mask:016x}",
                 f"{reference.spanId & mask:016x}"]
                for reference in span.references or ()
            ],
        }
        for span in batch.spans
    ],
}, sys.stdout)
