"""Kills while a target is scraped and remote-written: nothing that was scraped is missing, and each series is in order."""

from __future__ import annotations

import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from agent import Agent
from millrace import until
from stack_servers import Prometheus
from test_prometheus_agent import remote_write

SERIES = 5


class CountingTarget:
    """Each scrape returns a number that nobody was given before.

    `before_answer` may end the one who asks; who asks then, or once the target `is_closed`, gets no answer.
    """

    def __init__(self):
        self.served: list[tuple[int, float]] = []
        self.before_answer = None
        self.is_closed = False
        target = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self):
                action, target.before_answer = target.before_answer, None
                if action:
                    action()
                if action or target.is_closed:
                    self.close_connection = True
                    return
                number = len(target.served)
                body = "# TYPE asked counter\n" + "".join(
                    f'asked_total{{part="{part}"}} {number}\n' for part in range(SERIES))
                target.served.append((number, time.time()))
                self.send_response(200)
                self.send_header("Content-Type", "text/plain; version=0.0.4")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body.encode())

            def log_message(self, *_):
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.address = f"127.0.0.1:{self.server.server_port}"

    def serves(self, more: int):
        wanted = len(self.served) + more
        until(lambda: len(self.served) >= wanted, timeout=30, what=f"{more} more scrapes")

    def __enter__(self):
        threading.Thread(target=self.server.serve_forever, args=(0.02,), daemon=True).start()
        return self

    def __exit__(self, *_):
        self.server.shutdown()
        self.server.server_close()


def test_no_scraped_sample_is_missing_and_each_series_is_in_order(tmp_path):
    """Prometheus is killed three times and the agent once, between two scrapes, while Prometheus is away."""
    scrape = {"scrape_configs": [{
        "job_name": "counting", "scrape_interval": "100ms", "scrape_timeout": "100ms", "static_configs": []}]}
    extensions = {"file_storage": {"directory": str(tmp_path / "queue"), "create_directory": True}}
    with CountingTarget() as target, Prometheus(tmp_path / "prometheus") as prometheus:
        scrape["scrape_configs"][0]["static_configs"] = [{"targets": [target.address]}]

        def started(name: str) -> Agent:
            return Agent(tmp_path / name, scrape, {"prometheus_remote_write": remote_write(
                prometheus.write_url, retry_on_failure={"initial_interval": "20ms", "max_interval": "200ms"},
                remote_write_queue={"storage": "file_storage", "queue_size": 100_000})}, extensions)

        def held(name: str) -> dict:
            return prometheus.samples(name, time.time() + 1, 120)

        agent = started("first")
        try:
            for _ in range(2):
                target.serves(10)
                prometheus.kill()
                target.serves(5)
                prometheus.start()
            target.serves(10)
            prometheus.kill()
            target.serves(5)
            # The scrape before this one was handed on: a target is asked again only after that.
            dead = threading.Event()
            target.before_answer = lambda: (agent.kill(), dead.set())
            assert dead.wait(20)
            rejected = agent_rejections(agent)
            agent = started("second")
            target.serves(5)
            prometheus.start()
            target.serves(10)
            target.is_closed = True
            closed = time.time()
            until(lambda: all(samples[-1][1] == target.served[-1][0] for samples in held("asked_total").values()),
                  timeout=30, what="the last scrape to arrive")
            sheet = agent.stop()
            assert sheet.is_balanced()
            assert sheet.items("metrics", "dropped") == 0 and sheet.items("metrics", "rejected") == 0
            assert rejected == []
        finally:
            agent.kill()
        found, served = held("asked_total"), dict(target.served)
        assert len(found) == SERIES and len(served) > 50
        (ups,) = held("up").values()
        # Where the machine is too slow a scrape may time out after it was served: it is reported as down, then.
        failed = sum(value == 0 and at < closed for at, value in ups)
        for labels, samples in found.items():
            numbers = [int(value) for _, value in samples]
            assert numbers == sorted(set(numbers)), dict(labels)
            assert len(set(served) - set(numbers)) <= failed, dict(labels)
            times = [at for at, _ in samples]
            assert times == sorted(set(times))
            # A sample has the time of its scrape, however late it was delivered: between one answer and the next.
            assert all(
                served.get(number - 1, 0) - 0.005 <= at <= served[number] + 0.005 for at, number in zip(times, numbers))
        assert "ut of order" not in prometheus.log.read_text()


def agent_rejections(agent: Agent) -> list[dict]:
    """What a killed process, which has no balance sheet, had said of requests that were refused for good."""
    return [record for record in agent.log_records if "reject" in str(record) or "dropped" in str(record)]
