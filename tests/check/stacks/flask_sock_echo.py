"""For gunicorn: --threads 32 flask_sock_echo:app."""
from flask import Flask
from flask_sock import Sock

app = Flask("echo")
sock = Sock(app)

@sock.route("/")
def echo(ws):
    while True:
        ws.send(ws.receive())
