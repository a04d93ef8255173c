import sys
from gevent.pywsgi import WSGIServer
from geventwebsocket.handler import WebSocketHandler

def app(environ, start_response):
    ws = environ.get("wsgi.websocket")
    if ws is None:
        start_response("400 Bad Request", [])
        return [b""]
    while (message := ws.receive()) is not None:
        ws.send(message, binary=isinstance(message, (bytes, bytearray)))
    return []

WSGIServer(("127.0.0.1", int(sys.argv[1])), app, handler_class=WebSocketHandler, log=None).serve_forever()
