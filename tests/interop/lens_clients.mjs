// A session of a client that others wrote, for `lenses`: node lens_clients.mjs NAME PORT.
import { createRequire } from "node:module";
import WebSocket from "ws";

const require = createRequire(import.meta.url);
const [name, port] = process.argv.slice(2);
const once = (begin) => new Promise(begin);

const sessions = {
  async phoenix() {
    const { Socket } = require("phoenix");
    const socket = new Socket(`ws://127.0.0.1:${port}/socket`, { transport: WebSocket });
    socket.connect();
    const channel = socket.channel("room:1", { who: "me" });
    await once((done) => channel.join().receive("ok", done));
    const heard = once((done) => channel.on("shout", done));
    channel.push("shout", { body: "hi" });
    await heard;
    await once((done) => channel.leave().receive("ok", done));
    await once((done) => socket.disconnect(done));
  },
  async signalr() {
    const { HubConnectionBuilder, LogLevel } = require("@microsoft/signalr");
    const hub = new HubConnectionBuilder()
      .withUrl(`http://127.0.0.1:${port}/chathub`).configureLogging(LogLevel.None).build();
    const heard = once((done) => hub.on("news", done));
    await hub.start();
    await hub.invoke("Add", 2, 3);
    await hub.invoke("Nothing").catch(() => {});
    await heard;
    await hub.stop();
  },
  async "action-cable"() {
    Object.assign(globalThis, { addEventListener() {}, removeEventListener() {}, document: { visibilityState: "visible" } });
    const { adapters, createConsumer } = await import("@rails/actioncable");
    adapters.WebSocket = WebSocket;
    const cable = createConsumer(`ws://127.0.0.1:${port}/cable`);
    await once((done) => {
      const chat = cable.subscriptions.create({ channel: "ChatChannel", room: 1 }, {
        connected: () => chat.perform("speak", { text: "hi" }),
        received: done,
      });
    });
    cable.subscriptions.subscriptions[0].unsubscribe();
    cable.disconnect();
  },
};

await sessions[name]();
process.exit();
