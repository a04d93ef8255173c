// npm's ws as a client of a faulty server, for `faults`: URL, then hello or silent.
//
// Tells in a line what happened, and ends.

import WebSocket from "ws";

const [url, mode] = process.argv.slice(2);
const told = [];

function end() {
  console.log(told.length ? told.join("; ") : "nothing happens");
  process.exit(0);
}

const socket = new WebSocket(url, ["chat"], {
  handshakeTimeout: 2000,
  closeTimeout: 1000,
});
socket.on("open", () => {
  told.push("opens");
  if (mode === "hello") socket.send("hello");
  setTimeout(() => {
    if (socket.readyState === WebSocket.OPEN) told.push("nothing for 2 s");
    socket.close(1000);
  }, 2000);
});
socket.on("message", (data) => {
  const text = data.length > 20 ? `message of ${data.length} bytes` : `message "${data}"`;
  told.push(text);
  if (`${data}` === "hello") socket.close(1000);
});
socket.on("unexpected-response", (request, response) => {
  told.push(`status ${response.statusCode}`);
  request.destroy();
  end();
});
socket.on("error", (error) => told.push(`error "${error.message}"`));
socket.on("close", (code, reason) => {
  told.push(`closed ${code}${reason.length ? ` "${reason}"` : ""}`);
  end();
});
setTimeout(() => {
  told.push("still open after 10 s");
  end();
}, 10000);
