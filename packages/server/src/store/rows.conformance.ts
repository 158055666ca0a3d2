// What a store must give back as it got it: texts, large values, the catalog. Part of the conformance suite: called by store.conformance.ts.
import { expect, it } from "vitest";
import type { Context } from "./context.conformance.ts";
import {
  apply,
  ENVIRONMENT,
  executing,
  NOW,
  report,
  sampleDelivery,
  sampleEnvironment,
  sampleEvent,
  sampleIntake,
  sampleTask,
  unique,
  world,
} from "./samples.conformance.ts";

export function texts(context: Context): void {
  const hostile = [
    '"\\u0000 \\ud800 \\"',
    "-0",
    "1e400",
    "12345678901234567890",
    '{"__proto__":1,"b":1,"a":1.0}',
    '"\u{1F600} é"',
    '"{\\"a\\",NULL}"',
  ];

  it("gives outputs and payloads back byte for byte", async () => {
    const { store } = context;
    const { run, token } = await executing(store);
    for (const [i, outputText] of hostile.entries()) {
      await store.recordTask(report(sampleTask(run.id, { outputText, position: i, detailsText: outputText }), token));
      const event = sampleEvent({ payloadText: outputText, contextText: outputText });
      await store.intake(sampleIntake(event, []));
      expect(await store.event(null, { rowId: event.rowId })).toEqual(event);
    }
    expect((await store.tasks(run.id)).map(({ outputText }) => outputText)).toEqual(hostile);
    const finished = await apply(store, run, { type: "succeeded", token, output: hostile[0] ?? null });
    expect(finished.state).toMatchObject({ outcome: { output: hostile[0] } });
  });

  it("replaces what a database's text cannot hold", async () => {
    const { store } = context;
    const { run, token } = await executing(store);
    await store.recordTask(report(sampleTask(run.id, { name: "a\0b\ud800c", displayKey: "\udc00" }), token));
    expect(await store.tasks(run.id)).toMatchObject([{ name: "a\ufffdb\ufffdc", displayKey: "\ufffd" }]);
    const delivery = sampleDelivery({ url: "/x\0", reason: "\ud83d", headers: [["a", "\0\ud800"]], verdict: "refused" });
    await store.intake({ delivery, event: null, runs: [], work: [], done: null });
    const kept = await store.delivery(ENVIRONMENT, delivery.id);
    expect(kept).toMatchObject({ url: "/x\ufffd", reason: "\ufffd", headers: [["a", "\0\ud800"]] });
    const event = sampleEvent({ id: unique("\0nul") });
    await store.intake(sampleIntake(event, []));
    expect((await store.event(ENVIRONMENT, { id: event.id }))?.rowId ?? "none").toBe(event.rowId);
  });

  it("holds ten megabytes", async () => {
    const { store } = context;
    const big = JSON.stringify('x"\\é'.repeat(1_700_000));
    const body = Buffer.alloc(10 * 1024 * 1024, 7);
    const event = sampleEvent({ payloadText: big });
    const delivery = sampleDelivery({ body, size: body.length, verdict: "verified" });
    await store.intake({ ...sampleIntake(event, []), delivery });
    expect((await store.event(null, { rowId: event.rowId }))?.payloadText === big).toBe(true);
    expect(Buffer.from((await store.delivery(ENVIRONMENT, delivery.id))?.body ?? []).equals(body)).toBe(true);
    const { run, token } = await executing(store);
    await store.recordTask(report(sampleTask(run.id, { outputText: big }), token));
    expect((await store.tasks(run.id))[0]?.outputText === big).toBe(true);
  });
}

export function values(context: Context): void {
  it("keeps a value by key, the later of two, byte for byte, for every server", async () => {
    const { store, other } = context;
    const key = unique("a/b \u00e9 ?");
    expect(await store.values.get(ENVIRONMENT, key)).toBeNull();
    await store.values.set(ENVIRONMENT, key, { text: '{"v":1}', at: NOW });
    expect(await other.values.get(ENVIRONMENT, key)).toEqual({ text: '{"v":1}' });
    for (const text of ['"\\u0000 \\ud800"', "-0", "1e400", '{"b":1,"a":1.0}', JSON.stringify("\u{1F600}".repeat(60_000))]) {
      await other.values.set(ENVIRONMENT, key, { text, at: NOW });
      expect((await store.values.get(ENVIRONMENT, key))?.text === text).toBe(true);
    }
  });

  it("tells undefined from what is not there, and forgets", async () => {
    const { values: kept } = context.store;
    const key = unique("undefined");
    await kept.set(ENVIRONMENT, key, { text: null, at: NOW });
    expect(await kept.get(ENVIRONMENT, key)).toEqual({ text: null });
    expect(await kept.delete(ENVIRONMENT, key)).toBe(true);
    expect(await kept.delete(ENVIRONMENT, key)).toBe(false);
    expect(await kept.get(ENVIRONMENT, key)).toBeNull();
  });

  it("keeps environments, and keys that differ in one byte, apart", async () => {
    const { values: kept } = context.store;
    const key = unique("k");
    const others = [`${key} `, key.toUpperCase(), `${key}\u0301`, `job:${key}`];
    await kept.set(ENVIRONMENT, key, { text: "1", at: NOW });
    for (const each of others) expect(await kept.get(ENVIRONMENT, each)).toBeNull();
    const elsewhere = world.newId("environment");
    expect(await kept.get(elsewhere, key)).toBeNull();
    expect(await kept.delete(elsewhere, key)).toBe(false);
    await kept.set(elsewhere, key, { text: "2", at: NOW });
    expect(await kept.get(ENVIRONMENT, key)).toEqual({ text: "1" });
  });
}

export function catalog(context: Context): void {
  it("keeps environments, apps, endpoints and settings, and counts their saves", async () => {
    const { catalog: rows } = context.store;
    const before = await rows.revision();
    const environment = sampleEnvironment();
    await rows.saveEnvironment(environment);
    const app = {
      id: world.newId("app"),
      environmentId: environment.id,
      slug: "clerk-example",
      transport: "push" as const,
      url: "http://localhost:3000/api/trigger",
      sdk: null,
      index: null,
      indexedAt: null,
      lastError: "down",
      callLimitMs: 60_000,
    };
    await rows.saveApp(app);
    await rows.noteApp(app.id, { lastError: "a\u0000b" });
    await rows.noteApp(app.id, { callLimitMs: 3_000 });
    expect(await rows.apps()).toContainEqual({ ...app, lastError: "a\ufffdb", callLimitMs: 3_000 });
    await rows.noteApp(app.id, { lastError: null, callLimitMs: 60_000 });
    await rows.noteApp(world.newId("app"), { lastError: "of nobody" });
    const endpoint = {
      id: world.newId("endpoint"),
      environmentId: environment.id,
      appId: app.id,
      slug: "clerk.com",
      shortcode: "abc",
      preset: null,
      secretSealed: null,
      sourceText: null,
      createdAt: NOW,
    };
    await rows.saveEndpoint(endpoint);
    await rows.saveEndpoint({ ...endpoint, preset: "svix", secretSealed: "s", sourceText: "not by this" });
    expect(await rows.changeSetting("a", null, "1")).toBe(true);
    expect(await rows.changeSetting("a", "1", "2")).toBe(true);
    for (const stale of [null, "1"]) expect(await rows.changeSetting("a", stale, "3"), "it has changed since").toBe(false);
    expect(await rows.changeSetting("c", "1", "3"), "there is none").toBe(false);
    expect(await rows.environments()).toContainEqual(environment);
    expect(await rows.apps()).toContainEqual({ ...app, lastError: null });
    expect(await rows.endpoints()).toContainEqual({ ...endpoint, preset: "svix", secretSealed: "s" });
    expect(await rows.setting("a")).toBe("2");
    for (const absent of ["b", "c"]) expect(await rows.setting(absent)).toBeNull();
    expect(await rows.revision()).toBe(before + 10);
  });

  it("lets one of several servers change a setting that all have read", async () => {
    const catalogs = [context.store.catalog, context.other.catalog];
    const key = unique("setting");
    for (const former of [null, "0"]) {
      const values = ["0", "1", "2", "3"].map((value) => `${former ?? ""}${value}`);
      const changed = await Promise.all(
        values.map((value, i) => (catalogs[i % 2] as (typeof catalogs)[0]).changeSetting(key, former, value)),
      );
      expect(changed.filter(Boolean)).toHaveLength(1);
      expect(await context.other.catalog.setting(key)).toBe(values[changed.indexOf(true)]);
      if (former === null) await context.store.catalog.changeSetting(key, values[changed.indexOf(true)] as string, "0");
    }
  });

  it("saves an app for a process only if none that counts came later, of whatever server", async () => {
    const { store, other } = context;
    const times = { now: NOW, until: NOW + 100 };
    const app = {
      id: world.newId("app"),
      environmentId: world.newId("environment"),
      slug: "rolling",
      transport: "connect" as const,
      url: null,
      sdk: "0",
      index: null,
      indexedAt: null,
      lastError: null,
      callLimitMs: null,
    };
    const { id } = app;
    const saved = async () => (await store.catalog.apps()).find((row) => row.id === id)?.sdk;
    const note = (since: number | null, at = times) => other.catalog.noteProcesses([{ id, since }], at);
    expect(await note(NOW - 50)).toEqual([]);
    expect(await store.catalog.saveApp(app, { since: NOW - 50, ...times })).toBe(true);
    expect(await note(NOW - 50)).toEqual([{ id, since: NOW - 50, isNewest: true }]);
    // One that comes is the newest, also by a clock that is behind.
    expect(await note(null, { now: NOW - 70, until: NOW + 30 })).toEqual([{ id, since: NOW - 49, isNewest: true }]);
    expect(await note(NOW - 50)).toEqual([{ id, since: NOW - 50, isNewest: false }]);
    const before = await store.catalog.revision();
    expect(await store.catalog.saveApp({ ...app, sdk: "1" }, { since: NOW - 50, ...times })).toBe(false);
    expect([await saved(), await store.catalog.revision()]).toEqual(["0", before]);
    expect(await store.catalog.saveApp({ ...app, sdk: "2" }, { since: NOW - 49, ...times })).toBe(true);
    const later = { now: NOW + 40, until: NOW + 140 };
    expect(await note(NOW - 50, later)).toEqual([{ id, since: NOW - 50, isNewest: true }]);
    expect(await store.catalog.saveApp({ ...app, sdk: "3" }, { since: NOW - 50, ...later })).toBe(true);
    expect(await saved()).toBe("3");
    const crowd = await Promise.all(
      [store, other, store, other].map((one) => one.catalog.noteProcesses([{ id, since: null }], later)),
    );
    expect(new Set(crowd.flat().map(({ since }) => since)).size).toBe(4);
    expect(crowd.flat().filter(({ isNewest }) => isNewest)).toHaveLength(4);
  });

  it("changes a source only as it was read", async () => {
    const { catalog: rows } = context.store;
    const endpoint = {
      id: world.newId("endpoint"),
      environmentId: world.newId("environment"),
      appId: world.newId("app"),
      slug: "source/x",
      shortcode: "abc",
      preset: null,
      secretSealed: null,
      sourceText: null,
      createdAt: NOW,
    };
    await rows.saveEndpoint(endpoint);
    const before = await rows.revision();
    const first = { appId: endpoint.appId, secretSealed: "s", sourceText: '{"n":1}' };
    expect(await rows.changeSource(endpoint.id, "{}", first)).toBe(false);
    expect(await rows.changeSource(endpoint.id, null, first)).toBe(true);
    expect(await rows.changeSource(endpoint.id, null, { ...first, sourceText: "lost" })).toBe(false);
    const at = '{"n":1}';
    const tried = await Promise.all(
      [2, 3, 4].map((n) => rows.changeSource(endpoint.id, at, { ...first, sourceText: `{"n":${n}}` })),
    );
    expect(tried.filter(Boolean)).toHaveLength(1);
    expect(await rows.endpoints()).toContainEqual({ ...endpoint, ...first, sourceText: `{"n":${tried.indexOf(true) + 2}}` });
    expect(await rows.revision()).toBe(before + 2);
  });

  it("refuses a second app, or a second endpoint, of one slug: whoever saved it first has it", async () => {
    const { catalog: rows } = context.store;
    const environmentId = world.newId("environment");
    const app = {
      id: world.newId("app"),
      environmentId,
      slug: "twice",
      transport: "connect" as const,
      url: null,
      sdk: null,
      index: null,
      indexedAt: null,
      lastError: null,
      callLimitMs: null,
    };
    const endpoint = {
      id: world.newId("endpoint"),
      environmentId,
      appId: app.id,
      slug: "twice",
      shortcode: "abc",
      preset: null,
      secretSealed: null,
      sourceText: null,
      createdAt: NOW,
    };
    await rows.saveApp(app);
    await rows.saveEndpoint(endpoint);
    await expect(rows.saveApp({ ...app, id: world.newId("app") })).rejects.toMatchObject({ code: "UNPROCESSABLE" });
    await expect(rows.saveEndpoint({ ...endpoint, id: world.newId("endpoint") })).rejects.toMatchObject({
      code: "UNPROCESSABLE",
    });
    expect((await rows.apps()).filter((row) => row.environmentId === environmentId)).toEqual([app]);
  });

  it("answers", async () => {
    await context.store.ping();
  });
}

export function statuses(context: Context): void {
  it("keeps what a status was, and nothing of what changes nothing", async () => {
    const { store, other } = context;
    const run = world.newId("run");
    await store.statuses.save(run, { key: "b", state: "loading", dataText: '{"p":0.10,"x":null}' }, NOW);
    await other.statuses.save(run, { key: "a", label: "A \u0000" }, NOW + 1);
    await other.statuses.save(run, { key: "b", label: "Done", state: "success" }, NOW + 2);
    await store.statuses.save(run, { key: "b", label: "Done" }, NOW + 3);
    await store.statuses.save(run, { key: "b" }, NOW + 4);
    await store.statuses.save(run, { key: "b", dataText: "{}" }, NOW + 5);
    const history =
      '[{"label":"b","state":"loading","data":{"p":0.10,"x":null}},{"label":"Done","state":"success","data":{"p":0.10,"x":null}}]';
    expect(await store.statuses.of(run)).toEqual([
      { key: "b", label: "Done", state: "success", dataText: "{}", historyText: history },
      { key: "a", label: "A \ufffd", state: null, dataText: null, historyText: "[]" },
    ]);
    expect(await store.statuses.of(world.newId("run"))).toEqual([]);
  });

  it("loses none of many changes at once", async () => {
    const { store, other } = context;
    const run = world.newId("run");
    const changes = Array.from({ length: 20 }, (_, i) =>
      (i % 2 ? store : other).statuses.save(run, { key: "k", label: `l${i}` }, NOW),
    );
    await Promise.all(changes);
    const [row] = await store.statuses.of(run);
    const labels = [...(JSON.parse(row?.historyText ?? "[]") as { label: string }[]).map(({ label }) => label), row?.label];
    expect(new Set(labels).size).toBe(20);
  });
}
