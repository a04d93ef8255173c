import asyncio, sys
from picows import WSFrame, WSListener, WSMsgType, WSTransport, ws_create_server

class Echo(WSListener):
    """picows hands frames to the program, which has to join fragments and to answer Closes."""

    def on_ws_frame(self, transport: WSTransport, frame: WSFrame):
        if frame.msg_type == WSMsgType.CLOSE:
            transport.send_close(frame.get_close_code(), frame.get_close_message())
            transport.disconnect()
        elif frame.msg_type in (WSMsgType.TEXT, WSMsgType.BINARY, WSMsgType.CONTINUATION):
            transport.send(frame.msg_type, frame.get_payload_as_bytes(), frame.fin)

async def main():
    server = await ws_create_server(lambda request: Echo(), "127.0.0.1", int(sys.argv[1]), enable_auto_pong=True)
    await server.serve_forever()

asyncio.run(main())
