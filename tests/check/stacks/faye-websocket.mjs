import http from 'node:http';
import WebSocket from 'faye-websocket';
const refuse = (request, response) => response.writeHead(426).end();
http.createServer(refuse).on('upgrade', (request, socket, head) => {
  if (!WebSocket.isWebSocket(request)) return socket.end('HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n');
  const ws = new WebSocket(request, socket, head);
  ws.on('message', (event) => ws.send(event.data));
}).listen(+process.argv[2], '127.0.0.1');
