"""`pipelines/central.yaml` as it is, behind a FastAPI service on PostgreSQL with OpenTelemetry's auto-instrumentation."""

from __future__ import annotations

import contextlib
import itertools
import urllib.error
import urllib.parse
import urllib.request
from collections import defaultdict
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from pathlib import Path

import otlp
from jaeger import JaegerCollector, tags
from millrace import REPOSITORY, Millrace, Pipeline, command, free_port, until
from stack_servers import Demo, PostgreSQL, PostgresExporter, Prometheus

FILE = REPOSITORY / "pipelines/central.yaml"
SECRETS = {"password": "hunter2-9f3a", "card": "4111 1111 1111 1111", "authorization": "Bearer c2VjcmV0LXRva2Vu",
           "cookie": "session=deadbeefcafe"}
SLOW = 0.5


class Shipped(Pipeline):
    """The file, untouched; its ports come from the environment."""

    def text(self) -> str:
        return FILE.read_text()


class Central(Millrace):
    def __init__(self, folder: Path, **environment: str):
        own = Shipped({})
        self.archive = folder / "archive.jsonl"
        super().__init__(own, folder, env={
            "GRPC_PORT": str(own.grpc), "HTTP_PORT": str(own.http), "METRICS_PORT": str(own.metrics),
            "HEALTH_PORT": str(own.health), "LISTEN_ADDRESS": "127.0.0.1", "STATE_DIRECTORY": str(folder / "state"),
            "ARCHIVE": str(self.archive), **environment})


def test_check_says_only_what_tail_sampling_means_for_a_crash():
    result = command("check", str(FILE))
    assert result.returncode == 0, result.stderr
    warnings = [line for line in (result.stdout + result.stderr).splitlines() if line.startswith("warning")]
    assert len(warnings) == 1 and "tail_sampling holds data in memory" in warnings[0]


def ask(demo: Demo, path: str):
    headers = {"authorization": SECRETS["authorization"], "cookie": SECRETS["cookie"]}
    with contextlib.suppress(urllib.error.HTTPError):
        urllib.request.urlopen(urllib.request.Request(f"http://{demo.address}{path}", headers=headers), timeout=30)


def load(demo: Demo):
    """Requests as users send them: most are well, some fail, some are slow, some carry secrets."""
    login = "/login?" + urllib.parse.urlencode({name: SECRETS[name] for name in ("password", "card")})
    paths = ["/articles", "/articles/3", "/chain", "/articles/999", "/articles", "/chain", "/articles/1", login]
    # Whatever else is kept, secrets are among it.
    failing = ["/error", "/broken-chain"] * 15 + [login + "&fails=1"] * 5
    everything = [*itertools.islice(itertools.cycle(paths), 240), *failing, *["/slow"] * 8]
    with ThreadPoolExecutor(6) as workers:
        list(workers.map(lambda path: ask(demo, path), everything))


def traces(spans: list[dict]) -> dict[str, list[dict]]:
    """What the SDK says it has sent, by trace id."""
    found = defaultdict(list)
    for span in spans:
        found[span["context"]["trace_id"].removeprefix("0x")].append(span)
    return found


def seconds(spans: list[dict]) -> float:
    ends = [datetime.fromisoformat(span["end_time"]) for span in spans]
    return (max(ends) - min(datetime.fromisoformat(span["start_time"]) for span in spans)).total_seconds()


def ids(spans: list[dict]) -> list[str]:
    return [span["context"]["span_id"].removeprefix("0x") for span in spans]


def arrived(jaeger: JaegerCollector) -> dict[str, list[str]]:
    """The ids of the spans at Jaeger, by trace id."""
    found = defaultdict(list)
    for span in jaeger.spans:
        found[span.trace_id.hex()].append(span.span_id.hex())
    return found


def test_errors_and_slow_traces_arrive_whole_and_no_secret_leaves(tmp_path):
    with contextlib.ExitStack() as stack:
        enter = stack.enter_context
        database, prometheus, jaeger = enter(PostgreSQL()), enter(Prometheus(tmp_path / "prometheus")), enter(JaegerCollector())
        postgres = enter(PostgresExporter(tmp_path, database))
        application = free_port()
        central = Central(
            tmp_path / "central", JAEGER_ENDPOINT=jaeger.endpoint, REMOTE_WRITE_URL=prometheus.write_url,
            FASTAPI_APP=f"127.0.0.1:{application}", POSTGRES_EXPORTER=postgres.address, SCRAPE_INTERVAL="1s",
            DECISION_WAIT="3s", ENVIRONMENT="test", OTEL_RESOURCE_ATTRIBUTES="cloud.region=north",
            SLOW_MS=str(int(SLOW * 1000)))
        stack.callback(central.kill)
        with Demo(tmp_path, database, f"http://{central.grpc}", application) as demo:
            load(demo)
            until(lambda: prometheus.value('starlette_requests_total{path_template="/error"} >= 15'),
                  what="the application's own metrics", every=0.2)
            until(lambda: prometheus.value("pg_up == 1"), what="the database's metrics", every=0.2)
            until(lambda: prometheus.value('{__name__=~"http_server_.*duration.*_count", http_target="/chain"} > 0')
                  or prometheus.value('{__name__=~"http_server_.*duration.*_count", http_route="/chain"} > 0'),
                  what="the SDK's metrics", every=0.2)
        sent = traces(demo.spans)
        failed = {each for each, spans in sent.items() if any(s["status"]["status_code"] == "ERROR" for s in spans)}
        slow = {each for each, spans in sent.items() if seconds(spans) > SLOW + 0.01} - failed
        rest = {each for each, spans in sent.items() if seconds(spans) < SLOW - 0.01} - failed
        assert len(failed) >= 35 and len(slow) >= 8 and len(rest) >= 200
        until(lambda: failed | slow <= arrived(jaeger).keys(), 30, "every trace with an error and every slow one", 0.2)
        sheet = central.stop()

        found = arrived(jaeger)
        kept = found.keys() & rest
        # Which are kept follows from their ids: of 200 about one in ten, never none, never most.
        assert 0 < len(kept) < len(rest) / 3
        assert found.keys() <= sent.keys() and failed | slow <= found.keys()
        for trace, spans in found.items():
            assert sorted(spans) == sorted(ids(sent[trace])), "a trace is not whole, or has a span twice"
        for batch in jaeger.batches:
            process = tags(batch.process.tags)
            assert batch.process.service_name == "demo"
            assert process["deployment.environment.name"] == "test" and process["cloud.region"] == "north"

        archive = otlp.read_json_lines(central.archive)
        assert all(archive[signal] for signal in otlp.REQUEST)
        written = central.archive.read_text()
        outputs = {"archive": written, "jaeger": str(jaeger.batches), "prometheus": str(prometheus.series())}
        for place, text in outputs.items():
            for name, secret in SECRETS.items():
                for form in {secret, urllib.parse.quote(secret), urllib.parse.quote_plus(secret)}:
                    assert form not in text, f"the {name} is in the output to {place}"
        for place in ("archive", "jaeger"):  # masked, not removed
            assert "user.password" in outputs[place] and "****" in outputs[place]
        assert sheet.is_balanced(), central.logs[-4000:]
        assert sheet.items("traces", "received") == sum(map(len, sent.values()))
