"""A client of Python's websockets for the interop tests of the server: follows the steps that
listen describes.

Arguments: URL, options and steps, the last two in JSON. Prints what it saw, in JSON.
"""

import asyncio
import hashlib
import json
import ssl
import sys

from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed, InvalidStatus

PATTERN = bytes(range(251))


class Client:
    def __init__(self, connection):
        self.connection = connection

    async def text(self, text):
        await self.connection.send(text)

    async def binary(self, length):
        await self.connection.send((PATTERN * (length // 251 + 1))[:length])

    async def receive(self):
        message = await self.connection.recv()
        if isinstance(message, str):
            return {"text": message}
        return {"binary": len(message), "sha256": hashlib.sha256(message).hexdigest()}

    async def ping(self, payload):
        await (await self.connection.ping(payload))
        # websockets resolves a ping only by a pong with its payload.
        return {"pong": payload}

    async def close(self, code, reason):
        await self.connection.close(code, reason)
        return await self.closed()

    async def closed(self):
        try:
            await self.connection.recv()
        except ConnectionClosed as end:
            received = end.rcvd
            return {"closed": [received.code, received.reason] if received else [1006, ""]}
        raise RuntimeError("a message instead of the end")


async def main(url, options, steps):
    arguments = {
        "subprotocols": options.get("subprotocols"),
        "compression": "deflate" if options.get("compress", True) else None,
    }
    if "cacert" in options:
        arguments["ssl"] = ssl.create_default_context(cafile=options["cacert"])
    try:
        connection = await connect(url, max_size=None, proxy=options.get("proxy"), **arguments)
    except InvalidStatus as refused:
        return {"refused": refused.response.status_code}
    client = Client(connection)
    seen = []
    for step, *values in steps:
        saw = await getattr(client, step)(*values)
        seen.extend([saw] if saw else [])
    return {"subprotocol": connection.subprotocol, "seen": seen}


url, options, steps = sys.argv[1], json.loads(sys.argv[2]), json.loads(sys.argv[3])
print(json.dumps(asyncio.run(main(url, options, steps))))
