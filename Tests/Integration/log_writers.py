"""Real programs that write logs: nginx under logrotate, PostgreSQL, and a Python application with tracebacks."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import urllib.error
import urllib.request
from pathlib import Path

from millrace import free_port
from stack_servers import Server


class Nginx(Server):
    """nginx with Debian's log format, in a folder of its own."""

    CONFIG = """
daemon off;
{user}
worker_processes 1;
pid {folder}/nginx.pid;
error_log {logs}/error.log warn;
events {{ worker_connections 64; }}
http {{
  access_log {logs}/access.log combined;
  client_body_temp_path {folder}/body;
  proxy_temp_path {folder}/proxy;
  fastcgi_temp_path {folder}/fastcgi;
  uwsgi_temp_path {folder}/uwsgi;
  scgi_temp_path {folder}/scgi;
  server {{
    listen 127.0.0.1:{port};
    location / {{ return 200 "ok"; }}
    location /missing/ {{ root {folder}/nowhere; }}
  }}
}}
"""

    def __init__(self, folder: Path):
        self.logs = folder / "nginx"
        self.logs.mkdir()
        port = free_port()
        config = folder / "nginx.conf"
        # Workers open rotated logs themselves, in folders that only the owner may enter.
        user = "user root;" if os.geteuid() == 0 else ""
        config.write_text(self.CONFIG.format(folder=folder, logs=self.logs, port=port, user=user))
        super().__init__(folder, "nginx", [_nginx(), "-c", str(config), "-p", str(folder)], port, "/")

    def request(self, path: str):
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.port}{path}", timeout=10) as reply:
                reply.read()
        except urllib.error.HTTPError as error:
            error.read()

    def rotate(self, way: str):
        """logrotate as Debian runs it, now: `create` with a signal to nginx, or `copytruncate`; compressing later."""
        how = "copytruncate" if way == "copytruncate" else (
            f"create\n  postrotate\n    kill -USR1 $(cat {self.folder}/nginx.pid)\n  endscript")
        config = self.folder / f"logrotate-{way}.conf"
        # The copies lie beside the log, as in Debian.
        config.write_text(
            f"{self.logs}/access.log {{\n  rotate 20\n  compress\n  delaycompress\n  missingok\n  {how}\n}}\n")
        config.chmod(0o644)
        logrotate = shutil.which("logrotate") or "/usr/sbin/logrotate"
        subprocess.run(
            [logrotate, "--force", "--state", str(self.folder / "logrotate.state"), str(config)],
            check=True, capture_output=True, text=True)


def _nginx() -> str:
    return shutil.which("nginx") or "/usr/sbin/nginx"


APPLICATION = '''
import json, logging, sys, time

plain, structured, count = sys.argv[1], sys.argv[2], int(sys.argv[3])
logging.basicConfig(
    filename=plain, level=logging.DEBUG, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
log = logging.getLogger("shop.orders")

def charge(order):
    raise ValueError(f"order {order} cannot be charged")

with open(structured, "a", buffering=1) as records:
    for number in range(count):
        log.info("order %d arrived", number)
        try:
            if number % 5 == 0:
                charge(number)
        except ValueError:
            log.exception("order %d failed", number)
        if number % 7 == 0:
            log.critical("two\\nlines in order %d", number)
        records.write(json.dumps({
            "time": time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime()) + ".250Z", "level": "warning" if number % 2 else "info",
            "message": f"order {number} \\u00e4 \\U0001f600", "order": number, "amount": number / 4,
            "trace_id": f"{number + 1:032x}", "span_id": f"{number + 1:016x}", "tags": ["a", {"b": None}],
        }) + "\\n")
'''


def run_application(folder: Path, plain: Path, structured: Path, count: int):
    """Python's own logging: a text file with tracebacks, and JSON lines."""
    program = folder / "application.py"
    program.write_text(APPLICATION)
    subprocess.run([sys.executable, str(program), str(plain), str(structured), str(count)], check=True)


def rotated(folder: Path) -> list[str]:
    return sorted(os.listdir(folder))


