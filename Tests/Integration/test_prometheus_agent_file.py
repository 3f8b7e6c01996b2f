"""`pipelines/prometheus-agent.yaml` as it is, in front of what it was written for."""

from __future__ import annotations

import contextlib
import os
from dataclasses import dataclass

from millrace import REPOSITORY, Millrace, command, free_port, until
from stack_servers import NodeExporter, PostgreSQL, PostgresExporter, Prometheus, Shop

FILE = REPOSITORY / "pipelines/prometheus-agent.yaml"


@dataclass
class Shipped:
    """The file, untouched."""

    metrics: int

    def text(self) -> str:
        return FILE.read_text()


class ShippedAgent(Millrace):
    def _is_listening(self) -> bool:
        assert self.process.poll() is None, f"millrace ended with {self.process.returncode}"
        with contextlib.suppress(OSError):
            return bool(self.metrics().series)
        return False


def test_check_has_nothing_to_say():
    clean = {name: "" for name in os.environ if name in ("HOSTNAME", "STATE_DIRECTORY")}
    result = command("check", str(FILE), env=clean)
    assert result.returncode == 0, result.stderr
    assert "warning" not in (result.stdout + result.stderr).lower()


def test_the_four_jobs_arrive_with_their_labels(tmp_path):
    with contextlib.ExitStack() as stack:
        enter = stack.enter_context
        node, database, shop = enter(NodeExporter(tmp_path)), enter(PostgreSQL()), enter(Shop(tmp_path))
        postgres = enter(PostgresExporter(tmp_path, database))
        prometheus = enter(Prometheus(tmp_path / "prometheus"))
        shop.use()
        queue = tmp_path / "queue"
        own = Shipped(free_port())

        def started(file: Shipped, name: str, targets: tuple) -> ShippedAgent:
            addresses = zip(("NODE_EXPORTER", "POSTGRES_EXPORTER", "FASTAPI_APP"), targets)
            agent = ShippedAgent(file, tmp_path / name, env={
                "SCRAPE_INTERVAL": "1s", "SLOW_SCRAPE_INTERVAL": "2s", "SLOW_SCRAPE_TIMEOUT": "2s",
                "METRICS_PORT": str(file.metrics), "REMOTE_WRITE_URL": prometheus.write_url, "HOSTNAME": "host-7",
                "STATE_DIRECTORY": str(queue), **dict(addresses)})
            stack.callback(agent.kill)
            return agent

        agent = started(own, "first", (node.address, postgres.address, shop.address))
        until(lambda: len(prometheus.value("up == 1")) == 4, timeout=30, what="four targets to be up")
        expected = {
            "millrace": ("otelcol_process_uptime", f"127.0.0.1:{own.metrics}"),
            "node": ("node_load1", node.address),
            "postgres": ("pg_up", postgres.address),
            "fastapi": ("shop_stock", shop.address),
        }
        extra = {"fastapi": {"service": "shop", "host": "127.0.0.1"}}
        for job, (name, instance) in expected.items():
            until(lambda: prometheus.value(f'{{__name__=~"{name}.*",job="{job}"}}'), what=f"{name} of {job}")
            everything = prometheus.series(f'{{job="{job}"}}')
            assert len(everything) > 20, job
            for labels in everything:
                common = {"job": job, "instance": instance, "agent": "host-7", **extra.get(job, {})}
                assert common.items() <= labels.items()
                assert job == "fastapi" or not {"service", "host"} & set(labels)
        names = {labels["__name__"] for labels in prometheus.series('{job="node"}')}
        assert not [name for name in names if name.startswith(("go_", "promhttp_"))]
        assert "target_info" not in {labels["__name__"] for labels in prometheus.series()}
        assert any(queue.iterdir())
        stop(agent)
        # The markers of the end are on disk; the next start delivers them, whatever it is told to scrape.
        elsewhere = tuple(f"127.0.0.1:{free_port()}" for _ in range(3))
        agent = started(Shipped(free_port()), "second", elsewhere)
        until(lambda: all(not prometheus.value(f'{{instance="{instance}"}}') for _, instance in expected.values()),
              what="every series of the first life to be stale")
        stop(agent)


def stop(agent: ShippedAgent):
    agent.terminate()
    assert agent.process.wait(40) == 0, agent.logs[-4000:]
    assert "unaccounted=0" in agent.logs
