// Ports: a chosen one that is taken is refused by name, our default gives way, any free one is found.
import { createServer, type Server } from "node:net";
import { afterEach, expect, test } from "vitest";
import { choosePort } from "./port.ts";
import { portHolder } from "./port-holder.ts";

const servers: Server[] = [];
afterEach(() => Promise.all(servers.splice(0).map((server) => new Promise((closed) => server.close(closed)))));

/** Takes a port; the one asked for, or any. */
async function take(port = 0): Promise<number> {
  const server = createServer();
  servers.push(server);
  await new Promise<void>((listening, failed) => server.once("error", failed).listen(port, "127.0.0.1", listening));
  return (server.address() as { port: number }).port;
}
const host = "127.0.0.1";

test("a free port is used as wished, chosen or not", async () => {
  const port = await take();
  await new Promise((closed) => servers.pop()?.close(closed));
  for (const chosen of [true, false]) expect(await choosePort({ port, chosen, host }, null)).toEqual({ port, note: null });
  expect(await choosePort({ port: 0, chosen: true, host }, null)).toEqual({ port: 0, note: null });
});

test("our default gives way and says who holds it", async () => {
  const port = await take();
  const found = await choosePort({ port, chosen: false, host }, null);
  expect(found.port).toBeGreaterThan(port);
  expect(found.note).toContain(`Port ${port} is taken`);
  expect(found.note).toContain(`using ${found.port}`);
});

test("a chosen port that is taken is refused", async () => {
  const port = await take();
  await expect(choosePort({ port, chosen: true, host }, null)).rejects.toMatchObject({
    code: "PORT_TAKEN",
    hint: expect.stringContaining("--port 0"),
  });
  const running = { url: `http://127.0.0.1:${port}`, pid: 4242, key: "tr_dev_x" };
  await expect(choosePort({ port, chosen: true, host }, running)).rejects.toThrow(/Holdfast server with pid 4242/);
});

test("an address that is not ours is no taken port", async () => {
  await expect(choosePort({ port: 0, chosen: true, host: "192.0.2.1" }, null)).resolves.toMatchObject({ port: 0 });
  await expect(choosePort({ port: 41_234, chosen: true, host: "192.0.2.1" }, null)).rejects.toMatchObject({ code: "FAILED" });
});

test.runIf(process.platform === "linux")("the holder of a port is named", async () => {
  const port = await take();
  expect(portHolder(port)).toMatchObject({ pid: process.pid, name: expect.stringMatching(/\S/) });
  await new Promise((closed) => servers.pop()?.close(closed));
  expect(portHolder(port)).toBeNull();
});
