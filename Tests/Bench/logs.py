"""Log files: lines into batches, unparsed and parsed, beside syslog-ng; many idle files; catching up.

Files are written before the measured process starts and moved to where it looks for them once it is up, so that its
start does not count. CPU seconds are those of the whole process.
"""
import json
import os
import pathlib
import random
import re
import subprocess
import time
import urllib.request

import peers
import profiling

BLOCK = 64 << 20
IDLE_FILES, IDLE_SECONDS, IDLE_GOAL_PERCENT, IDLE_GOAL_MIB, CATCH_UP_GOAL_MIB = 10_000, 20, 1.0, 100, 120
COMBINED = (
    r'^(?P<remote>\S+) - (?P<user>\S+) \[(?P<time>[^\]]+)\] "(?P<method>\S+) (?P<path>\S+) (?P<protocol>[^"]+)" '
    r'(?P<status>\d+) (?P<bytes>\d+) "(?P<referer>[^"]*)" "(?P<agent>[^"]*)"$')
# name: what is done, CPU seconds per million lines at most, the operators, what syslog-ng does for the same.
SCENARIOS = {
    "logs-unparsed": ("nginx access lines, unparsed", 0.5, [], ""),
    "logs-json": (
        "JSON lines of ten fields, json_parser", 1.2, [{"type": "json_parser"}], 'parser { json-parser(prefix(".f.")); };'),
    "logs-regex": (
        "nginx access lines, regex_parser", 2.0, [{"type": "regex_parser", "regex": COMBINED.replace("$", "$$")}],
        f"parser {{ regexp-parser(patterns('{COMBINED}') prefix('.f.')); }};"),
}
AGENTS = (
    "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 Chrome/126.0", "Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:128.0)",
    "curl/8.9.1", "Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) AppleWebKit/605.1.15 Mobile/15E148 Safari/604.1")


def access_line(dice, number):
    """As nginx' combined format writes it: 200 bytes on average."""
    path = f"/shop/{dice.choice(('products', 'orders', 'search'))}/{dice.randrange(10**7)}"
    if dice.random() < 0.5:
        path += f"?ref=newsletter&session={dice.randrange(1 << 40):010x}"
    return (f'{dice.randrange(1, 255)}.{dice.randrange(255)}.{dice.randrange(255)}.{dice.randrange(255)} - '
            f'{"-" if dice.random() < 0.8 else "frank"} [10/Oct/2025:13:{number // 60 % 60:02}:{number % 60:02} +0000] '
            f'"{dice.choice(("GET", "GET", "GET", "POST"))} {path} HTTP/1.1" {dice.choice((200, 200, 200, 304, 404, 500))} '
            f'{dice.randrange(10**6)} "https://www.example.com/{dice.choice(("", "start.html", "index.php?page=2"))}" '
            f'"{dice.choice(AGENTS)}"\n')


def json_line(dice, number):
    """Ten fields, as structured loggers write them."""
    return json.dumps({
        "time": f"2025-10-10T13:{number // 60 % 60:02}:{number % 60:02}.{number % 1000:03}Z",
        "level": dice.choice(("info", "info", "warn", "error")), "logger": "shop.orders.OrderController",
        "message": f"order {dice.randrange(10**7)} was placed", "order": dice.randrange(10**9),
        "duration": round(dice.random() * 1000, 3), "retry": dice.random() < 0.1, "host": f"shop-{dice.randrange(40)}",
        "trace": f"{dice.randrange(1 << 128):032x}", "user": dice.choice((None, "frank", "zoë"))},
        ensure_ascii=False, separators=(",", ":")) + "\n"


class LogFile:
    """A file of a given size, made of one block of lines over and over."""

    def __init__(self, path, size, line, seed=1):
        dice = random.Random(seed)
        lines = [line(dice, number).encode() for number in range(4096)]
        # Lines differ, in other order each time: few are made, many are written.
        block, count = [], 0
        length = 0
        while length < min(size, BLOCK):
            block.append(dice.choice(lines))
            length += len(block[-1])
        data = b"".join(block)
        self.lines, self.size, self.path = 0, 0, path
        with open(path, "wb", buffering=0) as file:
            while self.size < size:
                self.size += file.write(data)
                self.lines += len(block)


class LogProgram(peers.Peer):
    """`RECEIVER -> batch -> nop`."""

    def __init__(self, options, folder, receiver, settings):
        port, self.metrics = peers.free_port(), peers.free_port()
        config = pathlib.Path(folder, f"{receiver}.yaml")
        config.write_text(json.dumps({
            "receivers": {receiver: settings}, "processors": {"batch": {}}, "exporters": {"nop": {}},
            "extensions": {"health_check": {"endpoint": f"127.0.0.1:{port}"}},
            "service": {
                "extensions": ["health_check"],
                "telemetry": {"metrics": {"readers": [
                    {"pull": {"exporter": {"prometheus": {"host": "127.0.0.1", "port": self.metrics}}}}]}},
                "pipelines": {"logs": {"receivers": [receiver], "processors": ["batch"], "exporters": ["nop"]}},
            },
        }))
        super().__init__([options.millrace, "run", str(config)], port, folder, receiver)

    def metric(self, name):
        """The sum of all series of a metric."""
        with urllib.request.urlopen(f"http://127.0.0.1:{self.metrics}/metrics", timeout=10) as answer:
            text = answer.read().decode()
        values = re.findall(rf"^{name}(?:_total)?(?:{{[^}}]*}})? (\S+)$", text, re.MULTILINE)
        return round(sum(float(value) for value in values))

    def sent(self):
        return self.metric("otelcol_exporter_sent_log_records")

    def wait_until_sent(self, wanted):
        deadline = time.monotonic() + 600
        while (sent := self.sent()) < wanted:
            if time.monotonic() > deadline:
                raise SystemExit(f"{sent} of {wanted} lines came through:\n{self.log.read_text()[-3000:]}")
            time.sleep(0.02)
        if sent > wanted:
            raise SystemExit(f"{wanted} lines were written, {sent} came through")


def file_log(options, folder, include, operators=(), start="beginning"):
    settings = {"include": [include], "start_at": start}
    if operators:
        settings["operators"] = list(operators)
    return LogProgram(options, folder, "file_log", settings)


class SyslogNG:
    """syslog-ng from a source to /dev/null."""

    def __init__(self, folder, source, parser="", value="${MESSAGE}"):
        self.folder = folder
        config = pathlib.Path(folder, "syslog-ng.conf")
        config.write_text(f"""@version: 3.38
options {{ stats-freq(0); threaded(yes); log-msg-size(1048576); }};
log {{
  source {{ {source} }};
  {parser}
  destination {{ file("/dev/null" template("{value}\\n") log-fifo-size(200000)); }};
  flags(flow-control);
}};
""")
        self.command = [
            "/usr/sbin/syslog-ng", "-F", "--no-caps", "-f", str(config), "-R", f"{folder}/ng.persist", "-c", f"{folder}/ng.ctl",
            "-p", f"{folder}/ng.pid"]

    @classmethod
    def reading(cls, folder, path, parser):
        source = f'file("{path}" flags(no-parse) follow-freq(0.1) log-fetch-limit(1000) log-iw-size(100000));'
        return cls(folder, source, parser, "${.f.status}${.f.order}" if parser else "${MESSAGE}")

    def cost(self, is_complete, feed=None):
        """CPU seconds and elapsed seconds until everything that `feed` gives it is there, and nothing is done any more.

        `is_complete` is asked with the process id; `feed` is called once syslog-ng runs, and what was used by then does
        not count.
        """
        pathlib.Path(self.folder, "ng.persist").unlink(missing_ok=True)
        log = pathlib.Path(self.folder, "syslog-ng.log")
        with log.open("wb") as output:
            process = subprocess.Popen(self.command, stdin=subprocess.DEVNULL, stdout=output, stderr=output)
        peer = peers.Peer.of(process)
        try:
            before = 0.0
            if feed:
                time.sleep(1)
                before = peer.cpu_seconds()
            started, used, still = time.monotonic(), 0.0, 0
            if feed:
                feed()
            while still < 5:
                if process.poll() is not None:
                    raise SystemExit(f"syslog-ng ended at once:\n{log.read_text()}")
                time.sleep(0.1)
                now = peer.cpu_seconds()
                still = still + 1 if is_complete(process.pid) and now - used < 0.02 else 0
                used = now
            return used - before, time.monotonic() - started - 0.5
        finally:
            peer.stop()


def position(pid, path):
    """How far a process has read a file."""
    try:
        for entry in os.scandir(f"/proc/{pid}/fd"):
            if os.path.realpath(entry.path) == str(path):
                return int(re.search(r"pos:\s+(\d+)", pathlib.Path(f"/proc/{pid}/fdinfo/{entry.name}").read_text())[1])
    except OSError:
        pass
    return -1


class Run:
    """One scenario: its file, hidden, and the program that will find it."""

    def __init__(self, options, folder, name):
        self.text, self.goal, operators, self.parser = SCENARIOS[name]
        self.folder = pathlib.Path(folder, name)
        self.folder.mkdir()
        line = json_line if name == "logs-json" else access_line
        self.file = LogFile(self.folder / "written", int(options.log_gib * (1 << 30)), line)
        self.shown = self.folder / "access.log"
        self.program = file_log(options, self.folder, str(self.shown), operators)
        time.sleep(0.5)

    def read(self):
        """Shows the file, waits until its lines have come through, and returns the seconds that took."""
        started = time.monotonic()
        os.rename(self.file.path, self.shown)
        self.program.wait_until_sent(self.file.lines)
        return time.monotonic() - started


def speed(options, folder, name, verdict):
    run = Run(options, folder, name)
    with run.program as program:
        before = program.cpu_seconds()
        elapsed = run.read()
        cost, peak = (program.cpu_seconds() - before) / run.file.lines * 1e6, program.memory_mib("VmHWM")
    lines, size = run.file.lines, run.file.size
    print(f"{run.text:<42} {verdict(f'{cost:.2f} CPU-s/M', run.goal, cost)}, {lines / elapsed / 1e6:.2f} M lines/s, "
          f"{size / elapsed / 1e6:.0f} MB/s, peak {verdict(f'{peak:.0f} MiB', CATCH_UP_GOAL_MIB, peak)}, "
          f"{size / lines:.0f} bytes a line", flush=True)
    theirs = SyslogNG.reading(run.folder, run.shown, run.parser).cost(lambda pid: position(pid, run.shown) == size)
    run.shown.unlink()
    return {"cpu_seconds_per_million": cost, "goal": run.goal, "lines_per_second": lines / elapsed, "peak_mib": peak,
            **beside(theirs, lines, cost)}


def beside(theirs, lines, cost):
    """Prints what syslog-ng needs for the same, and gives it as figures."""
    per_million, rate = theirs[0] / lines * 1e6, lines / theirs[1]
    print(f"{'  syslog-ng, the same':<42} {per_million:.2f} CPU-s/M, {rate / 1e6:.2f} M lines/s; Millrace needs "
          f"{cost / per_million:.2f} of its CPU", flush=True)
    return {"syslog_ng_cpu_seconds_per_million": per_million, "syslog_ng_lines_per_second": rate}


def profile(options, folder, name):
    run = Run(options, folder, name)
    with run.program as program:
        profiling.profile(program, folder, run.text, run.read, options.inclusive)


def idle(options, folder, verdict):
    """Ten thousand files in which nothing happens."""
    folder = pathlib.Path(folder, "logs-idle")
    files = folder / "files"
    files.mkdir(parents=True)
    dice = random.Random(2)
    for number in range(IDLE_FILES):
        pathlib.Path(files, f"{number}.log").write_text("".join(access_line(dice, number) for _ in range(10)))
    with file_log(options, folder, f"{files}/*.log", start="end") as program:
        time.sleep(5)
        before = program.cpu_seconds()
        time.sleep(IDLE_SECONDS)
        percent = (program.cpu_seconds() - before) / IDLE_SECONDS * 100
        # They are watched all the same.
        for number in (0, IDLE_FILES // 2, IDLE_FILES - 1):
            with open(files / f"{number}.log", "a") as file:
                file.write("one more\n")
        program.wait_until_sent(3)
        peak = program.memory_mib("VmHWM")
    print(f"{f'{IDLE_FILES} idle log files':<42} {verdict(f'{percent:.2f} % of a core', IDLE_GOAL_PERCENT, percent)}, peak "
          f"{verdict(f'{peak:.0f} MiB', IDLE_GOAL_MIB, peak)}", flush=True)
    return {"cpu_percent": percent, "goal": IDLE_GOAL_PERCENT, "peak_mib": peak, "peak_goal_mib": IDLE_GOAL_MIB}


def catch_up(options, folder, verdict):
    """Ten times as much as is read otherwise: memory must not grow with it."""
    folder = pathlib.Path(folder, "logs-catch-up")
    folder.mkdir()
    hidden = LogFile(folder / "written", int(options.log_gib * 10 * (1 << 30)), access_line, seed=3)
    shown = folder / "access.log"
    with file_log(options, folder, str(shown)) as program:
        os.rename(hidden.path, shown)
        program.wait_until_sent(hidden.lines)
        peak = program.memory_mib("VmHWM")
    shown.unlink()
    print(f"{f'catching up on {hidden.size / (1 << 30):.1f} GiB of lines':<42} peak "
          f"{verdict(f'{peak:.0f} MiB', CATCH_UP_GOAL_MIB, peak)}", flush=True)
    return {"peak_mib": peak, "peak_goal_mib": CATCH_UP_GOAL_MIB, "bytes": hidden.size}


NAMES = {name: f"{text} -> batch -> nop, beside syslog-ng" for name, (text, *_) in SCENARIOS.items()} | {
    "logs-idle": f"{IDLE_FILES} log files in which nothing happens", "logs-catch-up": "ten times --log-gib of lines at once"}


def run(options, folder, verdict, only=None):
    results = {}
    for name in SCENARIOS:
        if only in (None, name):
            results[name] = speed(options, folder, name, verdict)
    if only in (None, "logs-idle"):
        results["logs-idle"] = idle(options, folder, verdict)
    if only in (None, "logs-catch-up"):
        results["logs-catch-up"] = catch_up(options, folder, verdict)
    return results
