"""The servers that Parlor stands beside. All of them broadcast bare: no rooms, no numbers, nothing stored."""

import re
import subprocess

from tool import HERE, WORK, bench, say, sh

YARDSTICK = "tokio-tungstenite"


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
    YARDSTICK: lambda: cargo_peer("tokio-tungstenite"),
    "Node ws": lambda: node_peer("node-ws"),
    "Python websockets": lambda: python_peer("python-websockets", "websockets"),
    "Socket.IO, a room": lambda: node_peer("socket-io"),
    "socketify": lambda: python_peer("socketify", "socketify"),
}
# Socket.IO has a protocol of its own within the frames.
SOCKET_IO = ["--greet", "40", "--before", '42["m","', "--after", '"]']


def bench_peer(name, command, payload, *flags):
    """One measurement of a peer, which is started for it."""
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


def set_up(names=PEERS):
    """How each is started, and why some are not there."""
    ready, missing = {}, {}
    for name in names:
        try:
            ready[name] = PEERS[name]()
            # One that cannot be started is not there, either.
            bench_peer(name, ready[name], 200, "--clients", 2, "--seconds", 0.2)
        except Exception as why:
            ready.pop(name, None)
            missing[name] = str(why).splitlines()[-1] if str(why) else repr(why)
            say(f"left out: {name}: {missing[name]}")
    return ready, missing
