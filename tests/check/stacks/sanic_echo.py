import sys
from sanic import Sanic

app = Sanic("echo")

@app.websocket("/")
async def echo(request, ws):
    async for message in ws:
        await ws.send(message)

app.run("127.0.0.1", int(sys.argv[1]), single_process=True, access_log=False)
