"""The processes of a benchmark: Millrace, the servers it sends to and is compared with, and the load generator."""
import os
import pathlib
import re
import shutil
import signal
import socket
import subprocess
import time
import urllib.request

TRACE_EXPORT = "/opentelemetry.proto.collector.trace.v1.TraceService/Export"
# Debian keeps servers where ordinary users do not look.
PATH = os.environ.get("PATH", "") + ":/usr/sbin"
TICKS = os.sysconf("SC_CLK_TCK")


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Peer:
    """A server process of ours; stops when its `with` block ends."""

    def __init__(self, command, port, folder, name):
        self.port = port
        self.log = pathlib.Path(folder, f"{name}.log")
        started = time.monotonic()
        with self.log.open("wb") as log:
            self.process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        self.start_seconds = self.wait_until_listening(started)

    @classmethod
    def of(cls, process):
        """A process that listens nowhere."""
        peer = cls.__new__(cls)
        peer.process = process
        return peer

    def wait_until_listening(self, started):
        while time.monotonic() - started < 10:
            if self.process.poll() is not None:
                raise SystemExit(f"{self.log.stem} ended at once:\n{self.log.read_text()}")
            try:
                socket.create_connection(("127.0.0.1", self.port), timeout=1).close()
                return time.monotonic() - started
            except ConnectionRefusedError:
                time.sleep(0.001)
        self.stop()
        raise SystemExit(f"{self.log.stem} does not listen on port {self.port}:\n{self.log.read_text()}")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stop()

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        try:
            self.process.wait(20)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()

    def cpu_seconds(self):
        """User and system time of all threads so far."""
        fields = pathlib.Path(f"/proc/{self.process.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / TICKS

    def memory_mib(self, name):
        """A figure of /proc/PID/status: VmRSS now, VmHWM at its highest."""
        status = pathlib.Path(f"/proc/{self.process.pid}/status").read_text()
        return int(re.search(rf"{name}:\s+(\d+) kB", status)[1]) / 1024


class Millrace(Peer):
    """`otlp -> batch -> EXPORTER`, everything else as it is by default."""

    CONFIG = """
receivers:
  otlp:
    protocols:
      grpc: {{ endpoint: "127.0.0.1:{grpc}"{tls} }}
      http: {{ endpoint: "127.0.0.1:{http}"{tls} }}
  jaeger:
    protocols: {{ grpc: {{ endpoint: "127.0.0.1:{jaeger}" }} }}
processors:
{processor}  batch: {{}}
exporters:
  {exporter}
{extensions}service:
  telemetry:
    metrics:
      readers: [{{ pull: {{ exporter: {{ prometheus: {{ host: 127.0.0.1, port: {metrics} }} }} }} }}]
  pipelines:
    {signal}: {{ receivers: [{receivers}], processors: [{processors}], exporters: [{name}] }}
"""

    # A durable queue, for exporters with `sending_queue: {{ storage: file_storage }}`.
    STORAGE = """extensions:
  file_storage: {{ directory: {folder}/queue, create_directory: true }}
"""

    def __init__(self, binary, folder, signal, exporter, name="millrace", certificate=None, processor="",
                 receivers="otlp"):
        self.signal, self.folder = signal, folder
        self.grpc, self.http, self.metrics, self.jaeger = (free_port() for _ in range(4))
        config = pathlib.Path(folder, f"{name}.yaml")
        tls = f", tls: {{ cert_file: {certificate[0]}, key_file: {certificate[1]} }}" if certificate else ""
        text = self.CONFIG.format(
            grpc=self.grpc, http=self.http, metrics=self.metrics, jaeger=self.jaeger, receivers=receivers,
            exporter=exporter, signal=signal, tls=tls,
            extensions=self.STORAGE.format(folder=folder) if "file_storage" in exporter else "",
            name=exporter.partition(":")[0], processor=f"  {processor}\n" if processor else "",
            processors=", ".join([processor.partition(":")[0], "batch"] if processor else ["batch"]))
        if "file_storage" in exporter:
            text = text.replace("service:", "service:\n  extensions: [file_storage]")
        config.write_text(text)
        super().__init__([binary, "run", str(config)], self.grpc, folder, name)

    def items(self, what):
        """Items `accepted` by the receiver, `sent` by the exporter or left out (`sampled`) so far."""
        noun = {"traces": "spans", "logs": "log_records"}[self.signal]
        metric = {
            "accepted": f"otelcol_receiver_accepted_{noun}", "sent": f"otelcol_exporter_sent_{noun}",
            "sampled": "millrace_ledger_items"}[what]
        return self.number(metric, 'state="sampled"' if what == "sampled" else "")

    def number(self, metric, label=""):
        """The sum of a metric's series, of those with a label if wanted."""
        with urllib.request.urlopen(f"http://127.0.0.1:{self.metrics}/metrics", timeout=10) as answer:
            text = answer.read().decode()
        lines = re.findall(rf"^{metric}(?:_total)?(?:{{([^}}]*)}})? (\S+)$", text, re.MULTILINE)
        return round(sum(float(value) for labels, value in lines if label in labels))

    def wait_until_done(self, wanted):
        """Until so many items were sent or left out."""
        return self.wait_until_sent(wanted, lambda: self.items("sent") + self.items("sampled"))

    def wait_until_sent(self, wanted, count=None):
        deadline = time.monotonic() + 60
        while (sent := (count or (lambda: self.items("sent")))()) < wanted:
            if time.monotonic() > deadline:
                raise SystemExit(f"{self.log.stem} sent {sent} of {wanted} items:\n{self.log.read_text()[-3000:]}")
            time.sleep(0.02)
        return sent


def certificate(folder):
    """A certificate for the loopback interface that nobody trusts, and its key: paths of PEM files."""
    paths = [str(pathlib.Path(folder, name)) for name in ("bench.crt", "bench.key")]
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2",
         "-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1", "-out", paths[0],
         "-keyout", paths[1]], check=True, capture_output=True, stdin=subprocess.DEVNULL)
    return paths


def nghttpd(folder):
    """The floor of gRPC: reads the same requests and answers with a small file."""
    root = pathlib.Path(folder, "nghttpd")
    answer = root / TRACE_EXPORT[1:]
    answer.parent.mkdir(parents=True, exist_ok=True)
    answer.write_bytes(bytes(5))
    port = free_port()
    # The windows that Millrace's own server offers: 1 MiB for a stream, 8 MiB for a connection.
    command = [shutil.which("nghttpd", path=PATH), "--no-tls", "-a", "127.0.0.1", "-d", str(root), "-w", "20", "-W", "23", str(port)]
    return Peer(command, port, folder, "nghttpd")


# /discard reads and throws away; everything else is read whole before it is answered, as a backend would.
NGINX = """
daemon off;
master_process off;
error_log stderr error;
pid {folder}/nginx.pid;
events {{ worker_connections 1024; }}
http {{
  access_log off;
  client_max_body_size 0;
  client_body_buffer_size 16m;
  client_body_temp_path {folder}/body;
  proxy_temp_path {folder}/proxy;
  fastcgi_temp_path {folder}/fastcgi;
  uwsgi_temp_path {folder}/uwsgi;
  scgi_temp_path {folder}/scgi;
  keepalive_requests 1000000000;
  keepalive_timeout 600s;
  upstream answer {{ server unix:{folder}/answer.sock; keepalive 16; keepalive_requests 1000000000; }}
  server {{
    listen 127.0.0.1:{port};
    location /discard {{ return 200 ""; }}
    location / {{
      proxy_pass http://answer;
      proxy_http_version 1.1;
      proxy_pass_request_body off;
      proxy_set_header Content-Length "";
      proxy_set_header Connection "";
    }}
  }}
  server {{
    listen unix:{folder}/answer.sock;
    default_type application/x-protobuf;
    location / {{ return 200 ""; }}
  }}
}}
"""


def nginx(folder, port=None):
    port = port or free_port()
    config = pathlib.Path(folder, "nginx.conf")
    config.write_text(NGINX.format(folder=folder, port=port))
    pathlib.Path(folder, "answer.sock").unlink(missing_ok=True)
    return Peer([shutil.which("nginx", path=PATH), "-p", folder, "-c", str(config)], port, folder, "nginx")


def load(url, body, requests, headers, http1=False):
    """Sends a body many times with h2load: 8 connections, over HTTP/2 8 requests at a time on each.

    Returns the seconds it took. Every request must be answered with a status of success.
    """
    command = ["h2load", f"--requests={requests}", "--clients=8", f"--data={body}"]
    command += ["--h1"] if http1 else ["--max-concurrent-streams=8"]
    for header in headers:
        command += [f"--header={header}"]
    run = subprocess.run(command + [url], stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=300)
    done = re.search(r"(\d+) succeeded", run.stdout)
    if not done or int(done[1]) != requests:
        raise SystemExit(f"h2load {url}: not every request succeeded\n{run.stdout}{run.stderr}")
    value, unit = re.search(r"finished in ([\d.]+)(us|ms|s)\b", run.stdout).groups()
    return float(value) * {"us": 1e-6, "ms": 1e-3, "s": 1}[unit]
