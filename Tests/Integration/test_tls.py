"""TLS and mTLS with certificates of an authority of our own: other implementations against the binary, both ways."""

import http.client
import shutil
import ssl
import subprocess
import urllib.error
import urllib.request

import grpc
import pytest
import yaml

import otlp
import payloads
from backends import GRPCBackend, HTTPBackend
from client import GRPCClient
from millrace import Pipeline, command, free_port, until
from test_faults import FAST_RETRY


class Certificates:
    """Files made with the `openssl` command: `certificates["ca.pem"]`."""

    def __init__(self, folder):
        self.folder = folder
        for name in ("ca", "other"):
            self.openssl("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes",
                         "-days", "30", "-subj", f"/CN=Test {name}", "-keyout", self[f"{name}.key"],
                         "-out", self[f"{name}.pem"])
        self.issue("server", 16)
        self.issue("renewed", 17)
        self.issue("expired", 18, days=-1)
        self.issue("elsewhere", 19, names="DNS:elsewhere.test")
        self.issue("client", 20, names="DNS:client.test")
        self.issue("stranger", 21, names="DNS:localhost,IP:127.0.0.1", by="other")

    def __getitem__(self, name: str) -> str:
        return str(self.folder / name)

    def bytes(self, name: str) -> bytes:
        return (self.folder / name).read_bytes()

    def issue(self, name, serial, names="DNS:localhost,IP:127.0.0.1", days=30, by="ca"):
        self.openssl("req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes",
                     "-subj", f"/CN={name}", "-keyout", self[f"{name}.key"], "-out", self[f"{name}.csr"])
        (self.folder / f"{name}.ext").write_text(f"subjectAltName={names}")
        self.openssl("x509", "-req", "-in", self[f"{name}.csr"], "-CA", self[f"{by}.pem"], "-CAkey",
                     self[f"{by}.key"], "-set_serial", str(serial), "-days", str(days), "-extfile",
                     self[f"{name}.ext"], "-out", self[f"{name}.pem"])

    def install(self, name: str, target: str):
        """Puts copies where a renewal would: each file in one step."""
        for kind in ("pem", "key"):
            shutil.copy(self[f"{name}.{kind}"], self[f"{target}.{kind}.new"])
            (self.folder / f"{target}.{kind}.new").rename(self[f"{target}.{kind}"])

    def pair(self, name: str) -> dict:
        return {"cert_file": self[f"{name}.pem"], "key_file": self[f"{name}.key"]}

    @staticmethod
    def openssl(*arguments: str):
        subprocess.run(["openssl", *arguments], check=True, capture_output=True, stdin=subprocess.DEVNULL)


@pytest.fixture(scope="module")
def certificates(tmp_path_factory):
    return Certificates(tmp_path_factory.mktemp("certificates"))


def channel_credentials(certificates, ca="ca", client=None):
    return grpc.ssl_channel_credentials(
        certificates.bytes(f"{ca}.pem"), *(
            (certificates.bytes(f"{client}.key"), certificates.bytes(f"{client}.pem")) if client else ()))


class SecureGRPCClient(GRPCClient):
    def __init__(self, port: int, credentials):
        self.channel = grpc.secure_channel(
            f"localhost:{port}", credentials,
            options=[("grpc.enable_retries", 0), ("grpc.use_local_subchannel_pool", 1)])


def ssl_context(certificates, ca="ca", client=None, maximum=None) -> ssl.SSLContext:
    context = ssl.create_default_context(cafile=certificates[f"{ca}.pem"])
    if client:
        context.load_cert_chain(certificates[f"{client}.pem"], certificates[f"{client}.key"])
    if maximum:
        context.maximum_version = maximum
    return context


def post_securely(port: int, context: ssl.SSLContext, body: bytes) -> int:
    request = urllib.request.Request(
        f"https://localhost:{port}{otlp.PATH['traces']}", body, {"Content-Type": "application/x-protobuf"})
    with urllib.request.urlopen(request, timeout=20, context=context) as reply:
        return reply.status


def test_other_clients_send_over_tls_and_the_wrong_ones_are_kept_out(start, certificates, http_backend):
    tls = {**certificates.pair("server"), "client_ca_file": certificates["ca.pem"], "min_version": "1.3"}
    millrace = start(
        {"otlp_http": {"endpoint": http_backend.endpoint}}, signals=("traces",),
        grpc_settings={"tls": tls}, http_settings={"tls": tls})
    grpc_port, http_port = millrace.pipeline.grpc, millrace.pipeline.http

    with SecureGRPCClient(grpc_port, channel_credentials(certificates, client="client")) as client:
        client.send("traces", payloads.spans(0, 5).SerializeToString())
    body = payloads.spans(5, 5).SerializeToString()
    assert post_securely(http_port, ssl_context(certificates, client="client"), body) == 200
    until(lambda: http_backend.count("traces") == 10, what="what was sent over TLS")

    for ca, certificate in (("ca", None), ("ca", "stranger"), ("other", "client")):
        with SecureGRPCClient(grpc_port, channel_credentials(certificates, ca, certificate)) as client:
            assert client.failure("traces", body, timeout=10).code == grpc.StatusCode.UNAVAILABLE
        with pytest.raises((urllib.error.URLError, OSError)):
            post_securely(http_port, ssl_context(certificates, ca, certificate), body)
    old = ssl_context(certificates, client="client", maximum=ssl.TLSVersion.TLSv1_2)
    with pytest.raises((urllib.error.URLError, OSError)):
        post_securely(http_port, old, body)
    with GRPCClient(f"localhost:{grpc_port}") as plain:
        assert plain.failure("traces", body, timeout=10).code == grpc.StatusCode.UNAVAILABLE
    with pytest.raises(urllib.error.HTTPError) as refused:
        urllib.request.urlopen(f"http://localhost:{http_port}/v1/traces", body, timeout=20)
    assert refused.value.code == 400 and b"use https://" in refused.value.read()

    refusals = millrace.metrics()
    for transport, least in (("grpc", 4), ("http", 5)):
        assert refusals.sum(
            "millrace_server_refusals", transport=transport, reason="tls_handshake") >= least, refusals.text
    sheet = millrace.stop()
    assert sheet.items("traces", "received") == 10 and sheet.is_balanced()


def test_a_renewed_certificate_is_shown_while_open_connections_go_on(start, certificates, http_backend):
    certificates.install("server", "changing")
    tls = {**certificates.pair("changing"), "reload_interval": "100ms"}
    millrace = start(
        {"otlp_http": {"endpoint": http_backend.endpoint}}, signals=("traces",),
        grpc_settings={"tls": tls}, http_settings={"tls": tls})

    def serial(port: int) -> str:
        shown = ssl.get_server_certificate(("127.0.0.1", port))
        return subprocess.run(
            ["openssl", "x509", "-noout", "-serial"], input=shown, capture_output=True, text=True, check=True
        ).stdout.strip()

    assert serial(millrace.pipeline.http) == "serial=10"
    context = ssl_context(certificates)
    connection = http.client.HTTPSConnection("localhost", millrace.pipeline.http, context=context, timeout=20)

    def send(first: int):
        connection.request(
            "POST", otlp.PATH["traces"], payloads.spans(first, 5).SerializeToString(),
            {"Content-Type": "application/x-protobuf"})
        reply = connection.getresponse()
        assert reply.status == 200 and reply.read() is not None

    with SecureGRPCClient(millrace.pipeline.grpc, channel_credentials(certificates)) as client:
        send(0)
        client.send("traces", payloads.spans(5, 5).SerializeToString())
        socket = connection.sock
        certificates.install("renewed", "changing")
        until(lambda: serial(millrace.pipeline.http) == "serial=11", what="the renewed certificate")
        send(10)
        assert connection.sock is socket
        client.send("traces", payloads.spans(15, 5).SerializeToString())
    connection.close()
    until(lambda: http_backend.count("traces") == 20, what="everything")
    assert any("TLS certificates were renewed" in record.get("msg", record.get("message", ""))
               for record in millrace.log_records)
    assert millrace.stop().is_balanced()


class SecureHTTPBackend(HTTPBackend):
    def __init__(self, context: ssl.SSLContext):
        super().__init__()
        self.server.socket = context.wrap_socket(self.server.socket, server_side=True)

    @property
    def endpoint(self) -> str:
        return f"https://localhost:{self.port}"


class SecureGRPCBackend(GRPCBackend):
    def __init__(self, credentials):
        self.credentials = credentials
        super().__init__()

    @property
    def endpoint(self) -> str:
        return f"localhost:{self.port}"


@pytest.fixture
def backends(certificates):
    """Functions that start backends with a certificate, with or without asking for one."""
    started = []

    def web(name: str, asks=False):
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificates[f"{name}.pem"], certificates[f"{name}.key"])
        if asks:
            context.verify_mode = ssl.CERT_REQUIRED
            context.load_verify_locations(certificates["ca.pem"])
        started.append(SecureHTTPBackend(context))
        return started[-1]

    def rpc(name: str, asks=False):
        pair = (certificates.bytes(f"{name}.key"), certificates.bytes(f"{name}.pem"))
        started.append(SecureGRPCBackend(grpc.ssl_server_credentials(
            [pair], certificates.bytes("ca.pem") if asks else None, asks)))
        return started[-1]

    yield {"otlp_http": web, "otlp_grpc": rpc}
    for backend in started:
        backend.stop()


def sends(start, kind: str, endpoint: str, tls: dict):
    """A process that was given five spans for one backend."""
    millrace = start({kind: {"endpoint": endpoint, "tls": tls, "retry_on_failure": FAST_RETRY}}, signals=("traces",))
    with GRPCClient(millrace.grpc) as client:
        client.send("traces", payloads.spans(0, 5).SerializeToString())
    return millrace


@pytest.mark.parametrize("kind", ["otlp_grpc", "otlp_http"])
def test_exporters_send_over_tls_to_other_servers(start, certificates, backends, kind):
    plain = backends[kind]("server")
    millrace = sends(start, kind, plain.endpoint, {"ca_file": certificates["ca.pem"]})
    until(lambda: plain.count("traces") == 5, what="what was sent over TLS")
    assert millrace.stop().is_balanced()
    mutual = backends[kind]("server", asks=True)
    tls = {"ca_file": certificates["ca.pem"], **certificates.pair("client")}
    millrace = sends(start, kind, mutual.endpoint, tls)
    until(lambda: mutual.count("traces") == 5, what="what was sent over mTLS")
    assert millrace.stop().is_balanced()
    elsewhere = backends[kind]("elsewhere")
    tls = {"ca_file": certificates["ca.pem"], "server_name_override": "elsewhere.test"}
    millrace = sends(start, kind, elsewhere.endpoint, tls)
    until(lambda: elsewhere.count("traces") == 5, what="what was sent under another name")
    assert millrace.stop().is_balanced()


@pytest.mark.parametrize("kind", ["otlp_grpc", "otlp_http"])
@pytest.mark.parametrize(
    "shown, asks, ca, words", [
        ("server", False, "other", "unknown authority"),
        ("expired", False, "ca", "it expired on"),
        ("elsewhere", False, "ca", "another host"),
        ("server", True, "ca", "client certificate"),
    ])
def test_exporters_say_why_tls_failed(start, certificates, backends, kind, shown, asks, ca, words):
    backend = backends[kind](shown, asks=asks)
    millrace = sends(start, kind, backend.endpoint, {"ca_file": certificates[f"{ca}.pem"]})
    until(lambda: words in millrace.logs, what=f"\"{words}\" in the log")
    assert backend.count("traces") == 0
    millrace.kill()


def test_files_that_cannot_be_used_are_named_at_the_start_and_not_read_by_check(certificates, tmp_path):
    pipeline = Pipeline(
        {"debug": {}}, grpc_settings={"tls": {**certificates.pair("server"), "key_file": certificates["client.key"]}})
    file = tmp_path / "config.yaml"
    file.write_text(pipeline.text())
    assert command("check", str(file)).returncode == 0
    run = command("run", str(file))
    assert run.returncode != 0
    assert "tls.key_file" in run.stdout + run.stderr
    assert "does not belong to the certificate" in run.stdout + run.stderr


def test_check_warns_of_listeners_that_others_reach_in_plaintext(tmp_path):
    port = free_port()
    document = {
        "receivers": {"otlp": {"protocols": {"grpc": {"endpoint": f"0.0.0.0:{port}"}}}},
        "exporters": {"debug": {}},
        "service": {"pipelines": {"traces": {"receivers": ["otlp"], "exporters": ["debug"]}}},
    }
    file = tmp_path / "config.yaml"
    file.write_text(yaml.safe_dump(document))
    check = command("check", str(file))
    assert check.returncode == 0
    assert f"0.0.0.0:{port} is reachable from other machines in plaintext" in check.stdout + check.stderr
    reader = {"pull": {"exporter": {"prometheus": {"host": "0.0.0.0"}}}}
    document["service"]["telemetry"] = {"metrics": {"readers": [reader]}}
    file.write_text(yaml.safe_dump(document))
    check = command("check", str(file))
    assert check.returncode == 0 and "own metrics can be read from other machines" in check.stdout + check.stderr
