"""A bare broadcast with websockets, as its documentation shows it."""

import asyncio

from websockets.asyncio.server import broadcast, serve

clients = set()


async def handler(client):
    clients.add(client)
    try:
        async for message in client:
            broadcast(clients, message)
    finally:
        clients.remove(client)


async def main():
    async with serve(handler, "127.0.0.1", 0, compression=None, backlog=4096) as server:
        port = server.sockets[0].getsockname()[1]
        print(f"Listening on ws://127.0.0.1:{port}", flush=True)
        await asyncio.get_running_loop().create_future()


asyncio.run(main())
