"""Log records over the network: lines and syslog messages into batches, beside syslog-ng.

The sender is a process of its own, whose time does not count. Over TCP it sends as fast as it is read. Datagrams are
sent at a pace that both take without losing any: what counts is the CPU time each needs.
"""
import multiprocessing
import pathlib
import random
import socket
import time

import logs
import peers

RATE, BURST = 50_000, 50  # datagrams a second, and how many at a time
CONNECTIONS = 4
SYSLOG = {"protocol": "rfc5424"}
# name: what is done, CPU seconds per million lines at most, the receiver and its settings by address, the source of
# syslog-ng by port, how a record is framed, the protocol below.
SCENARIOS = {
    "logs-tcp": (
        "nginx access lines over TCP, tcp_log", 0.5, "tcp_log", lambda address: {"listen_address": address},
        'network(ip("127.0.0.1") port({port}) transport("tcp") flags(no-parse) log-iw-size(100000) max-connections(10));',
        lambda line: line + b"\n", "tcp"),
    "logs-syslog-tcp": (
        "syslog RFC 5424 over TCP, counted", 1.5, "syslog",
        lambda address: SYSLOG | {"tcp": {"listen_address": address}, "enable_octet_counting": True},
        'syslog(ip("127.0.0.1") port({port}) transport("tcp") log-iw-size(100000) max-connections(10));',
        lambda line: b"%d %s" % (len(line), line), "tcp"),
    "logs-syslog-udp": (
        "syslog RFC 5424 over UDP", 4.0, "syslog", lambda address: SYSLOG | {"udp": {"listen_address": address}},
        'syslog(ip("127.0.0.1") port({port}) transport("udp") so-rcvbuf(4194304) log-iw-size(100000));',
        lambda line: line, "udp"),
}
NAMES = {name: f"{text} -> batch -> nop, beside syslog-ng" for name, (text, *_) in SCENARIOS.items()}


def message(dice, number):
    """As rsyslog forwards what a program says, with one element of structured data: about 200 bytes."""
    return (f'<{dice.randrange(192)}>1 2025-10-10T13:{number // 60 % 60:02}:{number % 60:02}.{dice.randrange(10**6):06}Z '
            f'shop-{dice.randrange(40)}.example.com orders {dice.randrange(30000)} ID{dice.randrange(50)} '
            f'[request@32473 id="{dice.randrange(1 << 64):016x}" user="{dice.choice(("frank", "zoë"))}"] '
            f'order {dice.randrange(10**7)} was placed in {dice.randrange(1000)} ms, {dice.choice(("paid", "to be paid"))}')


def records(name, count, seed=1):
    """Some of the records, framed, from which all of them are chosen."""
    _, _, receiver, _, _, frame, _ = SCENARIOS[name]
    dice = random.Random(seed)
    make = message if receiver == "syslog" else lambda dice, number: logs.access_line(dice, number)[:-1]
    return [frame(make(dice, number).encode()) for number in range(min(count, 4096))]


def send_stream(port, block, times):
    with socket.create_connection(("127.0.0.1", port)) as connection:
        for _ in range(times):
            connection.sendall(block)
        # All of it has been taken when the other side closes.
        connection.shutdown(socket.SHUT_WR)
        connection.settimeout(120)
        connection.recv(1)


def send_datagrams(port, datagrams, count):
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as connection:
        connection.connect(("127.0.0.1", port))
        started = time.monotonic()
        for number in range(count):
            if number % BURST == 0:
                time.sleep(max(0, started + number / RATE - time.monotonic()))
            connection.send(datagrams[number % len(datagrams)])


class Load:
    """What is sent, again and again in the same way."""

    def __init__(self, name, count):
        self.is_stream = SCENARIOS[name][6] == "tcp"
        self.records = records(name, count)
        self.times = max(1, count // CONNECTIONS // len(self.records))
        self.count = self.times * CONNECTIONS * len(self.records) if self.is_stream else count
        self.bytes = round(sum(map(len, self.records)) / len(self.records))

    def send(self, port):
        """Sends all of it from other processes, and returns when it is sent."""
        if self.is_stream:
            block = b"".join(self.records)
            senders = [
                multiprocessing.Process(target=send_stream, args=(port, block, self.times)) for _ in range(CONNECTIONS)]
        else:
            senders = [multiprocessing.Process(target=send_datagrams, args=(port, self.records, self.count))]
        for sender in senders:
            sender.start()
        for sender in senders:
            sender.join()


def start(options, folder, name):
    """The program that receives, and the port."""
    port = peers.free_port()
    _, _, receiver, settings, *_ = SCENARIOS[name]
    return logs.LogProgram(options, folder, receiver, settings(f"127.0.0.1:{port}")), port


def speed(options, folder, name, verdict):
    text, goal, _, _, source, _, _ = SCENARIOS[name]
    folder = pathlib.Path(folder, name)
    folder.mkdir()
    # As many as fill a file of that size.
    load = Load(name, max(4096, int(options.log_gib * (1 << 30) / 200) // (1 if "tcp" in name else 5)))
    program, port = start(options, folder, name)
    with program:
        before, started = program.cpu_seconds(), time.monotonic()
        load.send(port)
        program.wait_until_sent(load.count)
        elapsed = time.monotonic() - started
        cost, peak = (program.cpu_seconds() - before) / load.count * 1e6, program.memory_mib("VmHWM")
    pace = "" if load.is_stream else " as sent"
    print(f"{text:<42} {verdict(f'{cost:.2f} CPU-s/M', goal, cost)}, {load.count / elapsed / 1e6:.2f} M lines/s{pace}, "
          f"{load.count * load.bytes / elapsed / 1e6:.0f} MB/s, peak "
          f"{verdict(f'{peak:.0f} MiB', logs.CATCH_UP_GOAL_MIB, peak)}, {load.bytes} bytes a line", flush=True)
    port = peers.free_port()
    theirs = logs.SyslogNG(folder, source.replace("{port}", str(port))).cost(lambda _: True, lambda: load.send(port))
    return {"cpu_seconds_per_million": cost, "goal": goal, "lines_per_second": load.count / elapsed, "peak_mib": peak,
            **logs.beside(theirs, load.count, cost)}


def profile(options, folder, name):
    load = Load(name, int(options.log_gib * (1 << 30) / 200))
    program, port = start(options, folder, name)
    with program:
        def work():
            load.send(port)
            program.wait_until_sent(load.count)

        logs.profiling.profile(program, folder, SCENARIOS[name][0], work, options.inclusive)


def run(options, folder, verdict, only=None):
    return {name: speed(options, folder, name, verdict) for name in SCENARIOS if only in (None, name)}
