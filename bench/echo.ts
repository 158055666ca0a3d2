// Bench: a program that answers each WebSocket message with itself, parsed and written again: the least any step over a WebSocket costs.
import type { AddressInfo } from "node:net";
import { WebSocketServer } from "ws";

const server = new WebSocketServer({ host: "127.0.0.1", port: 0, perMessageDeflate: false });
server.on("connection", (socket) => {
  socket.on("message", (text) => socket.send(JSON.stringify(JSON.parse(String(text)))));
});
server.on("listening", () => console.log(`port ${(server.address() as AddressInfo).port}`));
