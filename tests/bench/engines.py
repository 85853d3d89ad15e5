"""Database servers for the bench, each in a folder of its own, as safe on the disk as it comes."""

import contextlib
import os
import pathlib
import shutil
import socket
import subprocess
import tempfile
import time

NOBODY = 65534


def as_nobody(*command):
    """Whoever is root may not run a database."""
    if os.geteuid() != 0:
        return [str(word) for word in command]
    return ["setpriv", f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups", *map(str, command)]


def found(program, pattern):
    """Where that program is, with its tools beside it."""
    if place := shutil.which(program):
        return pathlib.Path(place).resolve().parent
    return next((place.parent for place in pathlib.Path("/usr").glob(f"{pattern}/{program}")), None)


def free_port():
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return listener.getsockname()[1]


@contextlib.contextmanager
def running(command, client, folder):
    """A server, from when its client gets through until the block ends."""
    with open(folder / "log", "wb") as log:
        server = subprocess.Popen(command, stdout=log, stderr=log, stdin=subprocess.DEVNULL)
        try:
            deadline = time.monotonic() + 120
            while subprocess.run(client, capture_output=True).returncode != 0:
                if time.monotonic() > deadline or server.poll() is not None:
                    raise RuntimeError((folder / "log").read_text()[-500:])
                time.sleep(0.1)
            yield server.pid
        finally:
            server.kill()
            server.wait()


@contextlib.contextmanager
def new_folder():
    with tempfile.TemporaryDirectory(prefix="parlor-bench-", ignore_cleanup_errors=True) as name:
        if os.geteuid() == 0:
            os.chown(name, NOBODY, NOBODY)
        yield pathlib.Path(name)


@contextlib.contextmanager
def postgres():
    tools, port = found("postgres", "lib/postgresql/*/bin"), free_port()
    with new_folder() as folder:
        data = folder / "data"
        initdb = as_nobody(tools / "initdb", "-U", "parlor", "-A", "trust", "-E", "UTF8", "--locale=C", "-D", data)
        subprocess.run(initdb, check=True, capture_output=True)
        server = as_nobody(tools / "postgres", "-D", data, "-k", folder, "-p", port, "-c", "listen_addresses=127.0.0.1")
        client = [str(tools / "psql"), "-X", "-h", "127.0.0.1", "-p", str(port), "-U", "parlor", "postgres", "-c"]
        with running(server, [*client, "CREATE DATABASE chat"], folder):
            yield f"postgres://parlor@127.0.0.1:{port}/chat"


@contextlib.contextmanager
def mariadb():
    tools, port = found("mariadbd", "sbin"), free_port()
    with new_folder() as folder:
        data = f"--datadir={folder / 'data'}"
        install = ["mariadb-install-db", "--no-defaults", "--auth-root-authentication-method=normal", "--skip-test-db", data]
        subprocess.run(as_nobody(*install), check=True, capture_output=True)
        where = [f"--socket={folder / 'socket'}", f"--port={port}", "--bind-address=127.0.0.1", "--skip-name-resolve"]
        server = as_nobody(tools / "mariadbd", "--no-defaults", data, *where)
        make = "CREATE DATABASE chat; CREATE USER parlor@'%'; GRANT ALL ON *.* TO parlor@'%'"
        client = ["mariadb", "--no-defaults", "-u", "root", where[0], "-e", make]
        with running(server, client, folder):
            yield f"mysql://parlor@127.0.0.1:{port}/chat"


@contextlib.contextmanager
def redis():
    port = free_port()
    with new_folder() as folder:
        server = ["redis-server", "--port", str(port), "--bind", "127.0.0.1", "--save", "", "--dir", str(folder)]
        # Until it has read its data it answers, with an error.
        client = ["redis-cli", "-e", "-p", str(port), "PING"]
        with running(server, client, folder):
            yield f"redis://127.0.0.1:{port}"


ENGINES = {
    "PostgreSQL": postgres if found("postgres", "lib/postgresql/*/bin") else None,
    "MariaDB": mariadb if found("mariadbd", "sbin") else None,
}
REDIS = redis if shutil.which("redis-server") else None
