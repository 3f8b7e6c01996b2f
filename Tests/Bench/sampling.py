"""Tail sampling under load: 30 seconds of 20,000 spans a second are pending before the first decision."""
import http.client
import random
import struct
import time

import payload
import peers

NAMES = {"tail-sampling": "OTLP/HTTP traces -> tail_sampling -> batch -> nop, 600,000 spans pending"}
RATE, WAIT = 20_000, 30
SPANS_PER_TRACE, SENDERS = 10, 10
MEMORY_GOAL, CPU_GOAL = 1.5, 1.0
# What the batch processors of the SDKs send at most by default, which the goal is for; and what the other scenarios have
# in a request: there most of the cost is the requests', and at so few of them it moves with the machine.
REQUESTS = {"SDKs' requests of 512 spans": (512, CPU_GOAL), "requests of 100 spans": (payload.ITEMS, None)}


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
    """Requests of two spans of each trace, which are no neighbours; the ten spans of a trace come with five requests."""

    def __init__(self, seed, spans):
        self.template, self.traces = payload.traces(spans), spans // 2
        # Random ids of the template say where each span has its own, and errors and lengths go behind.
        self.places, start = [], 0
        marker = b"\x0a\x10"
        for _ in range(spans):
            start = self.template.index(marker, start)
            status = self.template.index(b"\x7a\x02\x18", start + 20)
            # Behind ids, name, kind and start.
            end_time = start + 18 + 10 + 10 + 18 + 2 + 9
            assert self.template[end_time] == 0x41
            self.places.append((start + 2, end_time + 1, status + 3))
            start = status
        self.numbers = random.Random(seed)
        self.open = []

    def request(self):
        body = bytearray(self.template)
        while len(self.open) < self.traces:
            self.open.append([self.numbers.randbytes(16), SPANS_PER_TRACE, self.numbers.random()])
        for position, (trace_id, end_time, status) in enumerate(self.places):
            trace = self.open[position % self.traces]
            trace[1] -= 1
            body[trace_id:trace_id + 16] = trace[0]
            if trace[1] == 0 and trace[2] < 0.02:
                body[status] = 2
            if trace[1] == 0 and trace[2] > 0.99:
                body[end_time:end_time + 8] = struct.pack("<Q", payload.START + 900_000_000)
        self.open = [trace for trace in self.open if trace[1] > 0]
        return bytes(body)


class Senders:
    """Keep the pace, each with one request at a time on a connection of its own.

    All requests are made before the first is sent: making them takes more time than handling them, on the core and in the
    caches of the process that is measured.
    """

    def __init__(self, port, spans, seconds):
        self.spans = spans
        requests = RATE * seconds // spans // SENDERS + 2
        self.connections = [http.client.HTTPConnection("127.0.0.1", port, timeout=30) for _ in range(SENDERS)]
        self.bodies = [[traffic.request() for _ in range(requests)] for traffic in (Traffic(seed, spans) for seed in range(SENDERS))]
        self.sent = 0

    def send(self, seconds):
        """Gives how many spans were sent."""
        started, before = time.monotonic(), self.sent
        for sent in range(0, RATE * seconds, SENDERS * self.spans):
            time.sleep(max(0, sent / RATE - (time.monotonic() - started)))
            for connection, bodies in zip(self.connections, self.bodies):
                connection.request("POST", "/v1/traces", bodies[self.sent], {"content-type": "application/x-protobuf"})
            self.sent += 1
            for connection in self.connections:
                answer = connection.getresponse()
                answer.read()
                if answer.status != 200:
                    raise SystemExit(f"tail-sampling: a request was answered with {answer.status}")
        return (self.sent - before) * SENDERS * self.spans

    @property
    def bytes(self):
        """Of all that was sent."""
        return sum(len(body) for bodies in self.bodies for body in bodies[:self.sent])


def passing(options, folder, spans):
    """What the same senders cost without the processor: how busy the machine is shows here."""
    with peers.Millrace(options.millrace, folder, "traces", "nop: {}") as millrace:
        seconds = 10
        senders, before = Senders(millrace.http, spans, seconds), millrace.cpu_seconds()
        sent = senders.send(seconds)
        return (millrace.cpu_seconds() - before) / sent * 1e6


def measure(options, folder, name, spans, goal, verdict):
    without = passing(options, folder, spans)
    with peers.Millrace(options.millrace, folder, "traces", "nop: {}", processor=PROCESSOR) as millrace:
        senders = Senders(millrace.http, spans, 2 * WAIT)
        idle, begin = millrace.memory_mib("VmRSS"), millrace.cpu_seconds()
        filled = senders.send(WAIT)
        memory, held = millrace.memory_mib("VmRSS"), senders.bytes
        pending = millrace.number("otelcol_processor_tail_sampling_sampling_traces_on_memory")
        # From here on as many spans are decided about as come.
        full = millrace.cpu_seconds()
        sent = senders.send(WAIT)
        filling, cost = (full - begin) / filled * 1e6, (millrace.cpu_seconds() - full) / sent * 1e6
        kept, peak = millrace.items("sent"), millrace.memory_mib("VmHWM")
        early = millrace.number("otelcol_processor_tail_sampling_sampling_trace_dropped_too_early")
        decided = millrace.number("otelcol_processor_tail_sampling_global_count_traces_sampled") * SPANS_PER_TRACE
    # A trace counts as whole as soon as it is decided about.
    if early or not 0.9 * sent <= decided <= 1.05 * filled:
        raise SystemExit(f"tail-sampling: {decided} spans were decided about, {early} traces early")
    ratio = memory * 2**20 / held
    figure = f"{cost:.2f} CPU-s/M"
    print(f"{name:<42} {verdict(figure, goal, cost) if goal else figure} with {filled} spans pending ({filling:.2f} until then, "
          f"{without:.2f} without the processor), {verdict(f'{ratio:.2f} x', MEMORY_GOAL, ratio)} their {held / 2**20:.0f} MiB "
          f"in memory ({memory:.0f} MiB, idle {idle:.0f}, peak {peak:.0f}), {pending} traces, {kept / decided:.0%} kept")
    return {
        "cpu_seconds_per_million": cost, "goal": goal, "filling_cpu_seconds_per_million": filling,
        "cpu_seconds_per_million_without": without,
        "memory_ratio": ratio, "memory_ratio_goal": MEMORY_GOAL, "rss_mib": memory, "peak_mib": peak,
        "otlp_mib": held / 2**20, "traces": pending, "kept_spans": kept}


def run(options, folder, verdict):
    print("OTLP/HTTP traces -> tail_sampling -> nop, 20,000 spans/s")
    return {f"tail-sampling-{spans}": measure(options, folder, name, spans, goal, verdict)
            for name, (spans, goal) in REQUESTS.items()}
