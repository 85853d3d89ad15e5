#!/usr/bin/env python3
"""Has a server work for as long as you like, with people who come and go, and watches what it costs: memory, descriptors
and threads must come back to their level each time that everybody has gone, and memory must not rise.

    cargo build --release
    tests/durability/soak.py                   20 minutes with target/release/parlor
    tests/durability/soak.py --minutes 600     over night
    tests/durability/soak.py --program target/debug/parlor --minutes 2

Each round is one run of `parlor bench` with the server: now many who listen and one who talks, now many who talk, in
rooms, through plain text, with some who never read and are sent away, or who read old messages. Nothing may be lost.
Exit code 0: all is level.
"""

import argparse
import itertools
import json
import pathlib
import signal
import statistics
import subprocess
import sys
import tempfile
import time

ROUNDS = [
    ["--clients", "200"],
    ["--clients", "50", "--senders", "20", "--rate", "300"],
    ["--clients", "300", "--idle"],
    ["--clients", "100", "--rooms", "5", "--senders", "10", "--rate", "300"],
    ["--clients", "50", "--plain", "--rate", "200"],
    ["--clients", "50", "--stuck", "5", "--rate", "150", "--payload", "2000"],
    ["--history", "16"],
]

# Rounds until the allocator and the database's caches have what they will keep.
WARM_UP = 2 * len(ROUNDS)

# What memory may rise by from then to the end, in MiB, and in parts of what it was.
RISE_MIB, RISE_PART = 8, 0.10


class Level:
    """What a process has now."""

    def __init__(self, pid):
        status = pathlib.Path(f"/proc/{pid}/status").read_text()
        field = lambda name: int(next(line.split()[1] for line in status.splitlines() if line.startswith(name)))
        self.memory, self.threads = field("VmRSS:") / 1024, field("Threads:")
        self.descriptors = len(list(pathlib.Path(f"/proc/{pid}/fd").iterdir()))

    def __str__(self):
        return f"{self.memory:7.1f} MiB {self.descriptors:5} descriptors {self.threads:5} threads"


def at_rest(pid, base):
    """The level once everybody has gone, or after half a minute."""
    until = time.monotonic() + 30
    while True:
        level = Level(pid)
        if (level.threads, level.descriptors) <= (base.threads, base.descriptors) or time.monotonic() > until:
            return level
        time.sleep(0.2)


def start(program, data):
    server = subprocess.Popen(
        [program, "--listen", "127.0.0.1:0", "--data", data, "--rate", "off", "--log", "warn"], stdout=subprocess.PIPE, text=True
    )
    for line in server.stdout:
        if "open  http://" in line:
            return server, line.split("http://")[1].strip()
    sys.exit(f"{program} did not start")


def soak(program, minutes, seconds):
    """What is wrong, in words; and the level after each round."""
    wrong, memory, levels = [], [], []
    with tempfile.TemporaryDirectory() as data:
        server, address = start(program, data)
        try:
            bench = [program, "bench", "--seconds", str(seconds)]
            chat, line = f"ws://{address}", f"ws://{address}/ws?room=lobby&last=0&name={{}}"
            # The first who come have the readers connect, and so on: what is there then is the base.
            subprocess.run([*bench, chat, "--clients", "10"], check=True, stdout=subprocess.DEVNULL)
            time.sleep(2)
            base = Level(server.pid)
            begin = time.monotonic()
            for number in itertools.count(1):
                rounds = ROUNDS[number % len(ROUNDS)]
                done = subprocess.run([*bench, line if "--plain" in rounds else chat, *rounds], capture_output=True, text=True)
                if done.returncode != 0:
                    wrong.append(f"round {number}, {' '.join(rounds)}: {done.stdout}{done.stderr}")
                level = at_rest(server.pid, base)
                minute = (time.monotonic() - begin) / 60
                levels.append({"minute": minute, "after": " ".join(rounds), **vars(level)})
                print(f"{minute:6.1f} min  {level}  after {' '.join(rounds)}", flush=True)
                if level.threads > base.threads:
                    wrong.append(f"round {number}: {level.threads} threads, and {base.threads} at first")
                if level.descriptors > base.descriptors:
                    wrong.append(f"round {number}: {level.descriptors} descriptors, and {base.descriptors} at first")
                if number > WARM_UP:
                    memory.append(level.memory)
                if time.monotonic() - begin > minutes * 60:
                    break
            server.send_signal(signal.SIGTERM)
            if server.wait(15) != 0:
                wrong.append(f"it ended with {server.returncode}")
        finally:
            server.kill()
    quarter = len(memory) // 4
    if quarter:
        early, late = statistics.median(memory[:quarter]), statistics.median(memory[-quarter:])
        print(f"memory at rest: {early:.1f} MiB early, {late:.1f} MiB late")
        if late > early + max(RISE_MIB, RISE_PART * early):
            wrong.append(f"memory rises: {early:.1f} MiB early, {late:.1f} MiB late")
    else:
        print("too short to tell whether memory rises")
    return wrong, {"base": vars(base), "levels": levels, "warm_up": WARM_UP}


def main():
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--program", default="target/release/parlor", help="the executable")
    options.add_argument("--minutes", type=float, default=20, help="for how long")
    options.add_argument("--seconds", type=int, default=5, help="of each round")
    options.add_argument("--record", type=pathlib.Path, help="a file for the levels after all rounds, as JSON")
    given = options.parse_args()
    wrong, found = soak(given.program, given.minutes, given.seconds)
    if given.record:
        given.record.write_text(json.dumps(found))
    sys.exit("\n".join(wrong) if wrong else 0)


main()
