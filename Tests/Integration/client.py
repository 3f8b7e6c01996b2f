"""Plain OTLP clients that send given bytes, and say exactly what came back."""

from __future__ import annotations

import gzip
import http.client
import zlib
from dataclasses import dataclass
from urllib.parse import urlsplit

import cramjam
import grpc
from google.rpc import error_details_pb2, status_pb2
from google.protobuf import json_format

import otlp

PROTO = "application/x-protobuf"
JSON = "application/json"

ENCODERS = {
    "gzip": gzip.compress,
    "zstd": lambda data: bytes(cramjam.zstd.compress(data)),
    "snappy": lambda data: bytes(cramjam.snappy.compress_raw(data)),
    "x-snappy-framed": lambda data: bytes(cramjam.snappy.compress(data)),
    "deflate": zlib.compress,
    "zlib": zlib.compress,
}


def decoded(encoding: str | None, data: bytes) -> bytes:
    match encoding or "identity":
        case "identity" | "none" | "":
            return data
        case "gzip":
            return gzip.decompress(data)
        case "zstd":
            return bytes(cramjam.zstd.decompress(data))
        case "snappy" | "x-snappy-framed":
            framed = data.startswith(b"\xff\x06\x00\x00sNaPpY")
            return bytes(cramjam.snappy.decompress(data) if framed else cramjam.snappy.decompress_raw(data))
        case "deflate" | "zlib":
            return zlib.decompress(data)
    raise ValueError(f"unknown encoding {encoding}")


@dataclass
class Answer:
    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def content_type(self) -> str:
        return self.headers.get("content-type", "").split(";")[0].strip()

    def error(self) -> status_pb2.Status:
        """The google.rpc.Status in the body, in the encoding that the answer names."""
        if self.content_type == JSON:
            return json_format.Parse(self.body, status_pb2.Status())
        assert self.content_type == PROTO, f"{self.status} with content type {self.content_type!r}: {self.body[:200]}"
        return status_pb2.Status.FromString(self.body)

    def response(self, signal: str):
        """The Export…ServiceResponse in the body."""
        message = otlp.RESPONSE[signal]()
        if self.content_type == JSON:
            return json_format.Parse(self.body, message)
        assert self.content_type == PROTO, self.content_type
        message.ParseFromString(self.body)
        return message


def request(
    base: str, path: str, body: bytes = b"", *, method: str = "POST", content_type: str | None = PROTO,
    headers: dict | None = None, timeout: float = 30, connection: http.client.HTTPConnection | None = None,
) -> Answer:
    url = urlsplit(base)
    own = connection is None
    connection = connection or http.client.HTTPConnection(url.hostname, url.port, timeout=timeout)
    try:
        all_headers = dict(headers or {})
        if content_type is not None:
            all_headers["Content-Type"] = content_type
        connection.request(method, path, body, all_headers)
        reply = connection.getresponse()
        return Answer(reply.status, {key.lower(): value for key, value in reply.getheaders()}, reply.read())
    finally:
        if own:
            connection.close()


def post(base: str, signal: str, body: bytes, *, encoding: str | None = None, **options) -> Answer:
    headers = dict(options.pop("headers", None) or {})
    if encoding:
        headers["Content-Encoding"] = encoding
        body = ENCODERS[encoding](body)
    return request(base, otlp.PATH[signal], body, headers=headers, **options)


class GRPCClient:
    """Sends raw request bytes over one channel."""

    def __init__(self, target: str, compression=grpc.Compression.NoCompression):
        self.channel = grpc.insecure_channel(
            target, compression=compression,
            options=[("grpc.max_receive_message_length", -1), ("grpc.max_send_message_length", -1),
                     ("grpc.enable_retries", 0), ("grpc.use_local_subchannel_pool", 1)],
        )

    def send(self, signal: str, body: bytes, timeout: float = 30, metadata=None, method: str | None = None) -> bytes:
        call = self.channel.unary_unary(method or otlp.METHOD[signal])
        return call(body, timeout=timeout, metadata=metadata)

    def failure(self, signal: str, body: bytes, **options) -> Failure:
        """Sends what must fail."""
        try:
            reply = self.send(signal, body, **options)
        except grpc.RpcError as error:
            return Failure(error)
        raise AssertionError(f"answered OK: {reply!r}")

    def close(self):
        self.channel.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()


class Failure:
    """A gRPC error with its details."""

    def __init__(self, error: grpc.RpcError):
        self.code: grpc.StatusCode = error.code()
        self.message: str = error.details() or ""
        self.status = status_pb2.Status()
        for key, value in error.trailing_metadata() or ():
            if key == "grpc-status-details-bin":
                self.status.ParseFromString(value)

    @property
    def retry_after(self) -> float | None:
        """Seconds of the RetryInfo; None without one."""
        for detail in self.status.details:
            info = error_details_pb2.RetryInfo()
            if detail.Unpack(info):
                return info.retry_delay.ToTimedelta().total_seconds()
        return None

    def __repr__(self):
        return f"{self.code} {self.message!r} retry after {self.retry_after}"
