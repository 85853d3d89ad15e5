"""Search in a database of a million messages: how long it is indexed, and how long each kind of query takes."""

import itertools
import json
import random
import re
import sqlite3
import statistics
import subprocess
import tempfile
import threading
import time
import urllib.parse
import urllib.request

from tool import PARLOR, say

WORDS, IN_A_MESSAGE = 20_000, 12
ROOMS, PEOPLE = 50, 300
START = 1_700_000_000_000
# Of letters that look like no others: as they are written they are compared.
NAMES = ["".join(letters) for letters in itertools.islice(itertools.product("abcdehkprs", repeat=3), PEOPLE)]
APART = 30_000  # ms between two messages: a million in a year


class Archive:
    """A data folder with so many messages, said by people in rooms, their words as common as words are."""

    def __init__(self, folder, messages):
        self.folder, self.messages = folder, messages
        chance = random.Random(1)
        letters = "abcdefghijklmnopqrstuvwxyz"
        words = {"".join(chance.choices(letters, k=chance.randint(3, 9))) for _ in range(WORDS)}
        self.words = sorted(words)
        chance.shuffle(self.words)
        self.weights = list(itertools.accumulate(1 / (rank + 1) for rank in range(len(self.words))))
        self.phrases = []
        self.fill(chance)

    def fill(self, chance):
        with served(self.folder):
            pass
        database = sqlite3.connect(f"{self.folder}/parlor.db", isolation_level=None)
        database.execute("BEGIN IMMEDIATE")
        people = [(n, name, name, "guest", START) for n, name in enumerate(NAMES, 1)]
        database.executemany("INSERT INTO people (id, name, folded, role, created_at) VALUES (?, ?, ?, ?, ?)", people)
        rooms = [(n, f"r{n}", f"Room {n}", START) for n in range(2, ROOMS + 1)]
        database.executemany(
            "INSERT INTO rooms (id, name, title, topic, kind, archived, head, created_at) VALUES (?, ?, ?, '', 'public', 0, 0, ?)",
            rooms,
        )
        heads = [0] * (ROOMS + 1)
        database.executemany(
            "INSERT INTO messages (id, room_id, seq, rev, author_id, client_id, at, body) VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
            (self.row(n, heads, chance) for n in range(self.messages)),
        )
        database.executemany("UPDATE rooms SET head = ? WHERE id = ?", [(head, n) for n, head in enumerate(heads) if n])
        database.execute("COMMIT")
        database.close()

    def row(self, n, heads, chance):
        # Most is said in few rooms; the last has a message in a thousand.
        room = ROOMS if n % 1000 == 7 else min(ROOMS - 1, 1 + int(chance.expovariate(0.2)))
        heads[room] += 1
        said = chance.choices(self.words, cum_weights=self.weights, k=IN_A_MESSAGE)
        if n % 997 == 0:
            self.phrases.append(" ".join(said[2:5]))
        key = room << 40 | heads[room]
        return (key, room, heads[room], heads[room], 1 + n % PEOPLE, f"b{n:x}", START + n * APART, " ".join(said))

    def queries(self, chance):
        """Each kind of query, and one of it."""
        common = lambda: self.words[chance.randrange(20)]
        day = lambda: time.strftime("%Y-%m-%d", time.gmtime((START + chance.randrange(self.messages) * APART) / 1000))
        person = lambda: f"from:{chance.choice(NAMES)}"
        return {
            "a rare word": lambda: self.words[chance.randrange(len(self.words) // 2, len(self.words))],
            "a common word": common,
            "two common words": lambda: f"{common()} {common()}",
            "a word that is nowhere": lambda: f"zzz{chance.randrange(1000)}",
            "a phrase": lambda: f'"{chance.choice(self.phrases)}"',
            "the beginning of a word": lambda: self.words[chance.randrange(20, len(self.words))][:4] + "*",
            "from:": person,
            "from: and a common word": lambda: f"{person()} {common()}",
            "in: and a common word": lambda: f"in:r{chance.randint(2, 20)} {common()}",
            "in: a small room and a common word": lambda: f"in:r{ROOMS} {common()}",
            "before: and a common word": lambda: f"before:{day()} {common()}",
            "after: and a rare word": lambda: f"after:{day()} {self.words[chance.randrange(1000, len(self.words))]}",
            "before: alone": lambda: f"before:{day()}",
        }


class served:
    """A server with that data folder, until the block ends: its url."""

    def __init__(self, folder):
        self.command = [str(PARLOR), "--listen", "127.0.0.1:0", "--log", "off", "--data", str(folder)]

    def __enter__(self):
        self.process = subprocess.Popen(self.command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        greeting = ""
        while "room  " not in greeting:
            line = self.process.stdout.readline()
            if not line:
                raise RuntimeError("the server does not start: " + " ".join(self.command))
            greeting += line
        # Whatever else it says need not wait for a reader.
        threading.Thread(target=self.process.stdout.read, daemon=True).start()
        return "http://" + re.search(r"http://(\S+?)/?\s", greeting)[1]

    def __exit__(self, *_):
        self.process.terminate()
        self.process.wait(10)


def ask(url, cookie, query, limit=20):
    fields = urllib.parse.urlencode({"q": query, "limit": limit})
    request = urllib.request.Request(f"{url}/api/search?{fields}", headers={"Cookie": cookie})
    with urllib.request.urlopen(request, timeout=30) as answer:
        return json.loads(answer.read())


def signed_in(url):
    body = json.dumps({"name": "bench"}).encode()
    request = urllib.request.Request(f"{url}/api/session", body, {"Content-Type": "application/json"})
    with urllib.request.urlopen(request, timeout=30) as answer:
        return answer.headers["Set-Cookie"].split(";")[0]


def measure(messages, times):
    with tempfile.TemporaryDirectory(prefix="parlor-bench-") as folder:
        archive = Archive(folder, messages)
        say(f"search: {messages:,} messages are there")
        with served(folder) as url:
            begin = time.perf_counter()
            cookie = signed_in(url)
            # It waits half a second for the index, and says if that was not enough.
            while ask(url, cookie, "zzz").get("indexing"):
                pass
            indexed = time.perf_counter() - begin
            say(f"search: indexed in {indexed:.0f} s")
            chance, kinds = random.Random(2), {}
            for kind, query in archive.queries(chance).items():
                kinds[kind] = one_kind(url, cookie, query, times)
                say(f"search, {kind}: {kinds[kind]}")
    return {"messages": messages, "rooms": ROOMS, "times": times, "index_seconds": indexed, "kinds": kinds}


def one_kind(url, cookie, query, times):
    took, hits = [], []
    for _ in range(times):
        text = query()
        begin = time.perf_counter()
        found = ask(url, cookie, text)
        took.append((time.perf_counter() - begin) * 1000)
        hits.append(len(found["hits"]))
    took.sort()
    at = lambda share: took[min(len(took) - 1, int(share * len(took)))]
    return {"hits": statistics.mean(hits), "p50": at(0.5), "p99": at(0.99), "max": took[-1]}
