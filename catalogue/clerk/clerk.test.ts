// The Clerk entry against the packages people use: its events have the types Clerk publishes, its stand-in answers what Clerk's client reads.
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createClerkClient, type UserJSON } from "@clerk/backend";
import { afterEach, expect, test } from "vitest";
import { startClerkStandIn } from "../../examples/clerk/src/clerk-stand-in.ts";
import { catalogue } from "../src/index.ts";

const entry = catalogue.find((each) => each.id === "clerk");
const undo: (() => unknown)[] = [];
afterEach(async () => {
  for (const step of undo.splice(0).reverse()) await step();
});

async function standIn(options: { logFile?: string } = {}) {
  const running = await startClerkStandIn(options);
  undo.push(running.stop);
  return running;
}

const welcome = (url: string, key: string, text = "Welcome!") =>
  fetch(url, { method: "POST", headers: { "idempotency-key": key }, body: JSON.stringify({ to: "ada@example.com", text }) });

test("sample code is byte-equal to the files the tests run", () => {
  const files = entry?.samples.flatMap((sample) => sample.files) ?? [];
  expect(files.map((file) => file.name)).toContain("welcome.ts");
  for (const file of files) {
    const original = readFileSync(new URL(`../../examples/clerk/src/${file.name}`, import.meta.url));
    expect(Buffer.from(file.code).equals(original), file.name).toBe(true);
  }
});

test("every user event holds a user of Clerk's published shape", async () => {
  const { url } = await standIn();
  const answer = await fetch(`${url}/v1/users/user_1`, { headers: { authorization: "Bearer sk_test_x" } });
  const fields = Object.keys((await answer.json()) as UserJSON).sort();
  for (const name of ["user.created", "user.updated"]) {
    const event = entry?.events.find((each) => each.name === name);
    expect(Object.keys(event?.body.data as object).sort(), name).toEqual(fields);
    expect(event?.body).toMatchObject({
      type: name,
      object: "event",
      instance_id: expect.any(String),
      timestamp: expect.any(Number),
    });
  }
});

test("event names are unique and are what the body says", () => {
  const names = entry?.events.map((event) => event.name) ?? [];
  expect(new Set(names).size).toBe(names.length);
  expect(names).toEqual(entry?.events.map((event) => event.body.type));
});

test("Clerk's own client reads the stand-in's user", async () => {
  const { url } = await standIn();
  const user = await createClerkClient({ secretKey: "sk_test_x", apiUrl: url }).users.getUser("user_42");
  expect(user).toMatchObject({ id: "user_42", firstName: "Ada", createdAt: expect.any(Number) });
  expect(user.primaryEmailAddress?.emailAddress).toBe("ada@example.com");
});

test("Clerk's own client reads the stand-in's errors", async () => {
  const { url } = await standIn();
  const api = createClerkClient({ secretKey: "sk_test_x", apiUrl: url });
  await expect(api.users.getUser("nobody")).rejects.toMatchObject({ status: 404, errors: [{ code: "resource_not_found" }] });
  const wrong = createClerkClient({ secretKey: "no_key", apiUrl: url });
  await expect(wrong.users.getUser("user_1")).rejects.toMatchObject({ status: 401 });
});

test("a repeated idempotency key sends one message, also over a restart", async () => {
  const folder = mkdtempSync(join(tmpdir(), "clerk-"));
  undo.push(() => rmSync(folder, { recursive: true }));
  const logFile = join(folder, "welcomes.jsonl");
  const first = await standIn({ logFile });
  expect((await welcome(first.welcomeUrl, "a")).status).toBe(201);
  expect((await welcome(first.welcomeUrl, "a", "other words")).status).toBe(200);
  await first.stop();
  const second = await standIn({ logFile });
  expect((await welcome(second.welcomeUrl, "a")).status).toBe(200);
  expect((await welcome(second.welcomeUrl, "b")).status).toBe(201);
  expect(second.welcomes().map(({ key, text, requests }) => [key, text, requests])).toEqual([
    ["a", "Welcome!", 3],
    ["b", "Welcome!", 1],
  ]);
  expect(await (await fetch(second.welcomeUrl)).json()).toEqual(second.welcomes());
});

test("a message without a key is refused", async () => {
  const { welcomeUrl, welcomes } = await standIn();
  expect((await fetch(welcomeUrl, { method: "POST", body: "{}" })).status).toBe(400);
  expect(welcomes()).toEqual([]);
});
