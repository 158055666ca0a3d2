// What a store must do with connections, the OAuth apps they are made with, and runs that wait for them. Part of the conformance suite: called by
// store.conformance.ts.
import { expect, it } from "vitest";
import type { ConnectionOwner, ConnectionRow, OAuthClientRow } from "./connection-rows.ts";
import type { Context } from "./context.conformance.ts";
import { apply, claim, executing, NOW, unique, world } from "./samples.conformance.ts";

function owner(fields: Partial<ConnectionOwner> = {}): ConnectionOwner {
  return { environmentId: world.newId("environment"), integrationId: unique("git/hub é"), accountId: null, ...fields };
}

function sample(fields: Partial<ConnectionRow> = {}): ConnectionRow {
  return {
    ...owner(fields),
    id: unique("con"),
    status: "connected",
    provider: "github",
    tokensSealed: "hf1.sealed",
    scopes: ["repo", "read:user"],
    fieldsText: '{"team":"T1"}',
    title: "octocat",
    expiresAt: NOW + 1_000,
    refreshAt: NOW,
    leasedUntil: 0,
    generation: 1,
    revision: 1,
    error: null,
    endingSealed: null,
    endingAt: null,
    endingError: null,
    createdAt: NOW,
    updatedAt: NOW,
    ...fields,
  };
}

function sampleClient(fields: Partial<OAuthClientRow> = {}): OAuthClientRow {
  return {
    environmentId: world.newId("environment"),
    integrationId: unique("slack"),
    provider: "slack",
    clientId: "id",
    secretSealed: null,
    scopes: [],
    authorizeUrl: null,
    tokenUrl: null,
    revokeUrl: null,
    issuer: null,
    createdAt: NOW,
    updatedAt: NOW,
    ...fields,
  };
}

export function connections(context: Context): void {
  it("keeps one OAuth app for each integration, with the time it first had one", async () => {
    const { store, other } = context;
    const row = sampleClient({
      secretSealed: "hf1.s",
      scopes: ["a b", 'c"d'],
      authorizeUrl: "https://a.example/x",
      tokenUrl: "t",
      revokeUrl: "https://a.example/revoke",
      issuer: "https://a.example",
    });
    const { environmentId, integrationId } = row;
    expect(await store.connections.client(environmentId, integrationId)).toBeNull();
    await store.connections.saveClient(row);
    expect(await other.connections.client(environmentId, integrationId)).toEqual(row);
    const next = {
      ...row,
      clientId: "other",
      scopes: [],
      tokenUrl: null,
      revokeUrl: null,
      createdAt: NOW + 5,
      updatedAt: NOW + 5,
    };
    await other.connections.saveClient(next);
    const second = sampleClient({ environmentId, integrationId: `${integrationId} 2` });
    await store.connections.saveClient(second);
    expect(await store.connections.clients(environmentId)).toEqual([{ ...next, createdAt: NOW }, second]);
    await store.connections.dropClient(environmentId, integrationId);
    expect(await store.connections.clients(environmentId)).toEqual([second]);
  });

  it("keeps a connection for each account and one for the developer, and replaces only what was read", async () => {
    const { store, other } = context;
    const row = sample();
    const ofAccount = sample({ ...row, id: unique("con"), accountId: "ada", tokensSealed: null, title: null, fieldsText: null });
    expect(await store.connections.get(row)).toBeNull();
    expect(await store.connections.save(row, null)).toBe(true);
    expect(await other.connections.save(ofAccount, null)).toBe(true);
    expect([await other.connections.get(row), await store.connections.get(ofAccount)]).toEqual([row, ofAccount]);
    expect(await store.connections.save({ ...row, id: unique("con") }, null)).toBe(false);
    const next = { ...row, revision: 2, leasedUntil: NOW + 5, error: "no", updatedAt: NOW + 1 };
    const rivals = await Promise.all([store, other, store].map(({ connections: rows }) => rows.save(next, row)));
    expect(rivals.filter(Boolean)).toHaveLength(1);
    expect(await store.connections.save({ ...next, id: "x", createdAt: 1, revision: 3 }, next)).toBe(true);
    expect(await other.connections.get(row)).toEqual({ ...next, revision: 3 });
    expect(await store.connections.get({ ...row, environmentId: "env_other" })).toBeNull();
    expect(await other.connections.byId(row.environmentId, ofAccount.id)).toEqual(ofAccount);
    expect(await other.connections.byId("env_other", ofAccount.id)).toBeNull();
    expect(await other.connections.byId(row.environmentId, unique("con"))).toBeNull();
  });

  it("lists them by integration and account, in pages", async () => {
    const { store } = context;
    const { environmentId } = owner();
    const names: [string, string | null][] = [
      ["b", null],
      ["a", "x"],
      ["b", "y"],
      ["a", null],
    ];
    for (const [integrationId, accountId] of names)
      await store.connections.save(sample({ environmentId, integrationId, accountId }), null);
    await store.connections.save(sample(), null);
    const page = async (after: ConnectionOwner | null, limit: number) =>
      (await store.connections.list(environmentId, { after, limit })).map((row) => [row.integrationId, row.accountId]);
    expect(await page(null, 10)).toEqual([
      ["a", null],
      ["a", "x"],
      ["b", null],
      ["b", "y"],
    ]);
    expect(await page({ environmentId, integrationId: "a", accountId: "x" }, 1)).toEqual([["b", null]]);
  });

  it("finds those to refresh: in force, due, and with nobody at it", async () => {
    const { store } = context;
    // Long ago, so that rows of other tests come behind these.
    const then = 1_000_000 + Math.floor((NOW % 1_000_000) / 2);
    const rows = [
      sample({ refreshAt: then, title: "second" }),
      sample({ refreshAt: then - 5, title: "first" }),
      sample({ refreshAt: then - 9, leasedUntil: then + 1 }),
      sample({ refreshAt: then + 1 }),
      sample({ refreshAt: null }),
      sample({ refreshAt: then, status: "broken" }),
    ];
    for (const row of rows) await store.connections.save(row, null);
    expect((await store.connections.dueForRefresh(then, 10)).map(({ title }) => title)).toEqual(["first", "second"]);
    expect(await store.connections.dueForRefresh(then, 1)).toEqual([rows[1]]);
    for (const row of rows) await store.connections.save({ ...row, refreshAt: null, revision: 2 }, row);
  });

  it("finds those whose tokens are to be ended at their provider, whatever else they are", async () => {
    const { store, other } = context;
    const then = 1_000_000 + Math.floor((NOW % 1_000_000) / 2);
    const rows = [
      sample({ status: "none", endingSealed: "hf1.s", endingAt: then, endingError: "away" }),
      sample({ endingSealed: "hf1.s", endingAt: then - 1 }),
      sample({ endingSealed: "hf1.s", endingAt: then + 1 }),
      sample({ status: "none", endingError: "given up" }),
    ];
    for (const row of rows) await store.connections.save(row, null);
    expect(await other.connections.dueForEnding(then, 10)).toEqual([rows[1], rows[0]]);
    expect(await store.connections.dueForEnding(then, 1)).toEqual([rows[1]]);
    for (const row of rows)
      await store.connections.save({ ...row, endingSealed: null, endingAt: null, endingError: null, revision: 2 }, row);
    expect(await other.connections.dueForEnding(then + 1, 10)).toEqual([]);
  });

  it("gives an authorization away once, to one", async () => {
    const { store, other } = context;
    const row = { ...owner({ accountId: "ada" }), stateHash: unique("hash"), sealed: "hf1.s", expiresAt: NOW + 10 };
    await store.connections.addAuthorization(row);
    await store.connections.addAuthorization({ ...row, sealed: "other" });
    const taken = await Promise.all([store, other, store].map(({ connections: rows }) => rows.takeAuthorization(row.stateHash)));
    expect(taken.filter((one) => one !== null)).toEqual([row]);
    const [late, later] = [unique("hash"), unique("hash")];
    await store.connections.addAuthorization({ ...row, stateHash: late, expiresAt: NOW - 1 });
    await store.connections.addAuthorization({ ...row, stateHash: later, expiresAt: NOW });
    await store.connections.forgetAuthorizations(NOW);
    expect(await store.connections.takeAuthorization(late)).toBeNull();
    expect(await store.connections.takeAuthorization(later)).toMatchObject({ stateHash: later });
  });

  it("keeps which runs wait for a connection, and finds connections whose runs nobody woke", async () => {
    const { store, other } = context;
    const whose = owner({ accountId: "ada" });
    const developer = { ...whose, accountId: null };
    for (const id of ["run_2", "run_1", "run_3", "run_1"]) await store.connections.addWait(whose, id, NOW);
    await store.connections.addWait(developer, "run_1", NOW);
    expect(await other.connections.waits(whose, "", 10)).toEqual(["run_1", "run_2", "run_3"]);
    expect(await other.connections.waits(whose, "run_1", 1)).toEqual(["run_2"]);
    expect(await store.connections.waitCounts(whose.environmentId)).toEqual([
      { ...developer, runs: 1 },
      { ...whose, runs: 3 },
    ]);
    const unwoken = async () =>
      (await store.connections.unwoken(100)).filter(({ integrationId }) => integrationId === whose.integrationId);
    expect(await unwoken()).toEqual([]);
    const row = sample(whose);
    await store.connections.save(row, null);
    await store.connections.save(sample({ ...developer, status: "broken" }), null);
    expect(await unwoken()).toEqual([row]);
    await store.connections.dropWaits(whose, ["run_1", "run_2", "run_3", "run_9"]);
    expect([await unwoken(), await store.connections.waits(developer, "", 9)]).toEqual([[], ["run_1"]]);
    await store.connections.addWait(whose, "run_old", 1);
    await store.connections.forgetWaits(2);
    expect(await store.connections.waits(whose, "", 9)).toEqual([]);
  });

  it("keeps of a run that it waits for connections, and wakes it", async () => {
    const { store, other } = context;
    const { run, token, queue } = await executing(store);
    const waiting = await apply(store, run, { type: "unconnected", token });
    const kept = await other.run(null, run.id);
    expect(kept).toMatchObject({ executions: 0, startedAt: null });
    expect(kept?.state).toEqual({ kind: "waiting", dueAt: null, on: "connections" });
    expect(await claim(store, [queue], { now: NOW + 1e9 })).toMatchObject({ items: [] });
    await apply(store, waiting, { type: "woken" });
    expect((await claim(store, [queue])).items).toMatchObject([{ kind: "run", run: { executions: 1 } }]);
  });
}
