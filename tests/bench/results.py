"""RESULTS.md, from what the parts have left."""

import os
import pathlib

from parts import EVERYBODY, OWN
from peers import YARDSTICK
from targets import judged
from tool import median


def side(runs):
    yard = runs.get(YARDSTICK)
    rows = [
        "| | deliveries/s | × | CPU ns a delivery | × | p50 ms | p99 ms | bytes | lost |",
        "|---|--:|--:|--:|--:|--:|--:|--:|--:|",
    ]
    for name, found in runs.items():
        rate, cpu = median(found, "deliveries_per_second"), median(found, "cpu_ns_per_delivery")
        rows.append(
            f"| {name} | {rate:,.0f} | {rate / median(yard, 'deliveries_per_second'):.2f} | {cpu:,.0f} "
            f"| {cpu / median(yard, 'cpu_ns_per_delivery'):.2f} "
            f"| {median(found, 'latency_ms', 'p50'):.2f} | {median(found, 'latency_ms', 'p99'):.2f} "
            f"| {median(found, 'bytes_per_delivery'):.0f} | {sum(run['lost'] for run in found)} |"
        )
    return "\n".join(rows)


def latencies(runs):
    """Percentiles of each, and the last row: the first to the second."""
    keys = ("p50", "p99", "p999")
    rows = ["| | p50 ms | p99 ms | p99.9 ms | lost |", "|---|--:|--:|--:|--:|"]
    values = {name: [median(found, "latency_ms", key) for key in keys] for name, found in runs.items()}
    for name, found in runs.items():
        figures = " | ".join(f"{value:.2f}" for value in values[name])
        rows.append(f"| {name} | {figures} | {sum(run['lost'] for run in found)} |")
    return rows, values


def with_ratio(runs, above, below):
    rows, values = latencies(runs)
    ratios = " | ".join(f"{a / b:.2f}" for a, b in zip(values[above], values[below]))
    return "\n".join([*rows, f"| × | {ratios} | |"])


def posts(part):
    rows = ["| in flight | batch | Parlor, posts/s | bare inserts/s | × | latency p99 ms |", "|--:|--:|--:|--:|--:|--:|"]
    for window, found in part["windows"].items():
        rate, bare = median(found["parlor"], "messages_per_second"), median(found["bare"], "rows_per_second")
        latency = median(found["parlor"], "latency_ms", "p99")
        batch = f"{found['batch']:,}" if found["measured"] else f"{found['batch']:,} (assumed)"
        rows.append(f"| {int(window):,} | {batch} | {rate:,.0f} | {bare:,.0f} | {rate / bare:.2f} | {latency:.2f} |")
    return "\n".join(rows)


def holding(part):
    rows = [
        "| | clients | connected in s | CPU µs to connect one | KiB each | message to all: p50 ms | slowest ms | gone |",
        "|---|--:|--:|--:|--:|--:|--:|--:|",
    ]
    for store, found in part.items():
        for figures in (found["few"], found["most"]):
            talked = figures["senders"] > 0
            latency = [f"{figures['latency_ms'][key]:,.0f}" if talked else "" for key in ("p50", "max")]
            rows.append(
                f"| {store} | {figures['clients']:,} | {figures['connect_seconds']:.2f} | {figures['connect_cpu_us']:.0f} "
                f"| {figures['connection_kib']:.1f} | {latency[0]} | {latency[1]} | {figures['gone']} |"
            )
    return "\n".join(rows)


def executable(part):
    rows = ["| | MB, stripped | ms from start to listening | MB resident, idle |", "|---|--:|--:|--:|"]
    for store, found in part["stores"].items():
        rows.append(f"| {store} | {part['mb']:.2f} | {found['start_ms']:.1f} | {found['resident_mb']:.1f} |")
    return "\n".join(rows)


def history(part):
    rate, latency = part["history"]["pages_per_second"], part["latency_ms"]
    return (
        "| pages/s | p50 ms | p99 ms | p99.9 ms | slowest ms |\n|--:|--:|--:|--:|--:|\n"
        f"| {rate:,.0f} | {latency['p50']:.2f} | {latency['p99']:.2f} | {latency['p999']:.2f} | {latency['max']:.2f} |"
    )


def search(part):
    rows = ["| | hits | p50 ms | p99 ms | slowest ms |", "|---|--:|--:|--:|--:|"]
    for kind, figures in part["kinds"].items():
        times = " | ".join(f"{figures[key]:.2f}" for key in ("p50", "p99", "max"))
        rows.append(f"| {kind} | {figures['hits']:.1f} | {times} |")
    return "\n".join(rows)


SWEEPS = {
    "clients": "Clients: 64 bytes of text, one room, one sender.",
    "payload": "Bytes of text: 100 clients, one sender, at most 256 KiB in flight.",
    "rooms": "Rooms: 1,000 clients or as many as rooms, 64 senders or as many as rooms.",
}


def stores(part):
    rows = [
        "| | one room, one at a time: messages/s | ms | 64 in flight: messages/s | commits/s | 64 rooms: posts/s | server's CPU µs a post |",
        "|---|--:|--:|--:|--:|--:|--:|",
    ]
    for store, found in part.items():
        one, hot, many = found["hot 1"], found["hot 64"], found["many"]
        commits = f"{hot['commits']:,.0f}" if hot["commits"] else ""
        cpu = f"{many['cpu_us']:.1f}" if many["cpu_us"] else ""
        rows.append(
            f"| {store} | {one['rate']:,.0f} | {one['p50_ms']:.2f} | {hot['rate']:,.0f} | {commits} "
            f"| {many['rate']:,.0f} | {cpu} |"
        )
    return "\n".join(rows)


def nodes(part):
    one = median(part["1"], "deliveries_per_second")
    rows = ["| nodes | deliveries/s | × | lost |", "|--:|--:|--:|--:|"]
    for number, runs in part.items():
        rate, lost = median(runs, "deliveries_per_second"), sum(run["lost"] for run in runs)
        rows.append(f"| {number} | {rate:,.0f} | {rate / one:.2f} | {lost} |")
    return "\n".join(rows)


def sweeps(part, curves):
    text = []
    for sweep, about in SWEEPS.items():
        series = part[sweep]
        names = list(series)
        rows = [f"| {sweep} | " + " | ".join(f"{name}: ns a delivery | deliveries/s" for name in names) + " |"]
        rows.append("|--:" * (1 + 2 * len(names)) + "|")
        for points in zip(*series.values()):
            cells = [cell for point in points for cell in cells_of(point)]
            rows.append(f"| {points[0]['x']:,} | " + " | ".join(cells) + " |")
        failed = [
            f"{name} with {point['x']:,} {sweep}: {point['failed']}"
            for name in names for point in series[name] if point["failed"]
        ]
        why = "".join(f"\n\nNot measured: {line}." for line in failed)
        text.append(f"{about}\n\n![{about}]({curves}/{sweep}.svg)\n\n" + "\n".join(rows) + why)
    return "\n\n".join(text)


def soak(part, curves):
    """Every tenth round, the first and the last."""
    levels = part["levels"]
    rows = ["| minute | MiB | descriptors | threads | after |", "|--:|--:|--:|--:|---|"]
    base = part["base"]
    rows.append(f"| | {base['memory']:.1f} | {base['descriptors']} | {base['threads']} | the first ten clients |")
    for number, level in enumerate(levels):
        if number % 10 == 0 or level is levels[-1]:
            rows.append(
                f"| {level['minute']:.1f} | {level['memory']:.1f} | {level['descriptors']} | {level['threads']} "
                f"| `{level['after']}` |"
            )
    return f"![Memory at rest]({curves}/soak.svg)\n\n" + "\n".join(rows)


def cells_of(point):
    if point["failed"]:
        return ["—", "—"]
    lost = f" ({point['lost']:,} lost)" if point["lost"] else ""
    cpu = point["cpu_ns_per_delivery"]
    return [f"{cpu:,.0f}" if cpu else "—", f"{point['deliveries_per_second']:,.0f}{lost}"]


def targets(kept):
    rows = ["| target | | measured | |", "|---|--:|--:|:-:|"]
    for what, aim, found, met in judged(kept):
        rows.append(f"| {what} | {aim} | {found} | {'' if met is None else '✓' if met else '✗'} |")
    return "\n".join(rows)


def sections(kept, curves):
    """Each part that was measured: what it is about, and its table."""
    if part := kept.get("side"):
        for clients, runs in part.items():
            rounds = len(runs[next(iter(OWN))])
            yield (
                f"{int(clients):,} clients",
                f"""One client sends, a window of 64 messages is in flight until everybody has each of them; the median of {rounds}
round(s). Parlor does its whole work: JSON, rooms, numbers, and with `synchronous=FULL` each message is on the disk before
anybody sees it. The others broadcast bare, as many bytes for each delivery as Parlor. × is the ratio to {YARDSTICK}.""",
                side(runs),
            )
    if part := kept.get("latency"):
        own = next(iter(part))
        runs = {name: found for name, found in part.items() if found}
        table = with_ratio(runs, own, YARDSTICK) if YARDSTICK in runs else "\n".join(latencies(runs)[0])
        yield "Latency", "1,000 clients, 20 messages a second.", table
    if part := kept.get("posts"):
        about = f"""64 clients send, each alone in its room, `synchronous=FULL`. Beside it the same rows, in batches of the same size,
into the same tables with the same indexes and pragmas, by SQLite {part['sqlite']} alone, in Python's `executemany`."""
        if not all(found["measured"] for found in part["windows"].values()):
            about += " The server did not tell how\nlarge its batches were: half of what is in flight is assumed."
        yield "Stored posts", about, posts(part)
    if part := kept.get("holding"):
        about = "As many clients as this machine takes, in one room; then one message a second to all of them."
        yield "Holding", about, holding(part)
    if part := kept.get("stuck"):
        about = "1,000 clients, 100 messages a second of 1,024 bytes; and the same with one more client that never reads."
        yield "One that does not read", about, with_ratio(part, "one does not", "everybody reads")
    if part := kept.get("executable"):
        about = "A new database each time; the median of the starts, and what is resident after a second."
        yield "The executable", about, executable(part)
    if part := kept.get("history"):
        room = part["history"]
        about = f"""{room['askers']} clients, each asking for 50 messages anywhere in a room of {room['messages']:,} as soon as it has
those before. SQLite."""
        yield "History", about, history(part)
    if part := kept.get("stores"):
        about = """One client posts into one room, then 64 at once, each alone in its room. Every commit waits for the disk; each
database is on this machine, with its own defaults, and has the same two processors to share."""
        yield "Stores", about, stores(part)
    if part := kept.get("nodes"):
        about = f"""{EVERYBODY} clients in one room, all at one node or half of them at each of two; each half has a sender and 32 messages in
flight; the median of {len(part['1'])} round(s). PostgreSQL, Redis, the nodes and the clients all share the two processors of this machine, so this shows what a
second node costs, not what another machine brings."""
        yield "Nodes", about, nodes(part)
    if part := kept.get("search"):
        about = f"""{part['times']} queries of each kind, one after the other, over HTTP with a connection each, for 20 messages of {part['messages']:,}
in {part['rooms']} rooms. A database that had no index was indexed in {part['index_seconds']:.0f} s, while it was open."""
        yield "Search", about, search(part)
    if part := kept.get("sweeps"):
        yield "Sweeps", "One thing grows, the others stay. CPU is the server's.", sweeps(part, curves)
    if part := kept.get("soak"):
        about = f"""`tests/durability/soak.py`: {len(part['levels'])} rounds of people who come, talk and go, and what the server has when all are
gone, each time. The first {part['warm_up']} rounds warm it up."""
        yield "Soak", about, soak(part, curves)


def text(kept, missing, measured, curves):
    """The whole page. `measured` says when each part was."""
    parts = "\n".join(f"\n## {title}\n\n{about}\n\n{table}" for title, about, table in sections(kept, curves))
    days = sorted(set(measured.values()))
    when = " and ".join([days[0], days[-1]] if len(days) > 1 else days) or "no day yet"
    lines = [f"\nLeft out, because it could not be set up: {name} ({why}).\n" for name, why in missing.items()]
    return f"""# Measured

Made by `tests/bench/run.py` on {when}, {os.cpu_count()} processors ({processor()}). The clients
take a processor of their own; on two processors a server with more threads than one shares it with them. Latencies are from
sending to a delivery.

## Targets

{targets(kept)}
{parts}
{"".join(lines)}"""


def processor():
    lines = pathlib.Path("/proc/cpuinfo").read_text().splitlines()
    return next((line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")), "of an unknown kind")
