import { createServer, type RequestListener, type Server } from "node:http";
import { type AddressInfo, Socket } from "node:net";
import { afterEach, describe, expect, it, vi } from "vitest";
import { createHttpClient } from "./http-client.ts";

const servers: Server[] = [];
const client = createHttpClient();
afterEach(() => {
  for (const server of servers.splice(0)) {
    server.closeAllConnections();
    server.close();
  }
});

async function listen(handler: RequestListener): Promise<string> {
  const server = createServer(handler);
  servers.push(server);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

describe("createHttpClient", () => {
  it("posts a body and hands back status, headers and bytes", async () => {
    const url = await listen(async (req, res) => {
      const chunks: Uint8Array[] = [];
      for await (const chunk of req) chunks.push(chunk);
      res.writeHead(206, { "X-Seen": `${req.method} ${req.url} ${req.headers["x-key"]}` }).end(Buffer.concat(chunks));
    });
    const body = new Uint8Array([0, 255, 128, 10]);
    const answer = await client.fetch({ url: `${url}/a?b=1`, headers: { "x-key": "k" }, body, timeoutMs: 5000 });
    expect(answer).toMatchObject({ ok: true, status: 206, headers: { "x-seen": "POST /a?b=1 k" } });
    expect(answer.ok && new Uint8Array(answer.body)).toEqual(body);
  });

  it("keeps connections alive", async () => {
    const sockets = new Set<unknown>();
    const url = await listen((req, res) => res.end(String(sockets.add(req.socket).size)));
    for (let i = 0; i < 50; i++) await client.fetch({ url, timeoutMs: 5000 });
    expect(sockets.size).toBeLessThanOrEqual(2);
  });

  it("keeps a line waiting for its own connections to a host, and no other's", async () => {
    const held: (() => void)[] = [];
    const url = await listen((req, res) => {
      if (req.url === "/held") held.push(() => res.end());
      else res.end();
    });
    const flood = Array.from({ length: 260 }, () => client.fetch({ url: `${url}/held`, timeoutMs: 20_000, line: "a" }));
    await vi.waitFor(() => expect(held).toHaveLength(256), 10_000);
    const own = client.fetch({ url, timeoutMs: 20_000, line: "a" });
    expect(await client.fetch({ url, timeoutMs: 5_000, line: "b" })).toMatchObject({ ok: true });
    expect(await client.fetch({ url, timeoutMs: 5_000 })).toMatchObject({ ok: true });
    expect(held).toHaveLength(256);
    for (const answer of held.splice(0)) answer();
    expect(await own).toMatchObject({ ok: true });
    await vi.waitFor(() => expect(held).toHaveLength(4));
    for (const answer of held) answer();
    for (const answer of await Promise.all(flood)) expect(answer.ok).toBe(true);
  });

  // A host that vanishes cannot be had here without rights over the network; that each connection is probed, can.
  it("lets the system probe a silent host after 15 seconds: an execution may wait a day for its answer", async () => {
    const probing = vi.spyOn(Socket.prototype, "setKeepAlive");
    const own = createHttpClient();
    const answer = await own.fetch({ url: await listen((_, res) => res.end()), timeoutMs: 5000 });
    await own.close();
    expect([answer.ok, probing.mock.calls.find(([on]) => on)]).toEqual([true, [true, 15_000]]);
    probing.mockRestore();
  });

  it("answers with a redirect instead of carrying the key to another host", async () => {
    let reached = 0;
    const other = await listen((_, res) => res.end(String(reached++)));
    const url = await listen((_, res) => res.writeHead(307, { location: other }).end());
    const answer = await client.fetch({ url, headers: { "x-trigger-api-key": "tr_dev_x" }, body: "{}", timeoutMs: 5000 });
    expect(answer).toMatchObject({ ok: true, status: 307, headers: { location: other } });
    expect(reached).toBe(0);
  });

  it("stops reading an answer that is too large", async () => {
    const url = await listen((_, res) => {
      const chunk = Buffer.alloc(64 * 1024);
      const more = (): void => void (res.write(chunk) ? setImmediate(more) : res.once("drain", more));
      more();
      res.once("close", () => res.destroy());
    });
    expect(await client.fetch({ url, timeoutMs: 20_000, maxBytes: 1_000_000 })).toMatchObject({ ok: false, why: "tooLarge" });
  });

  it("ends in time, before the first byte and in the middle of the body", async () => {
    const silent = await listen(() => undefined);
    const slow = await listen((_, res) => void res.write("half"));
    for (const url of [silent, slow]) {
      expect(await client.fetch({ url, timeoutMs: 80 })).toMatchObject({ ok: false, why: "timeout" });
    }
  });

  it("tells refused, broken, aborted and impossible addresses apart", async () => {
    const cut = await listen((req) => void req.socket.destroy());
    const closed = await listen(() => undefined);
    servers.pop()?.close();
    const gaveUp = AbortSignal.abort();
    expect(await client.fetch({ url: cut, timeoutMs: 5000 })).toMatchObject({ why: "broken" });
    expect(await client.fetch({ url: closed, timeoutMs: 5000 })).toMatchObject({ why: "refused" });
    expect(await client.fetch({ url: cut, timeoutMs: 5000, signal: gaveUp })).toMatchObject({ why: "aborted" });
    for (const url of ["ftp://x", "/relative", "http://", "file:///etc/passwd"]) {
      expect(await client.fetch({ url, timeoutMs: 5000 }), url).toMatchObject({ why: "badUrl" });
    }
  });
});
