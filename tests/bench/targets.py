"""What was aimed at, beside what was measured. Each looks at the kept JSON of its part; None: that was not measured."""

import math

from parts import FULL, MEMORY
from peers import YARDSTICK
from tool import median

RATE, CPU = ("deliveries_per_second",), ("cpu_ns_per_delivery",)
P99 = ("latency_ms", "p99")


def ratio(above, below, *path):
    return median(above, *path) / median(below, *path)


def side(clients, name, other, figure):
    return lambda kept: ratio(kept["side"][clients].get(name), kept["side"][clients].get(other), *figure)


def posted(window):
    return lambda kept: median(kept["posts"]["windows"][window]["parlor"], "messages_per_second")


def to_bare(window):
    return lambda kept: posted(window)(kept) / median(kept["posts"]["windows"][window]["bare"], "rows_per_second")


def rise(kept):
    points = {point["x"]: point["cpu_ns_per_delivery"] for point in kept["sweeps"]["clients"][FULL]}
    return points[10_000] / points[100]


def holds(store, *path):
    return lambda kept: median([kept["holding"][store]], *path)


def idle(store, key):
    return lambda kept: kept["executable"]["stores"][store][key]


def connected(store):
    few = lambda kept: kept["holding"][store]["few"]
    return lambda kept: few(kept)["connect_seconds"] if few(kept)["clients"] == 10_000 else None


def page(kept):
    return kept["history"]["latency_ms"]["p99"] if kept["history"]["history"]["messages"] >= 1_000_000 else None


def searched(kept):
    part = kept["search"]
    return max(kind["p99"] for kind in part["kinds"].values()) if part["messages"] >= 1_000_000 else None


# What, the most or the least that it may be, its unit, and how it is found.
TARGETS = [
    ("CPU a delivery, 1,000 clients, FULL, to tokio-tungstenite", "≤", 0.8, "×", side("1000", FULL, YARDSTICK, CPU)),
    ("CPU a delivery, 1,000 clients, memory, to tokio-tungstenite", "≤", 0.8, "×", side("1000", MEMORY, YARDSTICK, CPU)),
    ("CPU a delivery, 100 clients, FULL, to tokio-tungstenite", "≤", 1.2, "×", side("100", FULL, YARDSTICK, CPU)),
    ("CPU a delivery, 100 clients, memory, to tokio-tungstenite", "≤", 0.8, "×", side("100", MEMORY, YARDSTICK, CPU)),
    ("CPU a delivery, 1,000 clients, FULL, to Node ws", "≤", 0.05, "×", side("1000", FULL, "Node ws", CPU)),
    ("CPU a delivery, 1,000 clients, FULL, to socketify", "≤", 0.3, "×", side("1000", FULL, "socketify", CPU)),
    ("Deliveries, 1,000 clients, FULL, to tokio-tungstenite", "≥", 1.3, "×", side("1000", FULL, YARDSTICK, RATE)),
    ("Deliveries, 1,000 clients, FULL, to Node ws", "≥", 20, "×", side("1000", FULL, "Node ws", RATE)),
    ("Deliveries, 1,000 clients, FULL, to Python websockets", "≥", 25, "×", side("1000", FULL, "Python websockets", RATE)),
    ("Deliveries, 100 clients, FULL, to tokio-tungstenite", "≥", 0.8, "×", side("100", FULL, YARDSTICK, RATE)),
    ("Deliveries, 100 clients, memory, to tokio-tungstenite", "≥", 1.3, "×", side("100", MEMORY, YARDSTICK, RATE)),
    ("CPU a delivery, from 100 to 10,000 clients, FULL", "≤", 1.6, "×", rise),
    (
        "Latency p99, 1,000 clients, 20 messages/s, to tokio-tungstenite",
        "≤",
        1.0,
        "×",
        lambda kept: ratio(kept["latency"]["Parlor, synchronous=NORMAL"], kept["latency"][YARDSTICK], *P99),
    ),
    *(
        target
        for window in ("64", "1024")
        for target in [
            (f"Stored posts, {window} in flight", "≥", 25_000, "/s", posted(window)),
            (f"Stored posts, {window} in flight, to bare inserts", "≥", 0.6, "×", to_bare(window)),
        ]
    ),
    *(
        target
        for store in ("memory", "SQLite")
        for target in [
            (f"Slowest delivery to all, {store}", "<", 1000, "ms", holds(store, "most", "latency_ms", "max")),
            (f"Memory of an idle client, {store}", "≤", 20, "KiB", holds(store, "most", "connection_kib")),
            (f"CPU to connect a client, {store}", "≤", 180, "µs", holds(store, "few", "connect_cpu_us")),
            (f"10,000 clients connected, {store}", "<", 6, "s", connected(store)),
        ]
    ),
    (
        "Latency p99 where one does not read, to where everybody does",
        "≤",
        1.1,
        "×",
        lambda kept: ratio(kept["stuck"]["one does not"], kept["stuck"]["everybody reads"], *P99),
    ),
    ("Size of the executable", "≤", 5, "MB", lambda kept: kept["executable"]["mb"]),
    ("From start to listening, memory", "≤", 30, "ms", idle("memory", "start_ms")),
    ("From start to listening, SQLite", "≤", 30, "ms", idle("SQLite", "start_ms")),
    ("Resident, idle, memory", "≤", 8, "MB", idle("memory", "resident_mb")),
    ("Resident, idle, SQLite", "≤", 8, "MB", idle("SQLite", "resident_mb")),
    ("A page of history, 1,000,000 messages, p99", "<", 5, "ms", page),
    ("A search of any kind, 1,000,000 messages, p99", "<", 50, "ms", searched),
]


def judged(kept):
    """Each target with what was measured, and whether that is as it should be (None: nobody knows)."""
    for what, bound, value, unit, find in TARGETS:
        try:
            found = find(kept)
        except (KeyError, TypeError, ZeroDivisionError):
            found = None
        if found is not None and math.isnan(found):
            found = None
        # All bounds are above or below; a target that is met exactly is met, but for "<".
        met = {"≤": lambda: found <= value, "≥": lambda: found >= value, "<": lambda: found < value}[bound]
        aim = f"{bound} {number(value)} {unit}"
        yield (what, aim, "not measured", None) if found is None else (what, aim, f"{number(found)} {unit}", met())


def number(value):
    if value >= 1000 and not isinstance(value, int):
        return f"{value:,.0f}"
    return f"{value:,}" if isinstance(value, int) else f"{value:.3g}" if value < 100 else f"{value:.0f}"
