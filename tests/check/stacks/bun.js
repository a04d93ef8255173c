Bun.serve({
  port: +process.argv[2],
  hostname: '127.0.0.1',
  fetch: (request, server) => server.upgrade(request) ? undefined : new Response('', { status: 400 }),
  websocket: { perMessageDeflate: true, message: (ws, data) => { ws.send(data); } },
});
