import ws from 'nodejs-websocket';
ws.createServer((c) => {
  c.on('error', () => {});
  c.on('text', (text) => c.sendText(text));
  c.on('binary', (stream) => {
    const parts = [];
    stream.on('data', (part) => parts.push(part));
    stream.on('end', () => c.sendBinary(Buffer.concat(parts)));
  });
}).listen(+process.argv[2], '127.0.0.1');
