import http from 'node:http';
import websocket from 'websocket';
const refuse = (request, response) => response.writeHead(426).end();
const httpServer = http.createServer(refuse).listen(+process.argv[2], '127.0.0.1');
const server = new websocket.server({ httpServer });
server.on('request', (request) => {
  const c = request.accept(null, request.origin);
  c.on('message', (m) => m.type === 'utf8' ? c.sendUTF(m.utf8Data) : c.sendBytes(m.binaryData));
});
