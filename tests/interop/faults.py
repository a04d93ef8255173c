"""Python's websockets as a client of a faulty server, for `faults`: URL, then hello or silent.

Tells in a line what happened, and ends.
"""

import asyncio
import sys

from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed

TOLD = []
OPTIONS = {"open_timeout": 2, "close_timeout": 1, "ping_interval": 0.5, "ping_timeout": 1}


async def talk(url, mode):
    async with connect(url, subprotocols=["chat"], **OPTIONS) as socket:
        TOLD.append("opens")
        try:
            if mode == "hello":
                await socket.send("hello")
            while True:
                message = await asyncio.wait_for(socket.recv(), 2)
                long = len(message) > 20
                TOLD.append(f"message of {len(message)} bytes" if long else f'message "{message}"')
                if message == "hello":
                    break
        except TimeoutError:
            TOLD.append("nothing for 2 s")
        except ConnectionClosed as error:
            if error.__cause__ is not None:
                TOLD.append(f'error "{error.__cause__}"')
        await socket.close(1000)
        reason = f' "{socket.close_reason}"' if socket.close_reason else ""
        TOLD.append(f"closed {socket.close_code}{reason}")


async def main():
    url, mode = sys.argv[1:]
    try:
        await asyncio.wait_for(talk(url, mode), 10)
    except TimeoutError as error:
        TOLD.append(f'error "{error}"' if str(error) else "still open after 10 s")
    except Exception as error:  # whatever it is, it is what the client says
        cause = f": {error.__cause__}" if error.__cause__ is not None else ""
        TOLD.append(f'error "{error}{cause}"')
    print("; ".join(TOLD).replace("\n", " "))


asyncio.run(main())
