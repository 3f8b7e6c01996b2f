"""Single operations of WireFormat, TelemetryData and PrometheusData: builds and runs the package beside this file, prints a table."""
import json
import re
import shutil
import subprocess

CALLS = 40


def run(root, scratch):
    build = ["swift", "build", "-c", "release", "--package-path", str(root / "Tests/Bench"), "--scratch-path", scratch,
             "-Xswiftc", "-enable-testing", "--product", "Micro"]
    subprocess.run(build, stdin=subprocess.DEVNULL, check=True)
    program = f"{scratch}/release/Micro"
    operations = json.loads(subprocess.run([program], capture_output=True, text=True, check=True).stdout)
    if any(operation["instructions"] is None for operation in operations) and shutil.which("valgrind"):
        for position, operation in enumerate(operations):
            operation["instructions"] = instructions(program, position, operation["items"])
    show(operations)
    return operations


def instructions(program, position, items):
    """Instructions per item as valgrind counts them: the difference between a long and a short run."""
    counts = []
    for calls in (CALLS, 2 * CALLS):
        command = ["valgrind", "--tool=callgrind", "--callgrind-out-file=/dev/null", program, str(position), str(calls)]
        answer = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True)
        count = re.search(r"Collected : (\d+)", answer.stderr)
        if answer.returncode or not count:
            return None
        counts.append(int(count[1]))
    return (counts[1] - counts[0]) / CALLS / items


def show(operations):
    print(f"{'operation, per item':<42} {'ns':>9} {'instructions':>13} {'allocations':>12}  goal")
    for operation in operations:
        count = operation["instructions"]
        goal = operation["goal_ns"]
        verdict = "" if goal is None else f"{'pass' if operation['ns'] <= goal else 'OVER'}, {goal:g} ns"
        if operation["mb_per_s"] is not None:
            verdict += f"  {operation['mb_per_s']:.0f} MB/s"
        print(f"{operation['operation']:<42} {operation['ns']:>9.1f} "
              f"{'not available' if count is None else format(count, '.0f'):>13} {operation['allocations']:>12.3f}  {verdict}")
