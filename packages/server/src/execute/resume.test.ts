// Room: execute. Executions that outlive their connection, from the server's side: who gets them back, who is refused, when they are lost, and how a server
// lets go of them. And what becomes of an app that does not read.
import type { AppFrame, ExecutionStart } from "@holdfast/protocol";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { createMemoryStore } from "../store/memory/memory-store.ts";
import { NOW, world } from "../store/samples.conformance.ts";
import { dial, dialled, type ExecutorScene, executorScene, type PretendedSocket } from "./fixture.test.mts";
import { ADOPT_MS, LEASE_MS, RESUME_MS } from "./lease.ts";

let stored: ReturnType<typeof createMemoryStore>;
let server: ExecutorScene;
let timers: { ms: number; due: () => void }[];
const opened: ExecutorScene[] = [];

async function serverOf(owner: string, shared = stored): Promise<ExecutorScene> {
  const after = (ms: number, due: () => void) => {
    const timer = { ms, due };
    timers.push(timer);
    return () => void timers.splice(timers.indexOf(timer), 1);
  };
  const scene = await executorScene({ owner, world: { after, now: () => NOW }, ...(shared ? { stored: shared } : {}) });
  opened.push(scene);
  return scene;
}

beforeEach(async () => {
  timers = [];
  server = await executorScene({ world: { now: () => NOW } });
  stored = { store: server.store, bus: server.bus } as ReturnType<typeof createMemoryStore>;
  server = await serverOf("srv_1");
});
afterEach(() => {
  for (const { executor } of opened.splice(0)) executor.hub.close();
});

/** The grace period for broken connections is over. */
function graceOver(): void {
  for (const timer of timers.filter(({ ms }) => ms === RESUME_MS)) timer.due();
}

/** An execution that an app of the server runs. */
async function running(on = server): Promise<{ token: string; socket: PretendedSocket; state: () => Promise<string> }> {
  const socket = await dialled(on);
  const [claimed] = await on.claimed(1);
  if (!claimed) throw new Error("nothing was claimed");
  await on.executor.execute(claimed.run, claimed.token);
  expect(socket.of("execute").map(({ start }) => start.token)).toEqual([claimed.token]);
  const state = async () => {
    const run = await on.store.run(null, claimed.run.id);
    return run?.state.kind === "executing" ? run.state.token : (run?.state.kind ?? "");
  };
  return { token: claimed.token, socket, state };
}

const workOf = (token: string) => [...stored.store.tables.work.values()].find((work) => work.token === token);

describe("a broken connection", () => {
  it("loses nothing when the app comes back in time, with a fresh lease", async () => {
    const { token, socket, state } = await running();
    await server.store.renew([token], NOW + 1, "srv_1");
    socket.gone(1006);
    const again = await dialled(server, [token]);
    expect(again.of("resumed")).toEqual([{ t: "resumed", held: [token], stale: [] }]);
    graceOver();
    expect(await state()).toBe(token);
    expect(workOf(token)).toMatchObject({ owner: "srv_1", dueAt: NOW + LEASE_MS });
    again.says({ t: "end", x: token, items: [], outcome: { status: "SUCCESS" } });
    await expect.poll(() => again.of("ended")).toEqual([{ t: "ended", x: token }]);
    expect(await state()).toBe("finished");
  });

  it("loses nothing while its app is coming back, however long the database takes", async () => {
    const { token, socket, state } = await running();
    const { saveApp } = server.store.catalog;
    let go = () => {};
    const held = new Promise<void>((resolve) => {
      go = resolve;
    });
    server.store.catalog.saveApp = async (row) => {
      await held;
      return saveApp.call(server.store.catalog, row);
    };
    socket.gone(1006);
    const again = dial(server, [token]);
    graceOver();
    go();
    await expect.poll(() => again.of("resumed")).toEqual([{ t: "resumed", held: [token], stale: [] }]);
    expect(await state()).toBe(token);
  });

  it("loses its executions when nobody comes back", async () => {
    const { socket, state } = await running();
    socket.gone(1006);
    graceOver();
    await expect.poll(state).toBe("queued");
  });

  it("one the app closed loses them at once", async () => {
    const { socket, state } = await running();
    socket.gone(1000);
    await expect.poll(state).toBe("queued");
    expect(timers.filter(({ ms }) => ms === RESUME_MS)).toEqual([]);
  });

  it("an end that is sent again is taken once, and answered again", async () => {
    const { token, socket, state } = await running();
    const end: AppFrame = { t: "end", x: token, items: [], outcome: { status: "YIELDED", key: "k" } };
    socket.says(end);
    socket.says(end);
    await expect.poll(() => socket.sent.filter(({ t }) => t === "ended" || t === "stale").length).toBe(2);
    expect(await state()).toBe("queued");
    const again = await dialled(server, [token]);
    expect(again.of("resumed")).toEqual([{ t: "resumed", held: [], stale: [token] }]);
  });
});

describe("another server", () => {
  it("adopts what the app holds; its former server neither renews it nor gives it up", async () => {
    const { token, socket, state } = await running();
    const other = await serverOf("srv_2");
    const again = await dialled(other, [token, "exe_unknown.run_unknown"]);
    expect(again.of("resumed")).toEqual([{ t: "resumed", held: [token], stale: ["exe_unknown.run_unknown"] }]);
    expect(await server.store.renew([token], NOW + 99_000, "srv_1")).toEqual(new Set());
    socket.gone(1006);
    graceOver();
    await expect.poll(() => server.executor.live.size).toBe(0);
    expect(await state()).toBe(token);
    expect(workOf(token)).toMatchObject({ owner: "srv_2", dueAt: NOW + LEASE_MS });
  });

  it("keeps an execution's waits: its run sleeps until the task is due, whoever heard of it", async () => {
    const { token } = await running();
    const wait = { key: "k", id: "task_k", name: "w", status: "WAITING" as const, attempt: 1, startedAgo: 0, delayMs: 500 };
    await server.executor.record(token, [wait]);
    const other = await serverOf("srv_2");
    const again = await dialled(other, [token]);
    again.says({ t: "end", x: token, items: [], outcome: { status: "SUSPENDED", wakeMs: 100, wakeKey: "k" } });
    await expect.poll(() => again.of("ended").length).toBe(1);
    const [run] = [...stored.store.tables.runs.values()];
    expect(run?.state).toEqual({ kind: "waiting", dueAt: NOW + 500 });
  });

  it("is told by the app what has moved: that is no longer the former server's", async () => {
    const { token, socket } = await running();
    const other = await serverOf("srv_2");
    await dialled(other, [token]);
    socket.says({ t: "moved", xs: [token] });
    await expect.poll(() => server.executor.live.size).toBe(0);
    expect(socket.of("stale")).toEqual([]);
    expect(await stored.store.renew([token], NOW, "srv_2")).toEqual(new Set([token]));
  });
});

describe("a server that stops", () => {
  it("takes no app, nor what it holds", async () => {
    const { token, socket } = await running();
    server.executor.drain();
    expect(socket.of("draining")).toHaveLength(1);
    const late = dial(server, [token]);
    expect(await late.closed).toBe(1013);
    expect(late.sent).toEqual([]);
    expect(server.executor.live.size).toBe(1);
  });

  it("leaves what still runs with its app, for another server to adopt soon", async () => {
    const { token, socket, state } = await running();
    server.executor.drain();
    await server.executor.giveBack();
    expect(socket.of("stale")).toEqual([]);
    expect(await state()).toBe(token);
    expect(workOf(token)?.dueAt).toBe(NOW + ADOPT_MS);
    const other = await serverOf("srv_2");
    expect((await dialled(other, [token])).of("resumed")).toEqual([{ t: "resumed", held: [token], stale: [] }]);
  });
});

describe("credit", () => {
  it("no more is sent than the app has room for, what it resumes counted", async () => {
    const { token, socket } = await running();
    socket.gone(1006);
    const again = await dialled(server, [token], 2);
    expect(server.executor.room(server.registry.apps()[0] as never)).toBe(1);
    again.says({ t: "credit", concurrency: 1 });
    expect(server.executor.room(server.registry.apps()[0] as never)).toBe(0);
    const [claimed] = await server.claimed(1);
    await server.executor.execute(claimed?.run as never, claimed?.token as string);
    expect(again.of("execute")).toEqual([]);
    expect((await server.store.run(null, claimed?.run.id as string))?.state).toMatchObject({ kind: "queued", dueAt: NOW });
    again.says({ t: "credit", concurrency: 2 });
    expect(server.woken.at(-1)).toBe(server.registry.apps()[0]?.id);
  });

  it("an app that does not read gets no new work, no question, and no further page, until it does", async () => {
    const socket = await dialled(server);
    socket.stalled = true;
    const app = server.registry.apps()[0] as never as { id: string };
    const page = [{ id: "t", key: "k", status: "COMPLETED" as const, attempts: 0, output: "x".repeat(5 * 1024 * 1024) }];
    let pages = 0;
    async function* more() {
      for (; pages < 3; pages++) yield page;
    }
    const start = { token: "exe_1.run_1", job: { id: "j" }, tasks: [] } as unknown as ExecutionStart;
    const sent = server.executor.hub.execute(app.id, start, more());
    await expect.poll(() => socket.of("tasks").length).toBe(1);
    expect(server.executor.room(app as never)).toBe(0);
    const request = { url: "http://x/", method: "POST", headers: {}, rawBody: "" };
    const asked = await server.executor.hub.ask(app.id, { t: "verify", endpoint: "e", request });
    expect(asked).toMatchObject({ type: "no-answer", message: expect.stringContaining("does not read") });
    expect(socket.of("tasks")).toHaveLength(1);
    socket.stalled = false;
    socket.read();
    await sent;
    expect(socket.of("tasks").map(({ last }) => last)).toEqual([false, false, false, true]);
    expect(server.woken.at(-1)).toBe(app.id);
  });
});

it("an app cannot take over what is another's", async () => {
  const { token } = await running();
  const run = stored.store.tables.runs.get(token.slice(token.indexOf(".") + 1));
  if (run) stored.store.tables.runs.set(run.id, { ...run, appId: world.newId("app") });
  expect((await dialled(server, [token])).of("resumed")).toEqual([{ t: "resumed", held: [], stale: [token] }]);
});
