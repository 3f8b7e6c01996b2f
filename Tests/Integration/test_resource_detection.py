"""resource_detection against metadata services on loopback, through the real binary; and groupbyattrs behind it."""

import json
import subprocess
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

import otlp
from client import GRPCClient
from millrace import BINARY, Pipeline, free_port

DOCUMENT = {
    "accountId": "123456789012", "availabilityZone": "eu-west-1b", "imageId": "ami-1", "instanceId": "i-1",
    "instanceType": "t2.micro", "region": "eu-west-1",
}


@pytest.fixture
def instance_metadata():
    """The metadata service of an EC2 instance that insists on tokens."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def answer(self, status: int, text: str = ""):
            self.send_response(status)
            self.send_header("Content-Length", str(len(text)))
            self.end_headers()
            self.wfile.write(text.encode())

        def do_PUT(self):
            self.answer(200 if "x-aws-ec2-metadata-token-ttl-seconds" in self.headers else 400, "secret-token")

        def do_GET(self):
            if self.headers.get("x-aws-ec2-metadata-token") != "secret-token":
                return self.answer(401)
            texts = {
                "/latest/dynamic/instance-identity/document": json.dumps(DOCUMENT),
                "/latest/meta-data/hostname": "ip-10-0-0-1.internal",
            }
            self.answer(200 if self.path in texts else 404, texts.get(self.path, ""))

        def log_message(self, *_):
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_address[1]}"
    server.shutdown()
    server.server_close()


def attributes(message) -> dict:
    return {pair.key: pair.value.string_value or pair.value.int_value for pair in message.attributes}


def test_every_signal_gets_what_was_found(start, http_backend, instance_metadata):
    millrace = start(
        {"otlp_http": {"endpoint": f"http://127.0.0.1:{http_backend.port}"}},
        {"resource_detection": {"detectors": ["env", "ec2"], "override": False}, "groupbyattrs": None},
        env={
            "AWS_EC2_METADATA_SERVICE_ENDPOINT": instance_metadata,
            "OTEL_RESOURCE_ATTRIBUTES": "deployment.environment.name=staging,host.name=mine,team=a%2Cb",
        })
    captured = otlp.captures()
    with GRPCClient(millrace.grpc) as client:
        for _, signal, body in captured:
            client.send(signal, body)
    assert millrace.stop().is_balanced()
    for signal in ("traces", "metrics", "logs"):
        sent = otlp.count(signal, *(otlp.decode(signal, body) for _, kind, body in captured if kind == signal))
        assert http_backend.count(signal) == sent > 0
        for message in http_backend.messages(signal):
            for resource in otlp._groups(message):
                found = attributes(resource.resource)
                assert found["cloud.platform"] == "aws_ec2"
                assert found["cloud.region"] == "eu-west-1"
                assert found["host.id"] == "i-1"
                assert found["team"] == "a,b"
                assert found["host.name"] == "mine"
                assert "service.name" in found
    assert "secret-token" not in millrace.logs


def test_without_the_metadata_that_must_be_there_it_does_not_start(tmp_path):
    config = tmp_path / "config.yaml"
    config.write_text(Pipeline(
        {"nop": None}, {"resource_detection": {
            "detectors": ["ec2"], "timeout": "1500ms", "fail_on_missing_metadata": True}}).text())
    result = subprocess.run(
        [str(BINARY), "run", str(config)], capture_output=True, text=True, timeout=60, stdin=subprocess.DEVNULL,
        env={"AWS_EC2_METADATA_SERVICE_ENDPOINT": f"http://127.0.0.1:{free_port()}"})
    assert result.returncode == 1
    assert "processor resource_detection" in result.stderr + result.stdout
    assert "the resource was not detected: ec2:" in result.stderr + result.stdout


def test_groupbyattrs_moves_what_services_have_in_common(start, http_backend):
    millrace = start(
        {"otlp_http": {"endpoint": f"http://127.0.0.1:{http_backend.port}"}},
        {"groupbyattrs": {"keys": ["http.request.method", "http.method", "log.level"]}})
    captured = otlp.captures()
    with GRPCClient(millrace.grpc) as client:
        for _, signal, body in captured:
            client.send(signal, body)
    counted = millrace.metrics()
    assert millrace.stop().is_balanced()
    assert counted.sum("otelcol_processor_groupbyattrs_num_grouped_spans") > 0
    for signal in ("traces", "metrics", "logs"):
        sent = [otlp.decode(signal, body) for _, kind, body in captured if kind == signal]
        assert http_backend.count(signal) == otlp.count(signal, *sent)
    for message in http_backend.messages("traces"):
        for resource in message.resource_spans:
            for scope in resource.scope_spans:
                for span in scope.spans:
                    assert "http.method" not in attributes(span)
