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
        agent = ShippedAgent(own, tmp_path / "agent", env={
            "SCRAPE_INTERVAL": "1s", "SLOW_SCRAPE_INTERVAL": "2s", "SLOW_SCRAPE_TIMEOUT": "2s",
            "METRICS_PORT": str(own.metrics), "NODE_EXPORTER": node.address, "POSTGRES_EXPORTER": postgres.address,
            "FASTAPI_APP": shop.address, "REMOTE_WRITE_URL": prometheus.write_url, "HOSTNAME": "host-7",
            "STATE_DIRECTORY": str(queue)})
        stack.callback(agent.kill)
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
        agent.terminate()
        agent.process.wait(40)
        assert agent.process.returncode == 0, agent.logs[-4000:]
        until(lambda: not prometheus.value("up"), what="every series to be stale")
