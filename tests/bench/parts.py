"""What is measured, a function for each part. Each gives what is kept as JSON, and RESULTS.md is written from."""

import contextlib
import json
import re
import sqlite3
import tempfile
import time
import urllib.request
from concurrent import futures

import search as archive
from engines import ENGINES, REDIS
from peers import YARDSTICK, bench_peer
from tool import PARLOR, ROOT, WORK, bench, median, parlor, say, sh, turns

OWN = {"Parlor, synchronous=FULL": [], "Parlor, --memory": ["--memory"]}
FULL, MEMORY = OWN
STORES = {"memory": ["--memory"], "SQLite": []}


def side(peers, quick):
    """100 and 1,000 clients, everyone in turn."""
    found = {}
    for clients in (100, 1000):
        runs = found[str(clients)] = {name: [] for name in [*OWN, *peers]}
        payload = None
        for turn, name in turns(runs, 1 if quick else 3):
            flags = ["--clients", clients, "--seconds", 2 if quick else 4, "--window", 64]
            if name in OWN:
                figures = bench(*OWN[name], *flags)
                payload = payload or round(figures["bytes_per_delivery"])
            else:
                figures = bench_peer(name, peers[name], payload, *flags)
            runs[name].append(figures)
            say(f"{clients} clients, round {turn + 1}: {name}: {figures['deliveries_per_second']:,.0f}/s")
    return found


def latency(peers, quick):
    """1,000 clients and little to do."""
    flags = ["--clients", 1000, "--rate", 20, "--seconds", 2 if quick else 4]
    found = {"Parlor, synchronous=NORMAL": [], YARDSTICK: []}
    payload = None
    for _, name in turns([name for name in found if name != YARDSTICK or name in peers], 1 if quick else 3):
        if name == YARDSTICK:
            figures = bench_peer(name, peers[name], payload, *flags)
        else:
            figures = bench("--sync", "normal", *flags)
            payload = round(figures["bytes_per_delivery"])
        found[name].append(figures)
        say(f"latency: {name}: p99 {figures['latency_ms']['p99']:.2f} ms")
    return found


SENDERS = 64
# Half of what may wait for a client whose turn was not yet: more would be sent away for it.
IN_FLIGHT = 262_144


def posts(_, quick):
    """Posts that are stored, beside batches of bare inserts of the same size."""
    seconds = 2 if quick else 4
    found = {str(window): {"parlor": [], "bare": [], "batch": None, "measured": False} for window in (64, 1024)}
    for _, window in turns(found, 1 if quick else 3):
        part = found[window]
        with parlor("--max-rooms", SENDERS + 1) as server:
            flags = ["--clients", SENDERS, "--rooms", SENDERS, "--senders", SENDERS, "--window", window]
            part["parlor"].append(bench(server.url, *flags, "--seconds", seconds, "--pid", server.process.pid))
            batch = batch_size(server)
        part["measured"] = batch is not None
        # Where the server does not tell: half of what is in flight waits while the other half is stored.
        part["batch"] = round(batch or int(window) / 2)
        part["bare"].append({"rows_per_second": bare_inserts(part["batch"], seconds)})
        rates = part["parlor"][-1]["messages_per_second"], part["bare"][-1]["rows_per_second"]
        say(f"posts, {window} in flight: {rates[0]:,.0f}/s, bare {rates[1]:,.0f}/s")
    return {"windows": found, "sqlite": sqlite3.sqlite_version}


def batch_size(server):
    """How many messages a transaction had, if the server counts them."""
    try:
        with urllib.request.urlopen(server.url.replace("ws:", "http:") + "/metrics", timeout=5) as answer:
            text = answer.read().decode()
    except OSError:
        return None
    value = {key: float(number) for key, number in re.findall(r"^parlor_batch_messages_(sum|count) (\S+)", text, re.M)}
    return value["sum"] / value["count"] if value.get("count") else None


def bare_inserts(batch, seconds):
    """Rows a second into the table that Parlor has, by nothing but SQLite."""
    with tempfile.TemporaryDirectory(prefix="parlor-bench-") as folder:
        database = sqlite3.connect(folder + "/bare.db", isolation_level=None)
        # The line alone: what is indexed besides, the server does when it has nothing else to do.
        database.executescript((ROOT / "src/store/migrations/sqlite/00000000000001_line/up.sql").read_text())
        for pragma in ("journal_mode = WAL", "synchronous = FULL", "foreign_keys = ON"):
            database.execute("PRAGMA " + pragma)
        everyone = range(1, SENDERS + 1)
        database.executemany("INSERT INTO people (id, name, folded, role, created_at) VALUES (?, ?, ?, 'guest', 0)", [(n, f"p{n}", f"p{n}") for n in everyone])
        database.executemany(
            "INSERT INTO rooms (id, name, title, topic, kind, archived, head, created_at) VALUES (?, ?, '', '', 'public', 0, 0, 0)",
            [(n, f"r{n}") for n in everyone],
        )
        count, begin = 0, time.perf_counter()
        while time.perf_counter() < begin + seconds:
            rows = []
            for n in range(count, count + batch):
                number, room = n // SENDERS + 1, n % SENDERS + 1
                key = room << 40 | number
                rows.append((key, room, number, number, room, f"b-{number:x}", 1_700_000_000_000 + n, "x" * 64))
            database.execute("BEGIN IMMEDIATE")
            database.executemany(
                "INSERT INTO messages (id, room_id, seq, rev, author_id, client_id, at, body) VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
                rows,
            )
            database.execute("COMMIT")
            count += batch
        rate = count / (time.perf_counter() - begin)
        database.close()
        return rate


def holding(_, quick):
    """As many clients as this machine takes."""
    found = {}
    for store, flags in STORES.items():
        with parlor("--memory") as server:
            most = min(300 if quick else 16_000, server.capacity)
        few = min(200 if quick else 10_000, most)
        one = {"few": bench(*flags, "--idle", "--clients", few, "--seconds", 1)}
        one["most"] = bench(*flags, "--clients", most, "--rate", 1, "--seconds", 2 if quick else 10)
        found[store] = one
        say(f"holding {most} clients, {store}: {one['most']['connection_kib']:.1f} KiB, {one['most']['latency_ms']}")
    return found


def stuck(_, quick):
    """One that does not read, among a thousand that do. Long enough that it is sent away in between."""
    found = {"everybody reads": [], "one does not": []}
    flags = ["--clients", 1000, "--rate", 100, "--payload", 1024, "--seconds", 2 if quick else 8]
    for _, name in turns(found, 1 if quick else 3):
        figures = bench(*flags, "--stuck", 0 if name == "everybody reads" else 1)
        found[name].append(figures)
        say(f"{name}: p99 {figures['latency_ms']['p99']:.2f} ms")
    return found


def executable(_, quick):
    """What it weighs while it does nothing."""
    found = {"mb": PARLOR.stat().st_size / 1e6, "stores": {}}
    for store, flags in STORES.items():
        runs = []
        for _ in range(5 if quick else 20):
            with parlor(*flags) as server:
                runs.append({"start_ms": server.start_ms})
        with parlor(*flags) as server:
            time.sleep(1)
            resident = server.resident_mb()
        found["stores"][store] = {"start_ms": median(runs, "start_ms"), "resident_mb": resident}
    say(f"the executable: {found}")
    return found


def history(_, quick):
    """Pages anywhere in a large room."""
    fill = 20_000 if quick else 1_000_000
    figures = bench("--clients", 32, "--history", 32, "--fill", fill, "--seconds", 2 if quick else 4)
    say(f"history: {figures['latency_ms']}")
    return figures


# What one hot room is asked: one after the other, and many at once.
WINDOWS = (1, 64)


def stores(_, quick):
    """One hot room, and many, on each store."""
    found, program = {}, with_databases()
    for store, flags in STORES.items():
        found[store] = on_store(flags, quick, program)
        say(f"{store}: {found[store]}")
    for store, engine in ENGINES.items():
        if engine is None:
            say(f"{store} is not installed, and left out")
            continue
        try:
            with engine() as url:
                found[store] = on_store(["--database", url], quick, program)
        except RuntimeError as why:
            say(f"{store} is left out: {why}")
            continue
        say(f"{store}: {found[store]}")
    return found


EVERYBODY = 400


def nodes(_, quick):
    """The same clients at one node, or half of them at each of two, on one PostgreSQL and one Redis: all on this machine."""
    if not (ENGINES["PostgreSQL"] and REDIS):
        raise RuntimeError("that takes PostgreSQL and redis-server")
    found, program = {"1": [], "2": []}, with_databases()
    for _, number in turns(found, 1 if quick else 3):
        with ENGINES["PostgreSQL"]() as database, REDIS() as cluster, contextlib.ExitStack() as stack:
            flags = ["--database", database, "--cluster", cluster]
            servers = [stack.enter_context(parlor(*flags, program=program)) for _ in range(int(number))]
            with futures.ThreadPoolExecutor() as pool:
                halves = list(pool.map(lambda half: talk(servers[half % len(servers)], half, quick), range(2)))
        # Each message goes to all, whichever node they are at.
        deliveries = EVERYBODY * sum(half["messages_per_second"] for half in halves)
        found[number].append({"deliveries_per_second": deliveries, "lost": sum(half["lost"] for half in halves)})
        say(f"{number} node(s): {found[number][-1]}")
    return found


def talk(server, half, quick):
    """Half of the clients. A bench knows its own messages by their length, and waits only for those."""
    own = ["--clients", EVERYBODY // 2, "--window", 32, "--payload", 64 + 40 * half]
    return bench(server.url, "--pid", server.process.pid, *own, "--seconds", 2 if quick else 4)


def with_databases():
    """The executable that knows all of them, and the cluster. What else is measured, is of the one without."""
    engines = "postgres,mysql,cluster" if any(ENGINES.values()) else ""
    folder = WORK / "databases"
    sh("cargo", "build", "--release", "--quiet", "--locked", "--features", engines, "--target-dir", folder)
    return folder / "release" / "parlor"


def on_store(flags, quick, program):
    """Messages and commits a second in one room, and what a message costs the server, there and in 64 rooms."""
    seconds = ["--seconds", 2 if quick else 4]
    found = {}
    for window in WINDOWS:
        with parlor(*flags, "--max-rooms", 1000, program=program) as server:
            own = ["--pid", server.process.pid, "--clients", 1, "--senders", 1, "--window", window]
            figures = bench(server.url, *own, *seconds)
            batch = batch_size(server)
        rate = figures["messages_per_second"]
        commits = rate / batch if batch else None
        found[f"hot {window}"] = {"rate": rate, "commits": commits, "p50_ms": figures["latency_ms"]["p50"]}
    with parlor(*flags, "--max-rooms", 1000, program=program) as server:
        own = ["--pid", server.process.pid, "--clients", SENDERS, "--rooms", SENDERS, "--senders", SENDERS, "--window", 64]
        figures = bench(server.url, *own, *seconds)
    # Each message is delivered once there, to its sender.
    cpu = figures.get("cpu_ns_per_delivery")
    found["many"] = {"rate": figures["messages_per_second"], "cpu_us": cpu / 1000 if cpu else None}
    return found


# What is kept of each point of a sweep.
POINT = ("cpu_ns_per_delivery", "deliveries_per_second", "lost", "failed")


def search(_, quick):
    """Each kind of query, in a database that had no index."""
    return archive.measure(20_000, 20) if quick else archive.measure(1_000_000, 300)


def sweeps(peers, quick):
    """One thing grows, the others stay."""
    seconds = 1 if quick else 3
    clients = (10, 30, 100, 300, 1000) if quick else (10, 30, 100, 300, 1000, 3000, 10_000, 16_000)
    payloads = (64, 1024, 16_384) if quick else (64, 256, 1024, 4096, 16_384, 65_536)
    rooms = (1, 10, 100) if quick else (1, 10, 100, 1000, 3000, 10_000)
    with parlor("--memory") as server:
        most = server.capacity
    everyone = list(OWN) + [name for name in peers if name == YARDSTICK]
    found = {"clients": {}, "payload": {}, "rooms": {}}

    def measure(sweep, x, names, *flags):
        payload = None
        for name in names:
            try:
                if name in OWN:
                    figures = bench(*OWN[name], *flags, "--seconds", seconds)
                    payload = payload or round(figures["bytes_per_delivery"])
                elif not payload:
                    raise RuntimeError("there is nothing to stand beside")
                else:
                    figures = bench_peer(name, peers[name], payload, *peer_flags(flags), "--seconds", seconds)
            except RuntimeError as why:
                figures = {"failed": str(why)}
            point = {"x": x, **{key: figures.get(key) for key in POINT}}
            found[sweep].setdefault(name, []).append(point)
            say(f"{sweep} {x:,}: {name}: {point}")

    for number in sorted({min(number, most) for number in clients}):
        measure("clients", number, everyone, "--clients", number)
    for size in payloads:
        measure("payload", size, everyone, "--clients", 100, "--payload", size, "--window", min(64, IN_FLIGHT // size))
    for number in rooms:
        measure("rooms", number, OWN, "--clients", max(1000, number), "--rooms", number, "--senders", min(number, 64))
    return found


def peer_flags(flags):
    """Without the payload: a peer is sent what Parlor delivers."""
    at = flags.index("--payload") if "--payload" in flags else len(flags)
    return flags[:at] + flags[at + 2 :]


def soak(_, quick):
    """People come and go for 20 minutes: memory, descriptors and threads come back to their level."""
    script, levels = ROOT / "tests" / "durability" / "soak.py", WORK / "soak.json"
    sh(script, "--program", PARLOR, "--minutes", 1 if quick else 20, "--record", levels)
    return json.loads(levels.read_text())


PARTS = {
    "side": side,
    "latency": latency,
    "posts": posts,
    "holding": holding,
    "stuck": stuck,
    "executable": executable,
    "history": history,
    "stores": stores,
    "nodes": nodes,
    "search": search,
    "sweeps": sweeps,
    "soak": soak,
}
