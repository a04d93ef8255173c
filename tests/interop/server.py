"""A server of Python's websockets for the interop tests: what each path does is told in run.

Prints its port once it listens, and ends with its standard input.
"""

import asyncio
import http
import sys

from websockets.asyncio.server import serve


async def echo(connection):
    async for message in connection:
        await connection.send(message)


async def fragments(connection):
    await connection.send(["in ", "three ", "pieces"])


async def ping(connection):
    await (await connection.ping("are you there"))
    await connection.send("pong are you there")


async def subprotocol(connection):
    await connection.send(connection.subprotocol or "")


async def close(connection):
    await connection.close(4001, "go away, please")


PATHS = {
    "/echo": echo,
    "/fragments": fragments,
    "/ping": ping,
    "/subprotocol": subprotocol,
    "/close": close,
}


async def handle(connection):
    await PATHS[connection.request.path](connection)


def choose_subprotocol(connection, offered):
    # With a list of subprotocols websockets refuses whoever offers none.
    return "chat" if "chat" in offered else None


def refuse_others(connection, request):
    if request.path not in PATHS:
        return connection.respond(http.HTTPStatus.FORBIDDEN, "not for you\n")
    return None


async def main():
    async with serve(
        handle,
        "127.0.0.1",
        0,
        process_request=refuse_others,
        select_subprotocol=choose_subprotocol,
        max_size=None,
    ) as server:
        print(server.sockets[0].getsockname()[1], flush=True)
        await asyncio.get_running_loop().run_in_executor(None, sys.stdin.read)


asyncio.run(main())
