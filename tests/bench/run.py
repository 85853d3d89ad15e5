#!/usr/bin/env python3
"""Measures Parlor and its peers side by side, in turn, with `parlor bench`, and writes RESULTS.md.

    tests/bench/run.py              three rounds, about a quarter of an hour
    tests/bench/run.py --quick      one round, two seconds each: to see that it works

It needs cargo, node with npm, python3 with venv, and libuv1 for socketify; what cannot be set up is left out, and said. All peers broadcast
bare: no rooms, no numbers, nothing stored. They are sent as many bytes for each delivery as Parlor sends.
"""

import argparse
import datetime
import json
import os
import pathlib
import re
import statistics
import subprocess
import sys

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parent.parent
WORK = ROOT / "target" / "bench"
PARLOR = ROOT / "target" / "release" / "parlor"
YARDSTICK = "tokio-tungstenite"


def sh(*command, cwd=ROOT):
    subprocess.run([str(word) for word in command], cwd=cwd, check=True, stdout=subprocess.DEVNULL)


def cargo_peer(name):
    sh("cargo", "build", "--release", "--quiet", "--target-dir", WORK / name, cwd=HERE / "peers" / name)
    return [WORK / name / "release" / "broadcast"]


def node_peer(name):
    folder = WORK / name
    folder.mkdir(parents=True, exist_ok=True)
    for file in (HERE / "peers" / name).iterdir():
        (folder / file.name).write_bytes(file.read_bytes())
    sh("npm", "install", "--silent", "--no-audit", "--no-fund", cwd=folder)
    return ["node", folder / "server.js"]


def python_peer(name, package):
    folder = WORK / name
    if not (folder / "bin" / "python").exists():
        sh("python3", "-m", "venv", folder)
    sh(folder / "bin" / "pip", "install", "--quiet", package)
    return [folder / "bin" / "python", HERE / "peers" / name / "server.py"]


PEERS = {
    "tokio-tungstenite": lambda: cargo_peer("tokio-tungstenite"),
    "Node ws": lambda: node_peer("node-ws"),
    "Python websockets": lambda: python_peer("python-websockets", "websockets"),
    "Socket.IO, a room": lambda: node_peer("socket-io"),
    "socketify": lambda: python_peer("socketify", "socketify"),
}
# Socket.IO has a protocol of its own within the frames.
SOCKET_IO = ["--greet", "40", "--before", '42["m","', "--after", '"]']
OWN = {"Parlor, synchronous=FULL": [], "Parlor, --memory": ["--memory"]}


def bench(*flags):
    """One measurement. A run in which something was lost has figures, too, and says so."""
    command = [str(PARLOR), "bench", "--json", *map(str, flags)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=300)
    if not done.stdout:
        raise RuntimeError(done.stderr.strip())
    return json.loads(done.stdout)


def bench_peer(name, command, payload, *flags):
    path, dialect = ("", [])
    if name.startswith("Socket.IO"):
        path, dialect = "/socket.io/?EIO=4&transport=websocket", SOCKET_IO
        payload -= len(SOCKET_IO[3]) + len(SOCKET_IO[5])
    server = subprocess.Popen([str(word) for word in command], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    try:
        address = re.search(r"ws://\S+", server.stdout.readline())
        if not address:
            raise RuntimeError("it does not start: " + server.stderr.read().strip().splitlines()[-1])
        return bench(address[0] + path, "--plain", *dialect, "--payload", payload, "--pid", server.pid, *flags)
    finally:
        server.kill()
        server.wait()


def set_up():
    sh("cargo", "build", "--release", "--quiet")
    ready, missing = {}, {}
    for name, make in PEERS.items():
        try:
            ready[name] = make()
            # One that cannot be started is not there, either.
            bench_peer(name, ready[name], 200, "--clients", 2, "--seconds", 0.2)
        except Exception as why:
            ready.pop(name, None)
            missing[name] = str(why).splitlines()[-1] if str(why) else repr(why)
            print(f"left out: {name}: {missing[name]}", file=sys.stderr)
    return ready, missing


def measure(peers, clients, rounds, seconds):
    """All of them, once a round, in an order that turns."""
    found = {name: [] for name in [*OWN, *peers]}
    payload = None
    for turn in range(rounds):
        names = list(OWN) + list(peers)
        for name in names[turn % len(names) :] + names[: turn % len(names)] if payload else names:
            flags = ["--clients", clients, "--seconds", seconds, "--window", 64]
            if name in OWN:
                figures = bench(*OWN[name], *flags)
                payload = payload or round(figures["bytes_per_delivery"])
            else:
                figures = bench_peer(name, peers[name], payload, *flags)
            found[name].append(figures)
            print(f"{clients} clients, round {turn + 1}: {name}: {figures['deliveries_per_second']:,.0f}/s", file=sys.stderr)
    return found


def median(runs, *path):
    values = []
    for run in runs:
        for key in path:
            run = run.get(key) if run else None
        if run is not None:
            values.append(run)
    return statistics.median(values) if values else float("nan")


def table(found):
    yard = found.get(YARDSTICK)
    rows = ["| | deliveries/s | × | CPU ns a delivery | × | p50 ms | p99 ms | bytes | lost |", "|---|--:|--:|--:|--:|--:|--:|--:|--:|"]
    for name, runs in found.items():
        rate, cpu = median(runs, "deliveries_per_second"), median(runs, "cpu_ns_per_delivery")
        times = [rate / median(yard, "deliveries_per_second"), cpu / median(yard, "cpu_ns_per_delivery")] if yard else [float("nan")] * 2
        rows.append(
            f"| {name} | {rate:,.0f} | {times[0]:.2f} | {cpu:,.0f} | {times[1]:.2f} "
            f"| {median(runs, 'latency_ms', 'p50'):.2f} | {median(runs, 'latency_ms', 'p99'):.2f} "
            f"| {median(runs, 'bytes_per_delivery'):.0f} | {sum(run['lost'] for run in runs)} |"
        )
    return "\n".join(rows)


def main():
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--quick", action="store_true", help="one round, two seconds each; RESULTS.md stays as it is")
    quick = options.parse_args().quick
    rounds, seconds = (1, 2) if quick else (3, 4)
    peers, missing = set_up()
    parts = []
    for clients in (100, 1000):
        parts.append(f"## {clients:,} clients\n\n{table(measure(peers, clients, rounds, seconds))}\n")
    text = f"""# Side by side

Made by `tests/bench/run.py` on {datetime.date.today()}, {os.cpu_count()} processors, {rounds} round(s) of {seconds} s each, in
turn; each figure is the median. One client sends, a window of 64 messages is in flight until everybody has each of them.
Parlor does its whole work: JSON, rooms, numbers, and with `synchronous=FULL` each message is on the disk before anybody sees
it. The others broadcast bare, as many bytes for each delivery as Parlor. × is the ratio to {YARDSTICK}.

The clients take a processor of their own; on two processors a server with more threads than one shares it with them.

{chr(10).join(parts)}"""
    for name, why in missing.items():
        text += f"\nLeft out, because it could not be set up here: {name} ({why}).\n"
    print(text) if quick else (HERE / "RESULTS.md").write_text(text)


if __name__ == "__main__":
    main()
