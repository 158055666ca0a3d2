// Executions that outlive their connection, over real sockets, against a server's side that the test speaks for: what the app says it holds, what it sends
// again and what not, and how it moves over when a server goes away.
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { ConnectServer, Peer } from "../../test-kit/connect-server.ts";
import { ConnectedApps, execute } from "../../test-kit/connected-apps.ts";
import { executionStart } from "../../test-kit/run-model.ts";
import { realRuntime } from "../runtime/real.ts";
import type { Runtime } from "../runtime/runtime.ts";
import { invokeTrigger } from "../triggers/invoke-trigger.ts";

let apps: ConnectedApps;
let server: ConnectServer;

beforeEach(async () => {
  apps = await ConnectedApps.open();
  ({ server } = apps);
});
afterEach(() => apps.close());

const welcome = (peer: Peer) => peer.send({ t: "welcome", server: "srv", environment: "dev" });

/** The next connection, welcomed, after it said what the app holds. */
async function holding(): Promise<{ peer: Peer; holds: string[] }> {
  const peer = await server.peer();
  const { holds = [] } = await peer.next("hello");
  welcome(peer);
  return { peer, holds };
}

/** A connected app whose execution x1 has reported its first step, which nobody has acknowledged yet. */
async function reporting(different: Partial<Runtime> = {}) {
  const { client, gate } = apps.stepping(different);
  apps.connect(client);
  const peer = await server.welcomed();
  execute(peer, "x1");
  return { gate, peer, one: await peer.next("report") };
}

/** Shows that a peer got nothing else: an execution without a job ends, and that is all. */
async function silent(peer: Peer, token: string): Promise<void> {
  execute(peer, token, "gone");
  expect(await peer.next("end")).toMatchObject({ x: token });
  expect(peer.frames).toEqual([]);
}

describe("when the connection breaks", () => {
  it("the app goes on, names what it holds, and sends again what was not acknowledged", async () => {
    const { gate, peer: first, one } = await reporting();
    first.socket.terminate();
    const { peer, holds } = await holding();
    expect(holds).toEqual(["x1"]);
    await silent(peer, "x0");
    peer.send({ t: "resumed", held: ["x1"], stale: [] });
    const again = await peer.next("report");
    expect(again).toMatchObject({ x: "x1", n: one.n, items: [{ key: one.items[0]?.key, output: "1" }] });
    expect(again.items[0]?.startedAgo).toBeGreaterThan(one.items[0]?.startedAgo ?? 0);
    expect(gate.passed).toEqual([]);
    gate.open();
    peer.send({ t: "ack", x: "x1", n: again.n });
    expect((await peer.next("report")).items[0]).toMatchObject({ displayKey: "two" });
    expect(apps.lines.filter((line) => line.includes("no connection"))).toHaveLength(1);
  });

  it("what was acknowledged is not sent again", async () => {
    const { gate, peer: first, one } = await reporting();
    first.send({ t: "ack", x: "x1", n: one.n });
    await expect.poll(() => gate.passed).toEqual(["one"]);
    first.socket.terminate();
    const { peer } = await holding();
    peer.send({ t: "resumed", held: ["x1"], stale: [] });
    await silent(peer, "x0");
    gate.open();
    expect((await peer.next("report")).items[0]).toMatchObject({ displayKey: "two" });
  });

  it("an end is sent again until it is said to be on disk, and then no more", async () => {
    apps.connect(apps.stepping().client);
    const first = await server.welcomed();
    execute(first, "x1", "gone");
    const end = await first.next("end");
    first.socket.terminate();
    const second = await holding();
    expect(second.holds).toEqual(["x1"]);
    second.peer.send({ t: "resumed", held: ["x1"], stale: [] });
    expect(await second.peer.next("end")).toEqual(end);
    second.peer.send({ t: "ended", x: "x1" });
    await silent(second.peer, "x0");
    second.peer.send({ t: "ended", x: "x0" });
    await silent(second.peer, "x2");
    second.peer.socket.terminate();
    expect((await holding()).holds).toEqual(["x2"]);
  });

  it("an execution that went to somebody else stops", async () => {
    const { gate, peer: first, one } = await reporting();
    first.socket.terminate();
    const { peer } = await holding();
    peer.send({ t: "resumed", held: [], stale: ["x1"] });
    peer.send({ t: "ack", x: "x1", n: one.n });
    gate.open();
    await silent(peer, "x0");
    expect(gate.passed).toEqual([]);
  });

  it("an execution the server keeps, but the app does not know (any more), is given back", async () => {
    apps.connect(apps.stepping().client);
    const peer = await server.welcomed();
    peer.send({ t: "resumed", held: ["x9"], stale: [] });
    expect(await peer.next("moved")).toEqual({ t: "moved", xs: ["x9"] });
  });

  it("what breaks one connection after the other is given up", async () => {
    apps.connect(apps.stepping().client);
    let peer = await server.welcomed();
    execute(peer, "x1");
    for (let i = 0; i < 3; i++) {
      await peer.next("report");
      peer.socket.terminate();
      ({ peer } = await holding());
      peer.send({ t: "resumed", held: ["x1"], stale: [] });
    }
    await peer.next("report");
    peer.socket.terminate();
    ({ peer } = await holding());
    peer.send({ t: "resumed", held: ["x1"], stale: [] });
    expect(await peer.next("moved")).toEqual({ t: "moved", xs: ["x1"] });
    await silent(peer, "x0");
  });

  it("an execution nobody carries is given up in the end", async () => {
    const waiting: { ms: number; due: () => void }[] = [];
    const after = (ms: number, due: () => void, background?: boolean) => {
      if (ms < 20_000) return realRuntime.after(ms, due, background);
      waiting.push({ ms, due });
      return () => {};
    };
    const { peer: first } = await reporting({ after });
    first.socket.terminate();
    await expect.poll(() => waiting.map(({ ms }) => ms)).toEqual([30_000]);
    for (const { due } of waiting) due();
    expect(await (await server.peer()).next("hello").then(({ holds = [] }) => holds)).toEqual([]);
  });
});

describe("when the server drains", () => {
  it("executions move to the next server while the former still serves them", async () => {
    const { gate, peer: old, one } = await reporting();
    old.send({ t: "draining" });
    const { peer, holds } = await holding();
    expect(holds).toEqual(["x1"]);
    old.send({ t: "ack", x: "x1", n: one.n });
    await expect.poll(() => gate.passed).toEqual(["one"]);
    peer.send({ t: "resumed", held: ["x1"], stale: [] });
    expect(await old.next("moved")).toEqual({ t: "moved", xs: ["x1"] });
    await old.closed;
    gate.open();
    const two = await peer.next("report");
    peer.send({ t: "ack", x: "x1", n: two.n });
    expect(await peer.next("end")).toMatchObject({ x: "x1", outcome: { status: "SUCCESS" } });
    expect(old.frames).toEqual([]);
  });

  it("a server that no longer carries an execution cannot stop it", async () => {
    const { client, gate } = apps.stepping();
    apps.connect(client);
    const old = await server.welcomed();
    execute(old, "x1");
    execute(old, "x2");
    const one = await old.next("report");
    old.send({ t: "draining" });
    const { peer } = await holding();
    peer.send({ t: "resumed", held: ["x1"], stale: [] });
    await old.next("moved");
    old.send({ t: "stale", x: "x1", reason: "superseded" });
    old.send({ t: "ack", x: "x1", n: one.n });
    await expect.poll(() => gate.passed).toEqual(["one"]);
    gate.open();
    await expect.poll(() => peer.frames.some((frame) => frame.t === "report" && frame.items[0]?.displayKey === "two")).toBe(true);
  });

  it("what still arrives at the former server counts, and comes over once it is there", async () => {
    apps.connect(apps.stepping().client, { concurrency: 5, drainMs: 200 });
    const old = await server.welcomed();
    const run = { ...executionStart().run, id: "run_x1" };
    const start = executionStart({ token: "x1", run, job: { id: "stepping", version: "1.0.0" } });
    old.send({ t: "execute", start, more: true });
    old.send({ t: "draining" });
    const peer = await server.peer();
    expect(await peer.next("hello")).toMatchObject({ concurrency: 4 });
    welcome(peer);
    old.send({ t: "tasks", x: "x1", tasks: [], last: true });
    expect(await peer.next("resume")).toEqual({ t: "resume", xs: ["x1"] });
    expect(await peer.next("credit")).toEqual({ t: "credit", concurrency: 5 });
    peer.send({ t: "resumed", held: ["x1"], stale: [] });
    await old.next("moved");
    await old.closed;
  });
});

describe("a server that does not answer", () => {
  it("gets only so many bytes; what is over waits, and the steps with it", async () => {
    const client = apps.clientOf();
    client.defineJob({
      id: "large",
      name: "Large",
      version: "1.0.0",
      trigger: invokeTrigger(),
      run: async (_payload, io) => {
        await io.runTask("one", async () => "x".repeat(1_000_000));
      },
    });
    apps.connect(client);
    const peer = await server.welcomed();
    const tokens = Array.from({ length: 12 }, (_, i) => `x${i}`);
    for (const token of tokens) execute(peer, token, "large");
    const reports: { x: string; n: number }[] = [];
    for (let i = 0; i < 5; i++) reports.push(await peer.next("report"));
    // More is ready to go by now, and a frame that no step waits for overtakes it.
    execute(peer, "last", "gone");
    client.defineJob({ id: "b", name: "b", version: "1.0.0", trigger: invokeTrigger(), run: async () => {} });
    await peer.next("index");
    expect(peer.frames).toEqual([]);
    for (const { x, n } of reports) {
      peer.send({ t: "ack", x, n });
      await peer.next("report");
    }
  });
});
