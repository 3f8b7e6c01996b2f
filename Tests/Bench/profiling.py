"""Where the time of a process goes, with `perf`."""
import pathlib
import subprocess
import time


def profile(peer, folder, text, work, inclusive=False):
    """Prints the libraries and functions in which a process spends its time while `work` is done."""
    data = pathlib.Path(folder, "perf.data")
    perf = subprocess.Popen(
        ["perf", "record", "-q", "-e", "cpu-clock", "-F", "2000", "-o", str(data), "-p", str(peer.process.pid)]
        + (["--call-graph", "fp"] if inclusive else []), stdin=subprocess.DEVNULL)
    time.sleep(0.5)
    work()
    perf.terminate()
    perf.wait()
    print(f"where the time of {text} goes, in per cent of its samples", flush=True)
    for key in ("dso", "symbol"):
        nesting = "--children" if inclusive and key == "symbol" else "--no-children"
        fields = f"{'overhead_children,' if nesting == '--children' else ''}overhead,{key}"
        report = subprocess.run(
            ["perf", "report", nesting, "--stdio", "-g", "none", "--percent-limit", "0.4", "-F", fields, "-i", str(data)],
            stdin=subprocess.DEVNULL, capture_output=True, text=True).stdout
        lines = [line.rstrip() for line in report.splitlines() if line.strip() and not line.startswith("#")]
        readable = subprocess.run(
            ["swift", "demangle", "--simplified"], input="\n".join(lines), capture_output=True, text=True).stdout
        print("\n".join(line[:200] for line in readable.splitlines()) + "\n", flush=True)
