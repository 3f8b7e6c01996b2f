"""Side by side with the real Prometheus: the same targets, and the same series at the end.

The reference scrapes them itself. Millrace scrapes them too and remote-writes into a second Prometheus. What both hold is
then compared series by series. `le` and `quantile` are compared as numbers: Millrace writes `1.0` as Prometheus 3 does,
where Prometheus 2 keeps the target's `1`.
"""

from __future__ import annotations

import contextlib
import math
import time
from dataclasses import dataclass

import pytest

from agent import Agent
from millrace import free_port, until
from remote_write import MetadataSink
from stack_servers import Alertmanager, NodeExporter, PostgreSQL, PostgresExporter, Prometheus, Shop

INTERVAL = 1
JOBS = ("prometheus", "node", "postgres", "alertmanager", "shop")


def scrape_config(addresses: dict[str, str]) -> dict:
    return {
        "global": {"scrape_interval": f"{INTERVAL}s", "scrape_timeout": f"{INTERVAL}s"},
        "scrape_configs": [
            {"job_name": job, "static_configs": [{"targets": [address]}]} for job, address in addresses.items()
        ],
    }


def remote_write(url: str, **settings) -> dict:
    return {"endpoint": url, "tls": {"insecure": True}, "target_info": {"enabled": False}, **settings}


def same(labels: dict) -> frozenset:
    """The labels of a series, `le` and `quantile` as numbers."""
    return frozenset(
        (name, float(value) if name in ("le", "quantile") else value) for name, value in labels.items())


@dataclass
class Comparison:
    """What both Prometheus held after the same targets had been scraped for a while, and one had vanished."""

    reference: Prometheus
    remote: Prometheus
    sink: MetadataSink
    began: float
    shop_ended: float
    ended: float

    def window(self, prometheus: Prometheus, job: str) -> dict[frozenset, list[tuple[float, float]]]:
        found = prometheus.samples(f'{{job="{job}"}}', self.ended, math.ceil(self.ended - self.began))
        return {same(dict(labels)): samples for labels, samples in found.items()}


@pytest.fixture(scope="module")
def compared(tmp_path_factory):
    folder = tmp_path_factory.mktemp("side-by-side")
    with contextlib.ExitStack() as stack:
        enter = stack.enter_context
        node, alertmanager, database = enter(NodeExporter(folder)), enter(Alertmanager(folder)), enter(PostgreSQL())
        postgres, shop = enter(PostgresExporter(folder, database)), enter(Shop(folder))
        shop.use()
        own = free_port()
        addresses = dict(zip(JOBS, (
            f"127.0.0.1:{own}", node.address, postgres.address, alertmanager.address, shop.address)))
        scrape = scrape_config(addresses)
        reference = enter(Prometheus(folder, scrape, "reference", port=own))
        remote = enter(Prometheus(folder, {}, "remote"))
        sink = enter(MetadataSink())
        agent = Agent(folder / "agent", scrape, {
            "prometheus_remote_write": remote_write(
                remote.write_url, remote_write_queue={"num_consumers": 3}),
            "prometheus_remote_write/types": remote_write(sink.url, send_metadata=True),
        })
        stack.callback(agent.kill)
        for prometheus in (reference, remote):
            until(lambda: len(prometheus.value("up == 1")) == len(JOBS), timeout=30,
                  what=f"five targets up in {prometheus.name}")
        began = time.time()
        for _ in range(3):
            shop.use()
            time.sleep(INTERVAL)
        shop_ended = time.time()
        shop.stop()
        for prometheus in (reference, remote):
            until(lambda: prometheus.value('up{job="shop"}')[0][1] == 0, timeout=30,
                  what=f"the shop to be down in {prometheus.name}")
        time.sleep(2 * INTERVAL)
        ended = time.time()
        time.sleep(0.05)
        sheet = agent.stop()
        assert sheet.is_balanced()
        yield Comparison(reference, remote, sink, began, shop_ended, ended)


@pytest.mark.parametrize("job", JOBS)
def test_the_series_are_the_same(compared, job):
    expected, found = (set(compared.window(each, job)) for each in (compared.reference, compared.remote))
    assert len(expected) > 30
    if job == "prometheus":
        # Its own metrics of scraping and of remote write: each of the two knows only what was asked of it by then.
        late = {labels for labels in expected ^ found if is_late(dict(labels)["__name__"])}
        expected, found = expected - late, found - late
    assert found - expected == set()
    assert expected - found == set()


def is_late(name: str) -> bool:
    return name.startswith(("prometheus_http_", "prometheus_api_", "net_conntrack_", "promhttp_"))


@pytest.mark.parametrize("job", JOBS)
def test_the_values_are_the_same(compared, job):
    """What does not change is equal; what only grows lies between what the reference saw before and after.

    Some gauges differ because each of the two is itself a connection, or came at another moment.
    """
    reference = compared.reference.samples(f'{{job="{job}"}}', compared.ended, 300)
    reference = {same(dict(labels)): [value for _, value in samples] for labels, samples in reference.items()}
    equal, within, different = 0, 0, []
    for labels, samples in compared.window(compared.remote, job).items():
        values, expected = [value for _, value in samples], reference.get(labels)
        if not expected:
            continue
        if is_constant(expected) and is_constant(values):
            equal += 1
            if expected[0] != values[0] and not math.isnan(expected[0] + values[0]):
                different.append((dict(labels), expected[0], values[0]))
        elif sorted(expected) == expected and sorted(values) == values:
            assert values[0] <= expected[-1] and values[-1] >= expected[0], labels
            within += 1
    assert equal > 30
    assert equal + within > 0.6 * len(reference)
    assert len(different) <= max(2, 0.03 * equal), different


def is_constant(values: list[float]) -> bool:
    return all(value == values[0] or math.isnan(value) and math.isnan(values[0]) for value in values)


@pytest.mark.parametrize("job", JOBS)
def test_the_types_helps_and_units_are_the_same(compared, job):
    expected = {
        entry["metric"]: (entry["type"], entry["help"], entry["unit"])
        for entry in compared.reference.api("targets/metadata", match_target=f'{{job="{job}"}}')
    } if job != "shop" else {}
    if job == "shop":
        expected = {"shop_stock": ("gauge", "Items on stock.", ""), "shop_price_euro": ("summary", "Prices asked for.", ""),
                    "starlette_requests_processing_time_seconds": (
                        "histogram", "Histogram of requests processing time by path (in seconds)", "")}
    assert expected
    sent = compared.sink.metadata
    different = {name: (sent.get(name), wanted) for name, wanted in expected.items() if sent.get(name) != wanted}
    assert different == {}


def test_a_target_that_went_away_is_down_and_its_series_are_stale(compared):
    for prometheus in (compared.reference, compared.remote):
        assert [value for _, value in prometheus.value('up{job="shop"}', compared.ended)] == [0]
        alive = {metric["__name__"] for metric, _ in prometheus.value('{job="shop"}', compared.ended)}
        assert alive == {
            "up", "scrape_duration_seconds", "scrape_samples_scraped", "scrape_samples_post_metric_relabeling",
            "scrape_series_added"}, prometheus.name
        assert prometheus.value('shop_stock', compared.shop_ended)


def test_when_scraping_ends_every_series_is_stale(compared):
    assert len(compared.remote.value('{job=~".+"}', compared.ended)) > 500
    assert compared.remote.value('{job=~".+"}', compared.ended + 2) == []


@pytest.mark.parametrize("job", JOBS)
def test_the_report_of_each_scrape_is_the_same(compared, job):
    for name in ("up", "scrape_samples_scraped", "scrape_samples_post_metric_relabeling"):
        at = compared.shop_ended - 1.5 * INTERVAL
        expected, found = (each.value(f'{name}{{job="{job}"}}', at) for each in (compared.reference, compared.remote))
        assert len(found) == 1
        if job in ("prometheus", "alertmanager") and name != "up":
            # Go's runtime and HTTP metrics appear one by one.
            assert abs(found[0][1] - expected[0][1]) <= 0.05 * expected[0][1]
        else:
            assert found == expected


def test_every_sample_has_the_time_of_its_scrape(compared):
    samples = compared.window(compared.remote, "node")
    times = {labels: [time for time, _ in points] for labels, points in samples.items()}
    up = next(points for labels, points in times.items() if dict(labels)["__name__"] == "up")
    assert len(up) >= 3
    for labels, points in times.items():
        if dict(labels)["__name__"] == "node_load1":
            assert points == up
    gaps = [after - before for before, after in zip(up, up[1:])]
    assert all(0.5 * INTERVAL < gap < 1.8 * INTERVAL for gap in gaps), gaps
