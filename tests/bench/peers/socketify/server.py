"""A bare broadcast with socketify, which is uWebSockets' core: publish and subscribe are its own."""

import socket

from socketify import App, OpCode

app = App()
app.ws("/*", {
    "compression": 0,
    "max_payload_length": 16 * 1024 * 1024,
    "max_backpressure": 256 * 1024 * 1024,
    "idle_timeout": 0,
    "open": lambda client: client.subscribe("all"),
    "message": lambda client, message, opcode: app.publish("all", message, OpCode.TEXT),
})
with socket.socket() as free:
    free.bind(("127.0.0.1", 0))
    port = free.getsockname()[1]
app.listen({"host": "127.0.0.1", "port": port}, lambda config: print(f"Listening on ws://127.0.0.1:{port}", flush=True))
app.run()
