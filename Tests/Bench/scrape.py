"""Scraping and remote write: Millrace and Debian's Prometheus as an agent, side by side.

nginx serves an exposition that does not change and throws away what is written to it; both programs scrape it for the
same time. CPU seconds are those of whole scrape intervals after the first scrape, in which every series is new.
"""
import json
import pathlib
import random
import shutil
import time

import peers

INTERVAL = 2
CPU_GOAL, PEER_RATIO_GOAL, SERIES_GOAL_BYTES = 1.0, 0.5, 600
MANY_TARGETS, MANY_GOAL_MIB = 100, 1024


def exposition(series, seed=1):
    """About `series` samples as services expose them: counters, gauges and histograms with eight labels."""
    dice = random.Random(seed)
    lines, left = [], series
    pods = [f"checkout-{dice.randrange(1 << 40):010x}-{dice.randrange(1 << 20):05x}" for _ in range(40)]
    methods, codes = ("GET", "POST", "PUT", "DELETE"), ("200", "201", "204", "400", "404", "500", "503")
    family = 0
    while left > 0:
        family += 1
        kind = ("counter", "gauge", "histogram", "counter", "counter")[family % 5]
        name = f"shop_{('orders', 'payments', 'stock', 'carts', 'search')[family % 5]}_{family}"
        name += {"counter": "_requests_total", "gauge": "_queue_length", "histogram": "_duration_seconds"}[kind]
        lines += [f"# HELP {name} What the {name} of the shop come to, by route and pod.", f"# TYPE {name} {kind}"]
        for number in range(60 if kind == "histogram" else 700):
            if left <= 0:
                break
            labels = (f'cluster="eu-west-1",method="{dice.choice(methods)}",namespace="checkout",'
                      f'pod="{pods[number % len(pods)]}",route="/api/v1/items/{{id}}/{number:03d}",'
                      f'status="{codes[number % len(codes)]}"')
            if kind != "histogram":
                value = dice.randrange(1 << 30) if kind == "counter" else round(dice.random() * 1000, 3)
                lines.append(f"{name}{{{labels}}} {value}")
                left -= 1
                continue
            total = 0
            for bound in ("0.005", "0.01", "0.025", "0.05", "0.1", "0.25", "0.5", "1", "2.5", "5", "10", "+Inf"):
                total += dice.randrange(1000)
                lines.append(f'{name}_bucket{{{labels},le="{bound}"}} {total}')
            lines += [f"{name}_sum{{{labels}}} {round(total * 0.113, 6)}", f"{name}_count{{{labels}}} {total}"]
            left -= 14
    return "\n".join(lines) + "\n"


def samples_of(text):
    return sum(1 for line in text.splitlines() if not line.startswith("#"))


class Target:
    """nginx: `/metrics` as a file, `/write` thrown away, and a line in a log for each scrape."""

    CONFIG = """
daemon off; master_process off; error_log stderr error; pid {folder}/target.pid;
events {{ worker_connections 4096; }}
http {{
  client_max_body_size 0; client_body_buffer_size 16m; client_body_temp_path {folder}/target-body;
  proxy_temp_path {folder}/target-proxy; fastcgi_temp_path {folder}/target-fastcgi;
  uwsgi_temp_path {folder}/target-uwsgi; scgi_temp_path {folder}/target-scgi;
  keepalive_requests 1000000000; keepalive_timeout 600s; sendfile on;
  server {{
    listen 127.0.0.1:{port};
    access_log off;
    location /metrics {{ root {folder}; default_type "text/plain; version=0.0.4"; access_log {folder}/scrapes.log; }}
    location /write {{ return 204; }}
  }}
}}
"""

    def __init__(self, folder, text):
        self.port = peers.free_port()
        self.scrapes = pathlib.Path(folder, "scrapes.log")
        self.scrapes.write_text("")
        pathlib.Path(folder, "metrics").write_text(text)
        config = pathlib.Path(folder, "target.conf")
        config.write_text(self.CONFIG.format(folder=folder, port=self.port))
        self.peer = peers.Peer(
            [shutil.which("nginx", path=peers.PATH), "-p", folder, "-c", str(config)], self.port, folder, "target")

    def count(self):
        return self.scrapes.read_text().count("\n")

    def wait_for(self, count, timeout=60):
        deadline = time.monotonic() + timeout
        while self.count() < count:
            if time.monotonic() > deadline:
                raise SystemExit(f"{self.count()} of {count} scrapes in {timeout} s")
            time.sleep(0.01)

    def stop(self):
        self.peer.stop()


def scrape_configs(target, targets=1):
    """With many targets, each has its own series: an `instance` of its own."""
    return {
        "global": {"scrape_interval": f"{INTERVAL}s", "scrape_timeout": f"{INTERVAL}s"},
        "scrape_configs": [{
            "job_name": "bench",
            "relabel_configs": [
                {"source_labels": ["__param_target"], "target_label": "instance"},
            ] if targets > 1 else [],
            "static_configs": [
                {"targets": [f"127.0.0.1:{target.port}"], "labels": {"__param_target": str(number)} if targets > 1 else {}}
                for number in range(targets)],
        }],
    }


def millrace(options, folder, target, targets=1, exporter=None):
    port, metrics = peers.free_port(), peers.free_port()
    config = pathlib.Path(folder, "millrace-scrape.yaml")
    exporters = exporter or {"prometheus_remote_write": {
        "endpoint": f"http://127.0.0.1:{target.port}/write", "tls": {"insecure": True},
        "target_info": {"enabled": False}}}
    config.write_text(json.dumps({
        "receivers": {"prometheus": {"config": scrape_configs(target, targets)}},
        "exporters": exporters,
        "extensions": {"health_check": {"endpoint": f"127.0.0.1:{port}"}},
        "service": {
            "extensions": ["health_check"],
            "telemetry": {"metrics": {"readers": [
                {"pull": {"exporter": {"prometheus": {"host": "127.0.0.1", "port": metrics}}}}]}},
            "pipelines": {"metrics": {"receivers": ["prometheus"], "exporters": list(exporters)}},
        },
    }))
    return peers.Peer([options.millrace, "run", str(config)], port, folder, "millrace-scrape")


def prometheus(folder, target):
    port = peers.free_port()
    config = pathlib.Path(folder, "agent.yml")
    config.write_text(json.dumps(
        {**scrape_configs(target), "remote_write": [{"url": f"http://127.0.0.1:{target.port}/write"}]}))
    return peers.Peer(
        ["prometheus", "--enable-feature=agent", f"--config.file={config}", f"--storage.agent.path={folder}/agent-data",
         f"--web.listen-address=127.0.0.1:{port}", "--log.level=warn"], port, folder, "prometheus-agent")


def measure(program, target, samples, rounds):
    """CPU seconds per million samples over `rounds` intervals after the first scrapes, and the peak of memory."""
    with program:
        first = target.count()
        target.wait_for(first + 2)
        time.sleep(INTERVAL / 2)
        before, scrapes = program.cpu_seconds(), target.count()
        target.wait_for(scrapes + rounds, timeout=rounds * INTERVAL * 3 + 30)
        time.sleep(INTERVAL / 2)
        cost = (program.cpu_seconds() - before) / ((target.count() - scrapes) * samples) * 1e6
        return cost, program.memory_mib("VmHWM"), program.memory_mib("VmRSS")


def run(options, folder, verdict):
    results = {}
    text = exposition(options.series)
    samples = samples_of(text)
    target = Target(folder, text)
    try:
        cost, peak, _ = measure(millrace(options, folder, target), target, samples, options.scrapes)
        theirs, their_peak, _ = measure(prometheus(folder, target), target, samples, options.scrapes)
    finally:
        target.stop()
    print(f"{f'{samples} series scraped and remote-written':<42} {verdict(f'{cost:.2f} CPU-s/M', CPU_GOAL, cost)}, peak "
          f"{peak:.0f} MiB, {len(text) / samples:.0f} bytes of text per series")
    print(f"{'Prometheus as agent, the same':<42} {theirs:.2f} CPU-s/M, peak {their_peak:.0f} MiB; Millrace needs "
          f"{verdict(f'{cost / theirs:.2f}', PEER_RATIO_GOAL, cost / theirs)} of its CPU and "
          f"{verdict(f'{peak / their_peak:.2f}', PEER_RATIO_GOAL, peak / their_peak)} of its memory")
    results["scrape"] = {
        "cpu_seconds_per_million": cost, "goal": CPU_GOAL, "peak_mib": peak, "prometheus_cpu_seconds_per_million": theirs,
        "prometheus_peak_mib": their_peak, "ratio_goal": PEER_RATIO_GOAL}
    results["scrape-many"] = many(options, folder, verdict)
    return results


def many(options, folder, verdict):
    """A million series over a hundred targets: what an active series costs beyond its text."""
    text = exposition(options.series * 10 // MANY_TARGETS)
    samples = samples_of(text)
    target = Target(folder, text)
    try:
        with millrace(options, folder, target, MANY_TARGETS) as program:
            idle = program.memory_mib("VmRSS")
            target.wait_for(MANY_TARGETS * 4, timeout=120)
            time.sleep(INTERVAL)
            peak, now = program.memory_mib("VmHWM"), program.memory_mib("VmRSS")
    finally:
        target.stop()
    each = (now - idle) * 2**20 / (samples * MANY_TARGETS) - len(text) / samples
    print(f"{f'{samples * MANY_TARGETS} series of {MANY_TARGETS} targets':<42} peak "
          f"{verdict(f'{peak:.0f} MiB', MANY_GOAL_MIB, peak)}, "
          f"{verdict(f'{each:.0f} bytes', SERIES_GOAL_BYTES, each)} per series beyond its text")
    return {"peak_mib": peak, "peak_goal_mib": MANY_GOAL_MIB, "bytes_per_series": each, "goal": SERIES_GOAL_BYTES}
