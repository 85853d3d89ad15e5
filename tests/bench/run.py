#!/usr/bin/env python3
"""Measures Parlor, alone and beside its peers, with `parlor bench`, and writes RESULTS.md.

    tests/bench/run.py                       everything, about 20 minutes; nothing else should run meanwhile
    tests/bench/run.py --only posts,history  these parts; what was measured of the others before stays
    tests/bench/run.py --only soak           20 minutes of coming and going, which is in no other run
    tests/bench/run.py --only ''             nothing: RESULTS.md anew, from what was measured before
    tests/bench/run.py --quick               one round, few clients: to see that it works; prints what it would write

It needs cargo, node with npm, python3 with venv, libuv1 for socketify, PostgreSQL and MariaDB for `stores`, with Redis for `nodes`; a peer
that cannot be set up is left out, and said.

| files | what they are |
|---|---|
| `parts.py` | what is measured, a function for each part; it leaves JSON in `measured/` |
| `targets.py`, `results.py` | what was aimed at, and the page, both from that JSON |
| `tool.py`, `peers.py` | `parlor bench`, a server of Parlor, and the servers beside it |
| `engines.py` | PostgreSQL and MariaDB, started where they are installed |
| `search.py` | the million messages that are searched |
| `curves-crate/` | draws the curves |
"""

import argparse
import datetime
import json
import shutil
import sys

# Its parts stand beside it, and nothing else should.
sys.dont_write_bytecode = True

import results
from parts import PARTS
from peers import PEERS, YARDSTICK, set_up
from tool import HERE, TARGET, WORK, say, sh

# Which parts need which peers.
NEEDS = {"side": list(PEERS), "latency": [YARDSTICK], "sweeps": [YARDSTICK]}


def draw(kept, folder):
    """The curves, by a crate of its own."""
    sh("cargo", "build", "--release", "--quiet", "--locked", "--target-dir", WORK / "curves", cwd=HERE / "curves-crate")
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    sh(WORK / "curves" / "release" / "curves", kept, folder)


def wanted(text):
    names = [name for name in text.split(",") if name]
    for name in names:
        if name not in PARTS:
            raise argparse.ArgumentTypeError(f"there is no part {name!r}; there is {', '.join(PARTS)}")
    return names


def main():
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--quick", action="store_true", help="see that it works; RESULTS.md stays as it is")
    options.add_argument("--only", type=wanted, default=[part for part in PARTS if part != "soak"], metavar="PART[,PART]", help=", ".join(PARTS))
    given = options.parse_args()
    folder = WORK / "quick" if given.quick else HERE / "measured"
    folder.mkdir(parents=True, exist_ok=True)
    if given.only:
        sh("cargo", "build", "--release", "--quiet", "--locked", "--target-dir", TARGET)
    peers, missing = set_up([name for name in PEERS if any(name in NEEDS.get(part, []) for part in given.only)])
    today, failed = str(datetime.date.today()), []
    for part in given.only:
        say(f"── {part}")
        file = folder / f"{part}.json"
        # What fails is not measured, whatever was before; the other parts go on.
        file.unlink(missing_ok=True)
        try:
            found = PARTS[part](peers, given.quick)
        except RuntimeError as why:
            failed.append(f"{part} could not be measured: {why}")
            continue
        kept = {"day": today, "missing": missing if part in NEEDS else {}, "found": found}
        file.write_text(json.dumps(kept, indent=1))
    kept = {part: json.loads(file.read_text()) for part in PARTS if (file := folder / f"{part}.json").exists()}
    curves = folder / "curves" if given.quick else HERE / "curves"
    if {"sweeps", "soak"} & set(kept):
        draw(folder, curves)
    missing = {name: why for one in kept.values() for name, why in one["missing"].items()}
    days = {part: one["day"] for part, one in kept.items()}
    text = results.text({part: one["found"] for part, one in kept.items()}, missing, days, curves.name)
    print(text) if given.quick else (HERE / "RESULTS.md").write_text(text)
    sys.exit("\n".join(failed) or 0)


if __name__ == "__main__":
    main()
