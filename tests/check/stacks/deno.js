Deno.serve({ port: +Deno.args[0], hostname: '127.0.0.1' }, (request) => {
  try {
    const { socket, response } = Deno.upgradeWebSocket(request);
    socket.onerror = () => {};
    socket.onmessage = (event) => socket.send(event.data);
    return response;
  } catch {
    return new Response('', { status: 400 });
  }
});
