import { WebSocketServer } from 'ws';
const server = new WebSocketServer({ port: +process.argv[2], host: '127.0.0.1', perMessageDeflate: true });
server.on('connection', (socket) => {
  socket.on('error', () => {});
  socket.on('message', (data, binary) => socket.send(data, { binary }));
});
