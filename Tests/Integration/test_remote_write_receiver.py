"""The prometheus_remote_write receiver: what the real Prometheus sends, and what a client of 2.0 is told."""

import json
import struct
import urllib.error
import urllib.request

import cramjam
import pytest
import yaml

from millrace import Millrace, Pipeline, command, free_port, until
from stack_servers import NodeExporter, Prometheus



class RemoteWritePipeline(Pipeline):
    """Remote write into a file, one line per batch."""

    def __init__(self, path, **settings):
        super().__init__({"file": {"path": str(path)}}, signals=("metrics",), **settings)
        self.remote_write = free_port()

    def document(self):
        document = super().document()
        document["receivers"]["prometheus_remote_write"] = {"endpoint": f"127.0.0.1:{self.remote_write}"}
        document["service"]["pipelines"]["metrics"]["receivers"].append("prometheus_remote_write")
        return document


@pytest.fixture
def receiver(tmp_path):
    millrace = Millrace(RemoteWritePipeline(tmp_path / "out.json"), tmp_path / "millrace")
    yield millrace
    millrace.kill()


def text(value) -> str:
    return value["stringValue"]


def series(path) -> dict:
    """The samples in the file by the labels of their series, in the order of arrival: (milliseconds, value)."""
    found = {}
    for line in path.read_text().splitlines():
        for resource in json.loads(line)["resourceMetrics"]:
            attributes = {a["key"]: text(a["value"]) for a in resource["resource"].get("attributes", [])}
            base = {}
            if "service.name" in attributes:
                namespace = attributes.get("service.namespace")
                base["job"] = (namespace + "/" if namespace else "") + attributes["service.name"]
            if "service.instance.id" in attributes:
                base["instance"] = attributes["service.instance.id"]
            for scope in resource["scopeMetrics"]:
                for metric in scope["metrics"]:
                    data = metric.get("gauge") or metric.get("sum")
                    for point in data["dataPoints"]:
                        labels = {"__name__": metric["name"], **base}
                        labels |= {a["key"]: text(a["value"]) for a in point.get("attributes", [])}
                        value = None if point.get("flags") else float(point["asDouble"])
                        found.setdefault(frozenset(labels.items()), []).append(
                            (int(point["timeUnixNano"]) // 1_000_000, value))
    return found


def test_what_prometheus_sends_is_what_prometheus_has(tmp_path, receiver):
    with NodeExporter(tmp_path) as node:
        config = {
            "global": {"scrape_interval": "1s"},
            "scrape_configs": [
                {"job_name": "shop/node", "static_configs": [{"targets": [node.address]}]},
            ],
            "remote_write": [
                {"url": f"http://127.0.0.1:{receiver.pipeline.remote_write}/api/v1/write",
                 "metadata_config": {"send_interval": "1s"}},
            ],
        }
        with Prometheus(tmp_path / "prometheus", config) as prometheus:
            path = tmp_path / "out.json"
            up = frozenset({"__name__": "up", "job": "shop/node", "instance": node.address}.items())
            until(lambda: path.exists() and len(series(path).get(up, [])) >= 4, what="scrapes to arrive", timeout=60)
            node.stop()
            until(lambda: any(value == 0 for _, value in series(path).get(up, [])), what="the target to be down")
            until(
                lambda: any(value is None for samples in series(path).values() for _, value in samples),
                what="stale markers to arrive")
            at = max(time for samples in series(path).values() for time, _ in samples) / 1000
            expected = prometheus.samples('{__name__=~".+",job="shop/node"}', at, 600)
            received = series(path)
            assert set(received) == set(expected)
            assert len(received) > 300
            for labels, samples in expected.items():
                mine = [(time, value) for time, value in received[labels] if value is not None]
                assert [time for time, _ in mine] == sorted({time for time, _ in mine}), labels
                theirs = [(round(time * 1000), value) for time, value in samples]
                # The query and the file are not of the same instant.
                shared = min(len(mine), len(theirs))
                assert shared >= 3 and repr(mine[:shared]) == repr(theirs[:shared]), labels
    assert receiver.metrics().sum("millrace_receiver_rejected_series") == 0
    types = {
        metric["name"]: (sorted(set(metric) & {"gauge", "sum"}), text(metric["metadata"][0]["value"]))
        for line in path.read_text().splitlines()[-20:]
        for resource in json.loads(line)["resourceMetrics"]
        for scope in resource["scopeMetrics"] for metric in scope["metrics"]
    }
    assert types["node_cpu_seconds_total"] == (["sum"], "counter")
    assert types["node_load1"] == (["gauge"], "gauge")
    assert receiver.stop().is_balanced()


def varint(number: int) -> bytes:
    out = bytearray()
    while number > 0x7F:
        out.append(number & 0x7F | 0x80)
        number >>= 7
    return bytes([*out, number])


def field(number: int, content: bytes) -> bytes:
    return varint(number << 3 | 2) + varint(len(content)) + content


def request(*all_series: tuple[list[str], float]) -> bytes:
    """A 2.0 request written by hand: labels as a flat list of names and values, one sample each."""
    symbols, body = [""], b""
    for labels, value in all_series:
        refs = b""
        for label in labels:
            if label not in symbols:
                symbols.append(label)
            refs += varint(symbols.index(label))
        sample = b"\x09" + struct.pack("<d", value) + b"\x10" + varint(1_700_000_000_000)
        body += field(5, field(1, refs) + field(2, sample) + field(5, b"\x08\x01"))
    return b"".join(field(4, symbol.encode()) for symbol in symbols) + body


def send(millrace, body: bytes, content_type="application/x-protobuf;proto=io.prometheus.write.v2.Request"):
    call = urllib.request.Request(
        f"http://127.0.0.1:{millrace.pipeline.remote_write}/api/v1/write",
        bytes(cramjam.snappy.compress_raw(body)), method="POST", headers={
            "Content-Type": content_type, "Content-Encoding": "snappy", "X-Prometheus-Remote-Write-Version": "2.0.0"})
    try:
        with urllib.request.urlopen(call, timeout=10) as reply:
            return reply.status, reply.headers, reply.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, error.headers, error.read().decode()


def written(headers) -> list[str | None]:
    return [headers.get(f"X-Prometheus-Remote-Write-{kind}-Written") for kind in ("Samples", "Histograms", "Exemplars")]


def test_a_client_of_2_0_is_told_what_was_written(tmp_path, receiver):
    good = (["__name__", "jobs_total", "instance", "i", "job", "j"], 3.0)
    status, headers, _ = send(receiver, request(good))
    assert (status, written(headers)) == (204, ["1", "0", "0"])
    status, headers, body = send(receiver, request(good, (["job", "j"], 1.0), (["__name__", "x", "b", "1", "a", "2"], 1.0)))
    assert (status, written(headers)) == (400, ["1", "0", "0"])
    assert body == "2 series were not taken; series 2: the label __name__ is missing"
    assert send(receiver, b"\x2a\x7f")[0] == 400
    assert send(receiver, request(good), "application/x-protobuf;proto=prometheus.Unknown")[0] == 415
    assert receiver.metrics().sum("millrace_receiver_rejected_series") == 2
    labels = frozenset({"__name__": "jobs_total", "instance": "i", "job": "j"}.items())
    until(lambda: (tmp_path / "out.json").exists(), what="the file")
    sheet = receiver.stop()
    assert sheet.is_balanced()
    assert series(tmp_path / "out.json") == {labels: [(1_700_000_000_000, 3.0)] * 2}


def test_both_spellings_of_its_name_are_known(tmp_path):

    for name in ("prometheus_remote_write", "prometheusremotewrite"):
        path = tmp_path / f"{name}.yaml"
        path.write_text(yaml.dump({
            "receivers": {name: {}}, "exporters": {"nop": None},
            "service": {"pipelines": {"metrics": {"receivers": [name], "exporters": ["nop"]}}}}))
        assert command("check", str(path)).returncode == 0
