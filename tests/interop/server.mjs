// A server of npm's ws for the interop tests: what each path does is told in run.
//
// Prints its port once it listens, and ends with its standard input.

import { createServer } from "node:http";
import { WebSocketServer } from "ws";

const paths = {
  "/echo": (socket) => socket.on("message", (data, binary) => socket.send(data, { binary })),
  "/fragments": (socket) => {
    socket.send("in ", { fin: false });
    socket.send("three ", { fin: false });
    socket.send("pieces", { fin: true });
    socket.close(1000);
  },
  "/ping": (socket) => {
    socket.on("pong", (payload) => {
      socket.send(`pong ${payload}`);
      socket.close(1000);
    });
    socket.ping("are you there");
  },
  "/subprotocol": (socket) => {
    socket.send(socket.protocol);
    socket.close(1000);
  },
  "/close": (socket) => socket.close(4001, "go away, please"),
};

const sockets = new WebSocketServer({
  noServer: true,
  perMessageDeflate: { threshold: 0 },
});
const server = createServer();
server.on("upgrade", (request, connection, head) => {
  const serve = paths[request.url];
  if (serve) {
    sockets.handleUpgrade(request, connection, head, serve);
    return;
  }
  const body = "not for you\n";
  connection.end(
    "HTTP/1.1 403 Forbidden\r\nContent-Type: text/plain\r\nConnection: close\r\n" +
      `Content-Length: ${body.length}\r\n\r\n${body}`,
  );
});
server.listen(0, "127.0.0.1", () => console.log(server.address().port));
process.stdin.on("end", () => process.exit(0)).resume();
