import sys
from websocket_server import WebsocketServer

server = WebsocketServer("127.0.0.1", int(sys.argv[1]))
server.set_fn_message_received(lambda client, server, message: server.send_message(client, message))
server.run_forever()
