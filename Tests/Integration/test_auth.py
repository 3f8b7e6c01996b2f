"""Who may send, and what is sent along: with real clients, token endpoints and backends."""

from __future__ import annotations

import base64
import json
import threading
import urllib.parse
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import grpc
import pytest
import yaml

import payloads
from backends import Refusal, Reply
from client import GRPCClient, post
from millrace import command, until

# bcrypt of "hunter2-password", cost 5.
HASH = "$2b$05$UcVmAL4TTi1A3vhOSXOSee9bRG4ovxd.d5mjlq7mr33Ttd5YXIHKy"
PASSWORD = "hunter2-password"
TOKEN = "t0ken-that-nobody-may-see"
SECRETS = (PASSWORD, TOKEN, HASH, "wrong-token-of-a-client", "cl1ent-s3cret", "issued-token")
LOGS = payloads.logs().SerializeToString()


def basic(user: str, password: str) -> str:
    return "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()


def servers(authenticator: str) -> dict:
    auth = {"auth": {"authenticator": authenticator}}
    return {"grpc_settings": auth, "http_settings": auth}


def status(millrace, authorization: str | None) -> tuple[int, grpc.StatusCode]:
    """What HTTP and gRPC answer to a sender with this header."""
    headers = {"Authorization": authorization} if authorization is not None else {}
    answer = post(millrace.http, "logs", LOGS, headers=headers)
    with GRPCClient(millrace.grpc) as client:
        try:
            client.send("logs", LOGS, metadata=[(key.lower(), value) for key, value in headers.items()])
            return answer.status, grpc.StatusCode.OK
        except grpc.RpcError as error:
            return answer.status, error.code()


ALLOWED = (200, grpc.StatusCode.OK)
DENIED = (401, grpc.StatusCode.UNAUTHENTICATED)


def expect_no_secrets(text: str):
    for secret in SECRETS:
        # Its encoded form neither.
        for form in (secret, base64.b64encode(secret.encode()).decode().rstrip("=")):
            assert form not in text, f"{secret} was shown"


def refusals(millrace) -> float:
    return millrace.metrics().sum("millrace_server_refusals_total", reason="authentication") or millrace.metrics().sum(
        "millrace_server_refusals", reason="authentication"
    )


def test_bearer_tokens(start, tmp_path):
    """A token of the file lets in; a new file takes over while running; failures are answered, counted and logged."""
    tokens = tmp_path / "tokens"
    tokens.write_text(f"{TOKEN}\n")
    millrace = start(
        {"nop": {}}, extensions={"bearertokenauth": {"filename": str(tokens)}}, **servers("bearertokenauth"),
    )
    assert status(millrace, f"Bearer {TOKEN}") == ALLOWED
    for wrong in (None, "Bearer wrong-token-of-a-client", f"Basic {TOKEN}", f"Bearer {TOKEN}x", ""):
        assert status(millrace, wrong) == DENIED
    answer = post(millrace.http, "logs", LOGS)
    assert answer.headers["www-authenticate"] == 'Bearer realm="millrace"'
    assert answer.error().code == grpc.StatusCode.UNAUTHENTICATED.value[0]
    assert "missing" in answer.error().message
    assert refusals(millrace) == 11

    tokens.write_text("another-token\n")
    until(lambda: status(millrace, "Bearer another-token") == ALLOWED, what="the new token to be taken")
    assert status(millrace, f"Bearer {TOKEN}") == DENIED

    sheet = millrace.stop()
    assert sheet.is_balanced()
    failures = [record for record in millrace.log_records if "failed to authenticate" in json.dumps(record)]
    # Limited in rate: one line per protocol, and not one per request.
    assert 2 <= len(failures) <= 6
    assert all("127.0.0.1:" in json.dumps(record) for record in failures)
    expect_no_secrets(millrace.logs)


def test_basic_auth(start, tmp_path):
    """bcrypt from a file and from the configuration; wrong passwords and unknown users get the same answer."""
    htpasswd = tmp_path / "htpasswd"
    htpasswd.write_text(f"# senders\nann:{HASH}\n")
    # `$` of the hash is doubled: a single one begins a reference.
    inline = f"bob:{HASH}\n".replace("$", "$$")
    millrace = start(
        {"nop": {}}, extensions={"basicauth": {"htpasswd": {"file": str(htpasswd), "inline": inline}}},
        **servers("basicauth"),
    )
    for user in ("ann", "bob"):
        assert status(millrace, basic(user, PASSWORD)) == ALLOWED
        assert status(millrace, basic(user, "wrong")) == DENIED
    assert status(millrace, basic("eve", PASSWORD)) == DENIED
    answers = {post(millrace.http, "logs", LOGS, headers={"Authorization": basic(*who)}).body
               for who in (("ann", "wrong"), ("eve", PASSWORD))}
    assert len(answers) == 1
    assert post(millrace.http, "logs", LOGS).headers["www-authenticate"].startswith("Basic realm=")

    htpasswd.write_text(f"carl:{HASH}\n")
    until(lambda: status(millrace, basic("carl", PASSWORD)) == ALLOWED, what="the new user to be let in")
    assert status(millrace, basic("ann", PASSWORD)) == DENIED
    assert millrace.stop().is_balanced()
    expect_no_secrets(millrace.logs)


def test_a_large_body_does_not_eat_the_answer(start):
    millrace = start(
        {"nop": {}}, extensions={"bearertokenauth": {"token": TOKEN}}, **servers("bearertokenauth"))
    for _ in range(5):
        assert post(millrace.http, "logs", b"\0" * (8 << 20)).status == 401
        with GRPCClient(millrace.grpc) as client:
            assert client.failure("logs", b"\0" * (3 << 20)).code == grpc.StatusCode.UNAUTHENTICATED


def test_clients_send_credentials(start, http_backend, grpc_backend, tmp_path):
    """Both exporters send what their authenticators say; the backends refuse anything else."""
    password = tmp_path / "password"
    password.write_text(f"{PASSWORD}\n")

    def http_answer(received):
        return None if received.headers.get("authorization") == basic("ann", PASSWORD) else Reply(401)

    def grpc_answer(received):
        if received.headers.get("authorization") != f"Bearer {TOKEN}":
            raise Refusal(grpc.StatusCode.UNAUTHENTICATED)

    http_backend.answer, grpc_backend.answer = http_answer, grpc_answer
    millrace = start(
        {
            "otlp_http": {"endpoint": http_backend.endpoint, "auth": {"authenticator": "basicauth"}},
            "otlp_grpc": {
                "endpoint": grpc_backend.endpoint, "tls": {"insecure": True},
                "auth": {"authenticator": "bearertokenauth"},
            },
        },
        extensions={
            "basicauth": {"client_auth": {"username": "ann", "password_file": str(password)}},
            "bearertokenauth": {"token": TOKEN},
        },
    )
    assert post(millrace.http, "logs", LOGS).status == 200
    sheet = millrace.stop()
    assert http_backend.count("logs") == grpc_backend.count("logs") > 0
    assert sheet.is_balanced()
    expect_no_secrets(millrace.logs)


def test_headers_pass_through(start, http_backend):
    """The tenant of a request is that of the export; the token is added by another authenticator."""
    millrace = start(
        {"otlp_http": {"endpoint": http_backend.endpoint, "auth": {"authenticator": "headers_setter"}}},
        http_settings={"include_metadata": True},
        # Listed before what it works with.
        extensions={
            "headers_setter": {
                "headers": [
                    {"key": "X-Scope-OrgID", "from_context": "x-tenant", "default_value": "nobody"},
                    {"action": "insert", "key": "X-Fixed", "value": "fixed"},
                ],
                "additional_auth": "bearertokenauth",
            },
            "bearertokenauth": {"token": TOKEN},
        },
    )
    for tenant in ("one", "two", None):
        post(millrace.http, "logs", LOGS, headers={"X-Tenant": tenant} if tenant else {})
    millrace.stop()
    assert sorted(r.headers["x-scope-orgid"] for r in http_backend.requests) == ["nobody", "one", "two"]
    assert {r.headers["x-fixed"] for r in http_backend.requests} == {"fixed"}
    assert {r.headers["authorization"] for r in http_backend.requests} == {f"Bearer {TOKEN}"}
    expect_no_secrets(millrace.logs)


def test_who_sent_it_becomes_an_attribute(start, http_backend):
    """The client's address and user are set on what it sent, without the headers being kept; passwords are not."""
    auth = {"auth": {"authenticator": "basicauth"}}
    actions = [
        {"key": "peer", "action": "insert", "from_context": "client.address"},
        {"key": "user", "action": "insert", "from_context": "auth.username"},
        {"key": "tenant", "action": "insert", "from_context": "metadata.x-tenant"},
    ]
    millrace = start(
        {"otlp_http": {"endpoint": http_backend.endpoint}}, {"attributes": {"actions": actions}},
        extensions={"basicauth": {"htpasswd": {"inline": f"ann:{HASH}\nben:{HASH}"}}},
        grpc_settings=auth, http_settings={**auth, "include_metadata": True},
    )
    assert post(
        millrace.http, "logs", LOGS, headers={"Authorization": basic("ann", PASSWORD), "X-Tenant": "blue"}).status == 200
    with GRPCClient(millrace.grpc) as client:
        client.send("logs", LOGS, metadata=[("authorization", basic("ben", PASSWORD)), ("x-tenant", "red")])
    assert millrace.stop().is_balanced()
    found = set()
    for message in http_backend.messages("logs"):
        for record in message.resource_logs[0].scope_logs[0].log_records:
            values = {a.key: a.value.string_value for a in record.attributes}
            found.add(tuple(values.get(key) for key in ("peer", "user", "tenant")))
    # Metadata comes along where it is included.
    assert found == {("127.0.0.1", "ann", "blue"), ("127.0.0.1", "ben", None)}
    expect_no_secrets(millrace.logs)
    assert not any(PASSWORD.encode() in request.body for request in http_backend.requests)


@pytest.mark.parametrize("receiver, extensions, said", [
    ({}, {}, "works with auth.username of the client, which receiver otlp does not know"),
    ({"auth": {"authenticator": "bearertokenauth"}}, {"bearertokenauth": {"token": TOKEN}}, "auth.username"),
])
def test_who_nobody_knows_is_warned_of(tmp_path, receiver, extensions, said):
    config = tmp_path / "config.yaml"
    config.write_text(yaml.safe_dump({
        "receivers": {"otlp": {"protocols": {"http": receiver}}},
        "processors": {"attributes": {"actions": [{"key": "u", "action": "insert", "from_context": "auth.username"}]}},
        "exporters": {"nop": {}}, "extensions": extensions,
        "service": {"extensions": list(extensions), "pipelines": {
            "logs": {"receivers": ["otlp"], "processors": ["attributes"], "exporters": ["nop"]}}},
    }))
    result = command("check", str(config))
    assert result.returncode == 0, result.stderr
    assert said in result.stdout + result.stderr


class TokenServer:
    """A token endpoint (RFC 6749, §4.4) that counts, and refuses when told to."""

    def __init__(self):
        self.requests: list[dict] = []
        self.failure: tuple[int, dict] | None = None
        self.lifetime = 3600
        owner = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"])).decode()
                form = dict(urllib.parse.parse_qsl(body))
                owner.requests.append(form | {"authorization": self.headers["Authorization"]})
                code, reply = owner.failure or (200, {
                    "access_token": f"issued-token-{len(owner.requests)}", "token_type": "Bearer",
                    "expires_in": owner.lifetime,
                })
                content = json.dumps(reply).encode()
                self.send_response(code)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(content)))
                self.end_headers()
                self.wfile.write(content)

            def log_message(self, *_):
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}/token"
        threading.Thread(target=self.server.serve_forever, args=(0.05,), daemon=True).start()

    def stop(self):
        self.server.shutdown()
        self.server.server_close()


@pytest.fixture
def token_server():
    server = TokenServer()
    yield server
    server.stop()


def test_oauth2_client(start, http_backend, token_server):
    """One token for many exports; a revoked one is replaced at once; failures of the endpoint are told and retried."""
    accepted = "issued-token-1"
    http_backend.answer = lambda received: (
        None if received.headers.get("authorization") == f"Bearer {accepted}" else Reply(401))
    token_server.failure = (400, {"error": "invalid_scope", "error_description": "not cl1ent-s3cret"})
    millrace = start(
        {
            "otlp_http": {
                "endpoint": http_backend.endpoint, "auth": {"authenticator": "oauth2client"},
                "retry_on_failure": {"initial_interval": "50ms", "max_interval": "200ms"},
            }
        },
        extensions={
            "oauth2client": {
                "client_id": "me", "client_secret": "cl1ent-s3cret", "token_url": token_server.url, "scopes": ["a", "b"],
            }
        },
    )
    post(millrace.http, "logs", LOGS)
    until(lambda: "invalid_scope" in millrace.logs, what="the endpoint's reason in the log")
    with_failures = len(token_server.requests)
    token_server.failure = None
    accepted = f"issued-token-{with_failures + 1}"
    # Requests that were under way count too: whichever token came out is taken.
    http_backend.answer = lambda received: (
        None if received.headers.get("authorization", "").startswith("Bearer issued-token-") else Reply(401))
    until(lambda: len(http_backend.requests) == 1, what="the first batch to arrive")
    for _ in range(20):
        post(millrace.http, "logs", LOGS)
    until(lambda: len(http_backend.requests) == 21, what="the batches to arrive")
    used = {received.headers["authorization"] for received in http_backend.requests}
    assert len(used) == 1
    form = token_server.requests[-1]
    assert form["grant_type"] == "client_credentials" and form["scope"] == "a b"
    assert form["authorization"] == basic("me", "cl1ent-s3cret")

    # The backend revokes the token: the next one is fetched, and nothing is rejected.
    before = len(token_server.requests)
    http_backend.answer = lambda received: (
        None if received.headers.get("authorization") == f"Bearer issued-token-{before + 1}" else Reply(401))
    post(millrace.http, "logs", LOGS)
    sheet = millrace.stop()
    assert len(http_backend.requests) == 22
    assert len(token_server.requests) == before + 1
    assert sheet.is_balanced() and sheet.items("logs", "rejected") == 0
    expect_no_secrets(millrace.logs)


def configuration(tmp_path) -> str:
    document = {
        "receivers": {
            "otlp": {
                "protocols": {
                    "http": {
                        "auth": {"authenticator": "basicauth"},
                        "response_headers": {"x-key": "wrong-token-of-a-client"},
                    }
                }
            }
        },
        "exporters": {
            "otlp_http": {
                "endpoint": "http://backend.example:4318",
                "proxy_url": f"http://user:{PASSWORD}@proxy.example:3128",
                "headers": {"authorization": f"Bearer {TOKEN}"},
                "auth": {"authenticator": "oauth2client"},
            }
        },
        "extensions": {
            "headers_setter": {
                "headers": [{"key": "a", "value": TOKEN}], "additional_auth": "bearertokenauth",
            },
            "bearertokenauth": {"token": "${env:TOKEN_OF_TEST}"},
            "basicauth": {"htpasswd": {"inline": f"ann:{HASH}".replace("$", "$$")}},
            "oauth2client": {
                "client_id": "me", "client_secret": "cl1ent-s3cret", "token_url": "http://tokens.example/token",
                "endpoint_params": {"assertion": PASSWORD},
            },
        },
        "service": {
            "extensions": ["headers_setter", "bearertokenauth", "basicauth", "oauth2client"],
            "pipelines": {"logs": {"receivers": ["otlp"], "exporters": ["otlp_http"]}},
        },
    }
    path = tmp_path / "config.yaml"
    path.write_text(yaml.safe_dump(document, sort_keys=False))
    return str(path)


def test_print_config_masks_secrets(tmp_path):
    """The printed configuration has every key, reads as YAML, and holds no secret."""
    ran = command("check", "--print-config", configuration(tmp_path), env={"TOKEN_OF_TEST": TOKEN})
    assert ran.returncode == 0, ran.stderr
    expect_no_secrets(ran.stdout)
    expect_no_secrets(ran.stderr)
    printed = yaml.safe_load(ran.stdout)
    exporter = printed["exporters"]["otlp_http"]
    assert exporter["headers"] == {"authorization": "***"}
    assert exporter["timeout"] == "30s"
    assert exporter["proxy_url"] == "http://***@proxy.example:3128"
    assert printed["extensions"]["bearertokenauth"]["token"] == "***"
    assert printed["extensions"]["oauth2client"]["client_id"] == "me"
    assert printed["extensions"]["basicauth"]["htpasswd"]["inline"] == "***"
    assert printed["service"]["pipelines"]["logs"]["exporters"] == ["otlp_http"]
    # What works with another extension is started after it.
    extensions = printed["service"]["extensions"]
    assert extensions.index("bearertokenauth") < extensions.index("headers_setter")
    # Credentials over plaintext are warned of.
    assert "in plaintext" in ran.stderr


@pytest.mark.parametrize(
    "change, expected",
    [
        ({"token": TOKEN, "tokens": [TOKEN]}, "set together with token"),
        ({"token": f"{TOKEN}\n{TOKEN}"}, "cannot carry"),
        ({"token": {"a": TOKEN}}, "expected text"),
        ({"tokens": {"a": TOKEN}}, "expected a list"),
    ],
)
def test_mistakes_show_no_secrets(tmp_path, change, expected):
    document = yaml.safe_load(open(configuration(tmp_path)))
    document["extensions"]["bearertokenauth"] = change
    path = tmp_path / "broken.yaml"
    path.write_text(yaml.safe_dump(document, sort_keys=False))
    ran = command("check", str(path))
    assert ran.returncode == 1
    assert expected in ran.stderr
    assert TOKEN not in ran.stderr + ran.stdout


def test_wrong_references(tmp_path):
    """A server cannot use a client's authenticator, and extensions cannot need each other."""
    document = yaml.safe_load(open(configuration(tmp_path)))
    document["receivers"]["otlp"]["protocols"]["http"]["auth"]["authenticator"] = "oauth2client"
    path = tmp_path / "broken.yaml"
    path.write_text(yaml.safe_dump(document, sort_keys=False))
    ran = command("check", str(path), env={"TOKEN_OF_TEST": TOKEN})
    assert ran.returncode == 1
    assert 'extension "oauth2client" cannot be used for server authentication' in ran.stderr
    assert "extensions that can:" in ran.stderr

    document["receivers"]["otlp"]["protocols"]["http"]["auth"]["authenticator"] = "basicauth"
    document["extensions"]["headers_setter"]["additional_auth"] = "headers_setter"
    path.write_text(yaml.safe_dump(document, sort_keys=False))
    ran = command("check", str(path), env={"TOKEN_OF_TEST": TOKEN})
    assert ran.returncode == 1
    assert "in a circle: headers_setter → headers_setter" in ran.stderr
