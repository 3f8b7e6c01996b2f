"""Tail sampling under load: 30 seconds of 20,000 spans a second are pending before the first decision."""
import http.client
import random
import struct
import time

import payload
import peers

NAMES = {"tail-sampling": "OTLP/HTTP traces -> tail_sampling -> batch -> nop, 600,000 spans pending"}
RATE, WAIT = 20_000, 30
SPANS_PER_TRACE, TRACES_PER_REQUEST, SENDERS = 10, 50, 10
MEMORY_GOAL, CPU_GOAL = 1.5, 1.0


# Every error, every slow trace, those of some customers, and 10 % of the rest.
PROCESSOR = f"""tail_sampling:
    decision_wait: {WAIT}s
    num_traces: 100000
    policies:
      - {{ name: errors, type: status_code, status_code: {{ status_codes: [ERROR] }} }}
      - {{ name: slow, type: latency, latency: {{ threshold_ms: 500 }} }}
      - {{ name: paid, type: string_attribute, string_attribute: {{ key: customer.tier, values: [gold] }} }}
      - {{ name: rest, type: probabilistic, probabilistic: {{ sampling_percentage: 10 }} }}"""


class Traffic:
    """Requests of 100 spans, two of each of 50 traces; the ten spans of a trace come with five requests."""

    def __init__(self, seed):
        self.template = payload.traces()
        # Random ids of the template say where each span has its own, and errors and lengths go behind.
        self.places, start = [], 0
        marker = b"\x0a\x10"
        for _ in range(payload.ITEMS):
            start = self.template.index(marker, start)
            status = self.template.index(b"\x7a\x02\x18", start + 20)
            end_time = self.template.index(b"\x41", start + 18 + 10 + 10 + 18)
            self.places.append((start + 2, end_time + 1, status + 3))
            start = status
        self.numbers = random.Random(seed)
        self.open = []
        self.bytes = 0

    def request(self):
        body = bytearray(self.template)
        while len(self.open) < TRACES_PER_REQUEST:
            self.open.append([self.numbers.randbytes(16), SPANS_PER_TRACE, self.numbers.random()])
        for position, (trace_id, end_time, status) in enumerate(self.places):
            trace = self.open[position % TRACES_PER_REQUEST]
            trace[1] -= 1
            body[trace_id:trace_id + 16] = trace[0]
            if trace[1] == 0 and trace[2] < 0.02:
                body[status] = 2
            if trace[1] == 0 and trace[2] > 0.99:
                body[end_time:end_time + 8] = struct.pack("<Q", payload.START + 900_000_000)
        self.open = [trace for trace in self.open if trace[1] > 0]
        self.bytes += len(body)
        return bytes(body)


class Senders:
    """Keep the pace, each with one request at a time on a connection of its own."""

    def __init__(self, port):
        self.all = [(http.client.HTTPConnection("127.0.0.1", port, timeout=30), Traffic(seed)) for seed in range(SENDERS)]

    def send(self, seconds):
        started = time.monotonic()
        for sent in range(0, RATE * seconds, SENDERS * payload.ITEMS):
            time.sleep(max(0, sent / RATE - (time.monotonic() - started)))
            for connection, traffic in self.all:
                connection.request("POST", "/v1/traces", traffic.request(), {"content-type": "application/x-protobuf"})
            for connection, _ in self.all:
                answer = connection.getresponse()
                answer.read()
                if answer.status != 200:
                    raise SystemExit(f"tail-sampling: a request was answered with {answer.status}")

    @property
    def bytes(self):
        return sum(traffic.bytes for _, traffic in self.all)


def passing(options, folder):
    """What the same senders cost without the processor: how busy the machine is shows here."""
    with peers.Millrace(options.millrace, folder, "traces", "nop: {}") as millrace:
        before, seconds = millrace.cpu_seconds(), 10
        Senders(millrace.http).send(seconds)
        return (millrace.cpu_seconds() - before) / (RATE * seconds) * 1e6


def run(options, folder, verdict):
    without = passing(options, folder)
    with peers.Millrace(options.millrace, folder, "traces", "nop: {}", processor=PROCESSOR) as millrace:
        idle, begin = millrace.memory_mib("VmRSS"), millrace.cpu_seconds()
        senders, spans = Senders(millrace.http), RATE * WAIT
        senders.send(WAIT)
        memory, held = millrace.memory_mib("VmRSS"), senders.bytes
        pending = millrace.number("otelcol_processor_tail_sampling_sampling_traces_on_memory")
        # From here on as many spans are decided about as come.
        full = millrace.cpu_seconds()
        senders.send(WAIT)
        filling, cost = (full - begin) / spans * 1e6, (millrace.cpu_seconds() - full) / spans * 1e6
        kept, peak = millrace.items("sent"), millrace.memory_mib("VmHWM")
        early = millrace.number("otelcol_processor_tail_sampling_sampling_trace_dropped_too_early")
        decided = millrace.number("otelcol_processor_tail_sampling_global_count_traces_sampled") * SPANS_PER_TRACE
    if early or not 0.9 * spans <= decided <= spans:
        raise SystemExit(f"tail-sampling: {decided} spans were decided about, {early} traces early")
    ratio = memory * 2**20 / held
    print(f"{'OTLP/HTTP traces -> tail_sampling -> nop':<42} {verdict(f'{cost:.2f} CPU-s/M', CPU_GOAL, cost)} with "
          f"{spans} spans pending ({filling:.2f} until then, {without:.2f} without the processor), {verdict(f'{ratio:.2f} x', MEMORY_GOAL, ratio)} their "
          f"{held / 2**20:.0f} MiB in memory ({memory:.0f} MiB, idle {idle:.0f}, peak {peak:.0f}), "
          f"{pending} traces, {kept / decided:.0%} kept")
    return {"tail-sampling": {
        "cpu_seconds_per_million": cost, "goal": CPU_GOAL, "filling_cpu_seconds_per_million": filling,
        "cpu_seconds_per_million_without": without,
        "memory_ratio": ratio, "memory_ratio_goal": MEMORY_GOAL, "rss_mib": memory, "peak_mib": peak,
        "otlp_mib": held / 2**20, "traces": pending, "kept_spans": kept}}
