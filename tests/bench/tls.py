#!/usr/bin/env python3
"""What TLS costs: the same talk to the same clients in plain and within TLS, in turns, and as a ratio.

    cargo build --release && tests/bench/tls.py

What is counted is the server's own time on the processors, for each delivery and for each newcomer.
"""

import json
import os
import pathlib
import shutil
import socket
import ssl
import statistics
import sys
import tempfile
import threading
import time

from tool import parlor, say

ROUNDS, CLIENTS, MESSAGES, NEWCOMERS = 5, 100, 6000, 2000
BODY = "x" * 64


def cpu(server):
    fields = pathlib.Path(f"/proc/{server.process.pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


class Client:
    """Speaks parlor.v1 over a socket that blocks, or within TLS."""

    context = ssl._create_unverified_context()

    def __init__(self, url, name):
        scheme, place = url.split("://")
        host, port = place.split(":")
        self.socket = socket.create_connection((host, int(port)))
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if scheme == "wss":
            self.socket = self.context.wrap_socket(self.socket, server_hostname="localhost")
        head = (
            f"GET /ws?name={name} HTTP/1.1\r\nHost: {place}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
            "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Protocol: parlor.v1\r\n\r\n"
        )
        self.socket.sendall(head.encode())
        self.until(b'"type":"welcome"')

    def send(self, **frame):
        text = json.dumps(frame).encode()
        length = bytes([0x80 | len(text)]) if len(text) < 126 else bytes([0xFE]) + len(text).to_bytes(2, "big")
        self.socket.sendall(b"\x81" + length + bytes(4) + text)

    def until(self, word, times=1):
        """Reads until that has come so often; each stands in its frame once."""
        seen, rest = 0, b""
        while seen < times:
            came = self.socket.recv(1 << 16)
            if not came:
                raise RuntimeError("the server hung up")
            rest += came
            seen += rest.count(word)
            rest = rest[-len(word) + 1 :]

    def join(self):
        self.send(type="join", room="lobby", last=0)
        self.until(b'"type":"joined"')


def measured(server):
    """CPU seconds of the server for a delivery, and for a newcomer."""
    begin = cpu(server)
    for n in range(NEWCOMERS):
        Client(server.url, f"new{n}").socket.close()
    newcomer = (cpu(server) - begin) / NEWCOMERS
    clients = [Client(server.url, f"c{n}") for n in range(CLIENTS)]
    for client in clients:
        client.join()
    author, begin = clients[0], cpu(server)
    readers = [threading.Thread(target=client.until, args=(b'"type":"message"', MESSAGES)) for client in clients]
    for reader in readers:
        reader.start()
    # At a steady pace, so that both send as many messages together.
    for n in range(MESSAGES):
        author.send(type="post", room="lobby", id=str(n), body=BODY)
        if n % 20 == 19:
            time.sleep(0.01)
    for reader in readers:
        reader.join()
    delivery = (cpu(server) - begin) / (MESSAGES * CLIENTS)
    return delivery, newcomer


def main():
    found = {"plain": [], "tls": []}
    with tempfile.TemporaryDirectory() as folder:
        with parlor("--tls", "self-signed") as server:
            for name in ("tls-cert.pem", "tls-key.pem"):
                shutil.copy(server.data / name, folder)
        pair = ["--tls-cert", f"{folder}/tls-cert.pem", "--tls-key", f"{folder}/tls-key.pem"]
        for _ in range(ROUNDS):
            for name, flags in [("plain", []), ("tls", pair)]:
                with parlor("--memory", *flags) as server:
                    found[name].append(measured(server))
    for at, what in [(0, "a delivery"), (1, "a newcomer")]:
        plain, tls = (statistics.median(run[at] for run in found[name]) for name in ("plain", "tls"))
        say(f"{what}: {plain * 1e6:.2f} µs of the server's processor time in plain, {tls * 1e6:.2f} within TLS: {tls / plain:.2f} times")


if __name__ == "__main__":
    sys.exit(main())
