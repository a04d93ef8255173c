"""A client of libcurl for the interop tests of the server: follows the steps that listen describes.

libcurl compresses nothing, does not join fragments, and keeps its own pongs back until something else
is sent; so pings are answered here. Arguments: URL, options and steps, the last two in JSON. Prints what it saw, in JSON.
"""

import hashlib
import json
import os
import select
import sys

import pycurl

PATTERN = bytes(range(251))
PIECE = 1 << 16
CONTROL = pycurl.WS_CLOSE | pycurl.WS_PING | pycurl.WS_PONG
KINDS = pycurl.WS_TEXT | pycurl.WS_BINARY | pycurl.WS_CONT | CONTROL


class Client:
    def __init__(self, curl):
        self.curl = curl
        self.socket = curl.getinfo(pycurl.ACTIVESOCKET)
        self.frames, self.payload = [], bytearray()

    def send(self, payload, kind):
        """Sends all of it, and keeps what comes meanwhile: the server waits for who does not read."""
        payload, at = memoryview(payload), 0
        while True:
            try:
                flags, total = (kind | pycurl.WS_OFFSET, 0 if at else len(payload))
                at += self.curl.ws_send(payload[at : at + PIECE], flags, total)
            except BlockingIOError:
                self.read()
                select.select([self.socket], [self.socket], [])
            if at == len(payload):
                return

    def frame(self):
        """The next frame, as its kind and its payload."""
        while not self.frames:
            if not self.read():
                select.select([self.socket], [], [])
        return self.frames.pop(0)

    def read(self):
        """Takes what has come; whether there was something."""
        try:
            piece, meta = self.curl.ws_recv(PIECE)
        except BlockingIOError:
            return False
        self.payload += piece
        if meta.bytesleft == 0:
            payload = bytes(self.payload)
            self.payload.clear()
            if meta.flags & pycurl.WS_PING:
                self.curl.ws_send(payload, pycurl.WS_PONG)
            else:
                self.frames.append((meta.flags & KINDS, payload))
        return True

    def text(self, text):
        self.send(text.encode(), pycurl.WS_TEXT)

    def binary(self, length):
        self.send((PATTERN * (length // 251 + 1))[:length], pycurl.WS_BINARY)

    def receive(self):
        kind, payload = pycurl.WS_CONT, b""
        while kind & pycurl.WS_CONT:
            kind, piece = self.frame()
            payload += piece
        if kind == pycurl.WS_TEXT:
            return {"text": payload.decode()}
        assert kind == pycurl.WS_BINARY, kind
        return {"binary": len(payload), "sha256": hashlib.sha256(payload).hexdigest()}

    def ping(self, payload):
        self.curl.ws_send(payload.encode(), pycurl.WS_PING)
        kind, payload = self.frame()
        assert kind == pycurl.WS_PONG, kind
        return {"pong": payload.decode()}

    def close(self, code, reason):
        self.curl.ws_close(code, reason)
        return self.closed()

    def closed(self):
        kind, payload = self.frame()
        assert kind == pycurl.WS_CLOSE, kind
        return {"closed": [int.from_bytes(payload[:2], "big"), payload[2:].decode()]}


def main(url, options, steps):
    curl = pycurl.Curl()
    curl.setopt(pycurl.URL, url)
    curl.setopt(pycurl.CONNECT_ONLY, 2)
    curl.setopt(pycurl.WS_OPTIONS, pycurl.WS_NOAUTOPONG)
    if options.get("proxy"):
        # The proxy's variable is read by the library, this one by the tool alone.
        curl.setopt(pycurl.CAINFO, os.environ["CURL_CA_BUNDLE"])
    else:
        curl.setopt(pycurl.PROXY, "")
    if "cacert" in options:
        curl.setopt(pycurl.CAINFO, options["cacert"])
    subprotocols = options.get("subprotocols")
    if subprotocols:
        curl.setopt(pycurl.HTTPHEADER, ["Sec-WebSocket-Protocol: " + ", ".join(subprotocols)])
    agreed = {}
    curl.setopt(pycurl.HEADERFUNCTION, lambda line: note(line, agreed))
    try:
        curl.perform()
    except pycurl.error:
        return {"refused": curl.getinfo(pycurl.RESPONSE_CODE)}
    client = Client(curl)
    seen = []
    for step, *values in steps:
        saw = getattr(client, step)(*values)
        seen.extend([saw] if saw else [])
    return {"subprotocol": agreed.get("sec-websocket-protocol"), "seen": seen}


def note(line, agreed):
    name, colon, value = line.decode("latin-1").partition(":")
    if colon:
        agreed[name.lower()] = value.strip()


print(json.dumps(main(sys.argv[1], json.loads(sys.argv[2]), json.loads(sys.argv[3]))))
