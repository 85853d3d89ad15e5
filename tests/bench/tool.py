"""What every part needs: where things are, `parlor bench`, and a server of Parlor to point it at."""

import contextlib
import json
import os
import pathlib
import re
import resource
import statistics
import subprocess
import sys
import tempfile
import time

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parent.parent
TARGET = pathlib.Path(os.environ.get("CARGO_TARGET_DIR", ROOT / "target"))
WORK = TARGET / "bench"
PARLOR = TARGET / "release" / "parlor"

# Thousands of sockets: what this process may have, those that it starts may have, too.
resource.setrlimit(resource.RLIMIT_NOFILE, (resource.getrlimit(resource.RLIMIT_NOFILE)[1],) * 2)


def sh(*command, cwd=ROOT):
    subprocess.run([str(word) for word in command], cwd=cwd, check=True, stdout=subprocess.DEVNULL)


def say(text):
    print(text, file=sys.stderr, flush=True)


def bench(*flags):
    """One measurement. A run in which something was lost has figures, too, and says so."""
    command = [str(PARLOR), "bench", "--json", *map(str, flags)]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=300)
    except subprocess.TimeoutExpired:
        raise RuntimeError("it did not end within five minutes: " + " ".join(command)) from None
    if not done.stdout:
        raise RuntimeError(done.stderr.strip())
    return json.loads(done.stdout)


class Parlor:
    """A server that runs: its url, its process, how many clients it holds, and how long it took to listen."""

    def __init__(self, process, url, capacity, start_ms, data):
        self.process, self.url, self.capacity, self.start_ms = process, url, capacity, start_ms
        self.data = pathlib.Path(data)

    def resident_mb(self):
        status = pathlib.Path(f"/proc/{self.process.pid}/status").read_text()
        return int(re.search(r"VmRSS:\s+(\d+)", status)[1]) * 1024 / 1e6


@contextlib.contextmanager
def parlor(*flags, program=PARLOR):
    """A server with a new database, or with --memory; it ends with the block."""
    with tempfile.TemporaryDirectory(prefix="parlor-bench-") as data:
        store = [] if "--memory" in flags else ["--data", data]
        command = [str(program), "--listen", "127.0.0.1:0", "--log", "off", *store, *map(str, flags)]
        begin = time.perf_counter()
        # What is to be measured is not how fast a person may be.
        process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env={**os.environ, "PARLOR_RATE": "off"})
        try:
            # It listens before it says so.
            greeting = ""
            while "room  " not in greeting:
                line = process.stdout.readline()
                if not line:
                    raise RuntimeError("the server does not start: " + " ".join(command))
                greeting += line
            start_ms = (time.perf_counter() - begin) * 1000
            secure, address = re.search(r"http(s?)://(\S+)", greeting).groups()
            yield Parlor(process, f"ws{secure}://{address}", int(re.search(r"for (\d+) clients", greeting)[1]), start_ms, data)
        finally:
            process.kill()
            process.wait()


def median(runs, *path):
    """The median of one figure over some runs; not a number where no run has it."""
    values = []
    for run in runs or []:
        for key in path:
            run = run.get(key) if run else None
        if run is not None:
            values.append(run)
    return statistics.median(values) if values else float("nan")


def turns(names, rounds):
    """All of them once a round, each round beginning with another."""
    names = list(names)
    for turn in range(rounds):
        at = turn % len(names)
        yield from ((turn, name) for name in names[at:] + names[:at])
